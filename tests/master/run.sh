#!/bin/sh
# Runs the whole-process tests of master and of services; skipped where there is no Python 3.
command -v python3 >/dev/null 2>&1 || exit 77
export PYTHONDONTWRITEBYTECODE=1
rc=0
for name in service library master; do python3 "${srcdir:-.}/tests/master/test_$name.py" || rc=1; done
exit $rc
