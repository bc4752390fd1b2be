#!/bin/sh
# Runs test_list.py under pytest; skipped where there is none. Its comparison with Debian's Cyrus needs root and $PEER_ROOT (see peer.sh).
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
[ -n "$PEER_ROOT" ] || [ ! -d "$PWD/peer" ] || export PEER_ROOT="$PWD/peer"
exec env builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -rs -p no:cacheprovider "${srcdir:-.}/tests/test_list.py"
