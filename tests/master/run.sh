#!/bin/sh
# Runs the whole-process tests of master; skipped where there is no Python 3.
command -v python3 >/dev/null 2>&1 || exit 77
python3 "${srcdir:-.}/tests/master/test_service.py" && python3 "${srcdir:-.}/tests/master/test_check.py" && python3 "${srcdir:-.}/tests/master/test_watch.py" && exec python3 "${srcdir:-.}/tests/master/test_master.py"
