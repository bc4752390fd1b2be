#!/bin/sh
# Runs test_metadata.py; the part with Debian's Cyrus is skipped where $PEER_ROOT is not set.
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
if [ -z "$PEER_ROOT" ] && [ "$(id -u)" = 0 ] && "${srcdir:-.}/tests/lib/peer.sh" "$PWD/peer"; then
	export PEER_ROOT="$PWD/peer"
fi
exec env builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -rs -p no:cacheprovider "${srcdir:-.}/tests/test_metadata.py"
