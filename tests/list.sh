#!/bin/sh
# Runs test_list.py under pytest; skipped where there is none. Its comparison with Debian's Cyrus needs root and $PEER_ROOT (see peer.sh).
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
if [ -z "$PEER_ROOT" ] && [ "$(id -u)" = 0 ] && "${srcdir:-.}/tests/lib/peer.sh" "$PWD/peer"; then
	export PEER_ROOT="$PWD/peer"
fi
exec env builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -rs -p no:cacheprovider "${srcdir:-.}/tests/test_list.py"
