#!/bin/sh
# Runs the whole-process tests of master and of services; skipped where there is no Python 3.
command -v python3 >/dev/null 2>&1 || exit 77
export PYTHONDONTWRITEBYTECODE=1
for suite in service library check watch master bad_input storm; do
	python3 "${srcdir:-.}/tests/master/test_$suite.py" || exit 1
done
