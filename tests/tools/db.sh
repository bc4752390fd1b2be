#!/bin/sh
# The tools over databases and configuration: cyr_dbtool, ctl_cyrusdb, cyr_info, cyr_buildinfo. Exits at the first difference.
set -eu
T=imap/tools
D=$(mktemp -d "${TMPDIR:-/tmp}/tools-db.XXXXXX")
trap 'rm -rf "$D"' EXIT
CYRUS_USER=$(id -un) CYRUS_GROUP=$(id -gn)
export CYRUS_USER CYRUS_GROUP
unset CYRUS_PREFIX || :

fail() { echo "FAIL: $*" >&2; exit 1; }
same() { [ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"; }
status() { want=$1; shift; rc=0; "$@" >"$D/out" 2>"$D/err" || rc=$?; same "status of $*" "$rc" "$want"; }

mkdir "$D/conf" "$D/spool"
cat >"$D/imapd.conf" <<EOS
configdirectory: $D/conf
partition-default: $D/spool
defaultpartition: default
imap_admins: root
typo: 1
lmtpunix_typo: 2
quota_db: twoskip
EOS
printf 'SERVICES {\n  imap cmd="imapd" listen="imap"\n}\n' >"$D/cyrus.conf"
C="-C $D/imapd.conf"
TAB=$(printf '\t')

# cyr_dbtool
status 0 $T/cyr_dbtool $C -n "$D/x.db" twoskip set a 1
printf 'c\t3\nb\t2 two\nempty\n' | $T/cyr_dbtool $C "$D/x.db" twoskip set
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip show
same show "$(cat "$D/out")" "a${TAB}1
b${TAB}2 two
c${TAB}3
empty${TAB}"
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip get b
same get "$(cat "$D/out")" "2 two"
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip get nosuch
same 'get nosuch' "$(od -An -c "$D/out" | tr -d ' ')" '\n'
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip delete nosuch
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip delete empty
printf 'BEGIN\nSET\tz\t9\nABORT\nDELETE\tc\nGET\ta\n' | $T/cyr_dbtool $C "$D/x.db" twoskip batch >"$D/out"
same 'batch get' "$(cat "$D/out")" 'a 1'
status 1 $T/cyr_dbtool $C "$D/x.db" twoskip damage a lost
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip show
same 'show after damage' "$(cat "$D/out")" "a${TAB}1
b${TAB}2 two"
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip repack
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip consistent
same consistent "$(cat "$D/out")" 'Yes, consistent'
status 0 $T/cyr_dbtool $C "$D/x.db" twoskip frobnicate
same 'unknown action' "$(cat "$D/out")" 'Unknown action frobnicate'
status 75 $T/cyr_dbtool $C "$D/none.db" twoskip show
same 'no database' "$(cat "$D/err")" "fatal error: can't open database"
status 78 $T/cyr_dbtool $C "$D/x.db" sql show
same 'no engine' "$(cat "$D/err")" 'fatal error: cyrusdb backend sql not supported'
status 255 $T/cyr_dbtool $C "$D/x.db"

# ctl_cyrusdb
status 255 $T/ctl_cyrusdb $C
status 255 $T/ctl_cyrusdb $C -r -c
status 255 $T/ctl_cyrusdb $C -c -x
$T/cyr_dbtool $C -n "$D/conf/statuscache.db" skiplist set k v
status 0 $T/ctl_cyrusdb $C -r -x
[ -s "$D/conf/db/skipstamp" ] || fail "no skipstamp"
same 'converted' "$(dd if="$D/conf/statuscache.db" bs=1 skip=4 count=12 2>/dev/null)" 'twoskip file'
same 'content kept' "$($T/cyr_dbtool $C "$D/conf/statuscache.db" twoskip get k)" v
status 0 $T/ctl_cyrusdb $C -r
[ -f "$D/conf/mailboxes.db" ] || fail "no mailboxes.db"
status 0 $T/ctl_cyrusdb $C -c
status 0 $T/ctl_cyrusdb $C -c
cmp "$D/conf/mailboxes.db" "$D/conf/db.backup1/mailboxes.db"
cmp "$D/conf/mailboxes.db" "$D/conf/db.backup2/mailboxes.db"

# cyr_info, cyr_buildinfo
status 0 $T/cyr_info $C conf
grep -q "^configdirectory: $D/conf\$" "$D/out" || fail "cyr_info conf"
status 0 $T/cyr_info $C -n imap conf
grep -q '^admins: root$' "$D/out" || fail "cyr_info -n imap"
status 0 $T/cyr_info $C conf-all
grep -q '^altnamespace: yes$' "$D/out" || fail "cyr_info conf-all"
status 0 $T/cyr_info $C conf-default
grep -q '^configdirectory: $' "$D/out" || fail "cyr_info conf-default"
status 0 $T/cyr_info $C -M "$D/cyrus.conf" conf-lint
same lint "$(cat "$D/out")" "typo: 1
lmtpunix_typo: 2"
mkdir "$D/conf/proc"
printf 'imap\tlocalhost [127.0.0.1]\tfred\tuser.fred\tIdle\n' >"$D/conf/proc/4711"
status 0 $T/cyr_info $C proc
same proc "$(cat "$D/out")" '4711 imap localhost [127.0.0.1] fred user.fred Idle'
status 255 $T/cyr_info $C
status 0 $T/cyr_buildinfo $C flat
grep -q '^dependency.zlib=true$' "$D/out" || fail "cyr_buildinfo"
echo ok
