#!/bin/sh
# The tools over mailboxes: ctl_mboxlist, reconstruct, mbpath, mbexamine, quota. Exits at the first difference.
set -eu
T=imap/tools
D=$(mktemp -d "${TMPDIR:-/tmp}/tools-mailbox.XXXXXX")
trap 'rm -rf "$D"' EXIT
CYRUS_USER=$(id -un) CYRUS_GROUP=$(id -gn) TZ=UTC
export CYRUS_USER CYRUS_GROUP TZ
unset CYRUS_PREFIX || :

fail() { echo "FAIL: $*" >&2; exit 1; }
same() { [ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"; }
status() { want=$1; shift; rc=0; "$@" >"$D/out" 2>"$D/err" || rc=$?; same "status of $*" "$rc" "$want"; }

store() {
	rm -rf "$D/$1"
	mkdir -p "$D/$1/conf" "$D/$1/spool"
	printf 'configdirectory: %s/conf\npartition-default: %s/spool\ndefaultpartition: default\n' "$D/$1" "$D/$1" >"$D/$1/imapd.conf"
	C="-C $D/$1/imapd.conf"
}

# a dump of each dialect into an empty list, and out again
printf 'News\t0 default anyone\tlrs\t\nshared.brief\t16 (null) \nuser.fred\t0 default fred\tlrswipkxtecdan\t-bob\tr\t\nuser.fred.a b\t0 default \n' >"$D/text.dump"
cat >"$D/json.dump" <<'EOJ'
{
"News": {"name": "News", "mtime": "1795289068", "uidvalidity": "1795289069", "createdmodseq": "1", "foldermodseq": "1", "mbtype": "e", "partition": "default", "acl": {"anyone": "lrs"}, "uniqueid": "wp8nc306yh0oharh4eto70qj", "name_history": []},
"user.fred": {"name": "user.fred", "mtime": "1795289068", "uidvalidity": "1795289069", "createdmodseq": "1", "foldermodseq": "2", "mbtype": "e", "partition": "default", "acl": {"fred": "lrswipkxtecdan", "-bob": "r"}, "uniqueid": "ognwn9pq4owr1zornmoko559", "name_history": []},
"user.fred.New": {"name": "user.fred.New", "mtime": "1795289060", "uidvalidity": "1795289069", "createdmodseq": "1", "foldermodseq": "1", "mbtype": "e", "partition": "default", "acl": {"fred": "lrs"}, "uniqueid": "57ts3oqyyfuzpltpmuc61646", "name_history": []},
"user.fred.Old": {"name": "user.fred.Old", "mtime": "1795289075", "uidvalidity": "1795289070", "createdmodseq": "1", "foldermodseq": "3", "mbtype": "ed", "acl": {}, "uniqueid": "57ts3oqyyfuzpltpmuc61646", "name_history": []}
}
EOJ
for form in text json; do
	store $form
	status 0 sh -c "$T/ctl_mboxlist $C -u <$D/$form.dump"
	status 0 $T/ctl_mboxlist $C -d
	cmp "$D/out" "$D/$form.dump" || fail "the $form dump changes"
	status 0 $T/ctl_mboxlist $C -v
	grep -q "^'user.fred' has a DB entry but no directory on partition 'default'\$" "$D/out" || fail "-v misses a directory"
	# an entry with nothing behind it becomes an empty mailbox
	status 0 $T/reconstruct $C
	grep -q '^user.fred: failed to read index header$' "$D/out" || fail "reconstruct: $(cat "$D/out")"
	status 0 $T/reconstruct $C -q -G
	same 'reconstruct of healthy mailboxes' "$(cat "$D/out" "$D/err")" ''
	status 0 $T/ctl_mboxlist $C -v
	same '-v of a healthy store' "$(cat "$D/out" "$D/err")" ''
	status 0 $T/quota $C -f -q
	same 'quota -f -q' "$(cat "$D/out" "$D/err")" ''
	status 0 $T/mbexamine $C -q '*'
	grep -q 'INCORRECT' "$D/out" && fail "mbexamine -q"
	grep -q 'Mailbox has CORRECT total quota usage' "$D/out" || fail "mbexamine -q: $(cat "$D/out")"
	# a message put there by hand is adopted; a link is not
	[ $form = text ] && user=user.fred || user=user/fred
	status 0 $T/mbpath $C $user
	dir=$(cat "$D/out")
	[ -d "$dir" ] || fail "mbpath: $dir"
	[ "$($T/mbpath $C -p "$dir/")" = "$dir" ] || fail "mbpath -p $dir"
	[ -z "$($T/mbpath $C -q -p /)" ] || fail "mbpath -p /"
	printf 'Subject: hello\r\n\r\nhello\r\n' >"$dir/3."
	ln -s /etc/passwd "$dir/4."
	status 0 $T/reconstruct $C $user
	grep -q '^user.fred uid 3 found - adding$' "$D/out" || fail "reconstruct: $(cat "$D/out")"
	grep -q "^user.fred odd file $dir/4.\$" "$D/out" || fail "reconstruct: $(cat "$D/out")"
	status 0 $T/mbexamine $C $user
	grep -q '^  Number of Messages: 1  Mailbox Size: 25 bytes' "$D/out" || fail "mbexamine: $(cat "$D/out")"
	# -x removes what was dumped
	status 0 $T/ctl_mboxlist $C -d -x
	status 0 $T/ctl_mboxlist $C -v
	grep -q 'but no DB entry$' "$D/out" || fail "-v misses an entry"
done

# bad input: told, passed over, 65
store bad
printf 'nopartition\na\t0\nb\t0 default\nc\t0 default x\tlrs\t\nd..e\t0 default x\tlrs\t\n' >"$D/text.dump"
status 65 sh -c "$T/ctl_mboxlist $C -u <$D/text.dump"
grep -q '^line 1: no partition found$' "$D/err" || fail "$(cat "$D/err")"
grep -q '^line 3: no acl found$' "$D/err" || fail "$(cat "$D/err")"
for text in '{' '{"a"' '[1]' '{"a": {"acl": {}}}' '{"a": {"acl": {}, "partition": "default", "mbtype": "?"}}' '{"a": {"acl": {}, "partition": "default", "mtime": "x"}}'; do
	printf '%s' "$text" >"$D/json.dump"
	status 65 sh -c "$T/ctl_mboxlist $C -u <$D/json.dump"
done

# no option is parsed and ignored
for o in '-V 13' -d -M -I -P; do status 64 $T/reconstruct $C $o; grep -q 'not supported' "$D/err" || fail "$o"; done
status 75 $T/reconstruct $C -m
status 75 $T/ctl_mboxlist $C -m
status 1 $T/ctl_mboxlist $C
status 64 $T/quota $C -Z
