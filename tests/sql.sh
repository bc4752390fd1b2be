#!/bin/sh
# The suite of all database engines against a PostgreSQL server of its own: in a scratch folder, on a UNIX socket only. Needs a build
# --with-pgsql and the server's programs (Debian: postgresql-15, never its cluster); skipped (77) without.
set -eu
[ -x ./check_dbcontract ] && grep -q 'define HAVE_PGSQL 1' config.h 2>/dev/null || exit 77
BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
[ -n "$BIN" ] && command -v psql >/dev/null || exit 77
D=$(mktemp -d /tmp/sql.XXXXXX)
AS=
if [ "$(id -u)" = 0 ]; then
	id postgres >/dev/null 2>&1 || exit 77
	chown postgres "$D"
	AS="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
trap '$AS "$BIN/pg_ctl" -D "$D/data" -m immediate stop >/dev/null 2>&1 || :; rm -rf "$D"' EXIT
cd "$D" && $AS "$BIN/initdb" -D "$D/data" -U tester -A trust >"$D/initdb.log" 2>&1
$AS "$BIN/pg_ctl" -D "$D/data" -w -l "$D/server.log" -o "-k $D -c listen_addresses='' -c fsync=off" start >/dev/null
cd - >/dev/null
PGUSER=tester DBTEST_PGSQL=$D ./check_dbcontract
