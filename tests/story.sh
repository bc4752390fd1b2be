#!/bin/sh
# Runs test_story.py under pytest; skipped where there is none. Its part with Dovecot needs root and Dovecot.
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
exec env builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -rs -p no:cacheprovider "${srcdir:-.}/tests/test_story.py"
