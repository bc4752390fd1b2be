#!/bin/sh
# Runs test_peer.py: Debian's Cyrus and ours on one store, in turn; and test_peer_master.py: either master with the other's services. Skipped, saying why, where Debian's programs cannot be had.
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || { echo "pytest is not installed"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "needs root: Debian's programs run as cyrus"; exit 77; }
if [ -z "$PEER_ROOT" ]; then
	PEER_ROOT=$PWD/peer
	"${srcdir:-.}/tests/lib/peer.sh" "$PEER_ROOT" || { echo "Debian's Cyrus could not be unpacked"; exit 77; }
fi
exec env PEER_ROOT="$PEER_ROOT" builddir="$PWD" PYTHONDONTWRITEBYTECODE=1 "$PY" -m pytest -q -rs -p no:cacheprovider "${srcdir:-.}/tests/test_peer.py" "${srcdir:-.}/tests/test_peer_master.py" "${srcdir:-.}/tests/test_peer_db.py"
