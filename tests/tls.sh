#!/bin/sh
# Runs test_tls.py under pytest; skipped where there is none.
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
command -v openssl >/dev/null 2>&1 || { echo "openssl, which makes the certificates, is not installed"; exit 77; }
exec env builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -p no:cacheprovider "${srcdir:-.}/tests/test_tls.py"
