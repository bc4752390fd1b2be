#!/bin/sh
# pytest.sh [-m | -p | -P] NAME... - runs tests/NAME.py, one by one or several, under pytest. Where that is not there: skipped (77), saying why.
#   -m  they are programs of their own: Python without pytest will do, one after the other up to the first that fails
#   -p  Debian's Cyrus is unpacked for them when we are root, and its folder is $PEER_ROOT; what needs it skips itself without
#   -P  they all need it
set -u
HERE=$(dirname "$0") TESTS=${srcdir:-.}/tests
skip() { echo "$*"; exit 77; }

how=
case $1 in -[mpP]) how=$1; shift ;; esac
export builddir="$PWD" srcdir="${srcdir:-.}" PYTHONDONTWRITEBYTECODE=1

if [ "$how" = -m ]; then
	command -v python3 >/dev/null 2>&1 || skip "python3 is not installed"
	for name; do python3 "$TESTS/$name.py" || exit; done
	exit 0
fi
python3 -c 'import pytest' 2>/dev/null && PY=python3 || PY=/usr/bin/python3
"$PY" -c 'import pytest' 2>/dev/null || skip "pytest is not installed"
if [ "$how" ] && [ -z "${PEER_ROOT:-}" ] && [ "$(id -u)" = 0 ] && "$HERE/peer.sh" "$PWD/peer"; then export PEER_ROOT="$PWD/peer"; fi
if [ "$how" = -P ]; then
	[ "$(id -u)" = 0 ] || skip "needs root: Debian's programs run as cyrus"
	[ "${PEER_ROOT:-}" ] || skip "Debian's Cyrus could not be unpacked"
fi
for name; do
	shift
	set -- "$@" "$TESTS/$name.py"
done
exec "$PY" -m pytest -q -rs -p no:cacheprovider "$@"
