#!/bin/sh
# Runs test_discover.py; skipped where there is no Python 3.
command -v python3 >/dev/null 2>&1 || { echo "python3 is not installed"; exit 77; }
builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 exec python3 "${srcdir:-.}/tests/test_discover.py"
