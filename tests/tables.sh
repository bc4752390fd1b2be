#!/bin/sh
# Runs test_tables.py under pytest; skipped where there is none. What needs Debian's Cyrus is skipped unless tests/lib/peer.sh can unpack it.
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
if [ -z "$PEER_ROOT" ] && [ "$(id -u)" = 0 ] && "${srcdir:-.}/tests/lib/peer.sh" "$PWD/peer"; then PEER_ROOT=$PWD/peer; fi
exec env PEER_ROOT="$PEER_ROOT" builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -rs -p no:cacheprovider "${srcdir:-.}/tests/test_tables.py" \
	"${srcdir:-.}/tests/test_peer_turns.py" "${srcdir:-.}/tests/test_recover.py"
