#!/bin/sh
# peer.sh DIR - unpacks Debian's Cyrus into DIR (not installed: it would exclude other packages), with the libraries it needs installed
# and the account it runs as. Does nothing when DIR is there. Exits non-zero where that cannot be done.
set -eu
DIR=$1
exec 9>"$DIR.lock" && flock 9                   # several tests want it at once
[ -x "$DIR/usr/lib/cyrus/bin/imapd" ] && [ -x "$DIR/usr/lib/cyrus/bin/pop3d" ] && [ -x "$DIR/usr/lib/cyrus/bin/mupdate" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 1
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
(cd "$TMP" && apt-get -qq download cyrus-imapd cyrus-common cyrus-clients cyrus-pop3d cyrus-murder >/dev/null 2>&1) || exit 1
mkdir -p "$DIR"
for package in "$TMP"/*.deb; do dpkg-deb -x "$package" "$DIR"; done
# what its libraries ask for: only the dependencies, by the package's own word
LIBS=$(for package in "$TMP"/*.deb; do dpkg-deb -f "$package" Depends; done | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep '^lib' | sort -u)
# shellcheck disable=SC2086  # a list of words
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $LIBS >/dev/null 2>&1 || exit 1
id cyrus >/dev/null 2>&1 || useradd --system --gid mail --no-create-home --shell /bin/sh cyrus
LD_LIBRARY_PATH=$(dirname "$(find "$DIR" -name 'libcyrus.so.0' | head -n 1)") ldd "$DIR/usr/lib/cyrus/bin/imapd" | grep -q 'not found' && exit 1
exit 0
