#!/bin/sh
# Runs the whole-process tests of FETCH; skipped where there is no Python 3.
command -v python3 >/dev/null 2>&1 || exit 77
exec python3 "${srcdir:-.}/tests/test_fetch.py"
