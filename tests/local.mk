# tests: see the head of Makefile.am

TESTS += tests/master/run.sh
EXTRA_DIST += tests/master/run.sh tests/master/test_bad_input.py tests/master/test_check.py tests/master/test_library.py \
	tests/master/test_master.py tests/master/test_service.py tests/master/test_storm.py tests/master/test_watch.py

# `make check-slow`: the storms at full length, thousands of deaths for each database engine, and a directory of a million entries
check-slow: all $(check_PROGRAMS) $(check_DATA)
	srcdir=$(srcdir) STORM_SECONDS=60 python3 $(srcdir)/tests/master/test_storm.py
	test ! -x check_dbcrash || srcdir=$(srcdir) DBCRASH_ROUNDS=5000 CK_RUN_CASE=lost ./check_dbcrash
	test ! -x check_spool_walk || WALK_ENTRIES=1000000 CK_RUN_CASE=size ./check_spool_walk
.PHONY: check-slow

# For LD_PRELOAD: what programs under test say to syslog, in a file; a pselect() that is always interrupted. Built without the
# sanitizers, which want to come first.
check_DATA += tests/syslog_file.so tests/interrupt.so
tests/syslog_file.so: $(srcdir)/tests/lib/syslog_file.c
	$(AM_V_CC)$(MKDIR_P) tests && $(CC) -shared -fPIC -O1 -Wall -o $@ $(srcdir)/tests/lib/syslog_file.c
tests/interrupt.so: $(srcdir)/tests/lib/interrupt.c
	$(AM_V_CC)$(MKDIR_P) tests && $(CC) -shared -fPIC -O1 -Wall -o $@ $(srcdir)/tests/lib/interrupt.c -ldl
CLEANFILES += tests/syslog_file.so tests/interrupt.so
EXTRA_DIST += tests/lib/syslog_file.c tests/lib/interrupt.c

TESTS += tests/tools/db.sh
EXTRA_DIST += tests/tools/db.sh

TESTS += tests/tools/mailbox.sh tests/tools/golden.py tests/tools/rebuild.py
EXTRA_DIST += tests/tools/mailbox.sh tests/tools/golden.py tests/tools/rebuild.py
# lmtpd and deliver
TESTS += tests/lmtp.sh tests/lmtp_corpus.sh
EXTRA_DIST += tests/lmtp.sh tests/lmtp_corpus.sh tests/lmtplib.py tests/test_lmtp.py tests/test_lmtp_corpus.py

# quickstart, runtests
EXTRA_DIST += tests/lib/packages.bash tests/lib/summary.py
TESTS += tests/golden.sh
EXTRA_DIST += tests/golden.sh tests/golden_imap.py tests/golden_differences.json \
	cunit/golden/store-2.5.7.tar.xz cunit/golden/store-2.5.7-alt.tar.xz cunit/golden/store-3.6.1.tar.xz cunit/golden/store-3.6.1-alt.tar.xz \
	cunit/golden/expect-2.5.7 cunit/golden/expect-2.5.7-alt cunit/golden/expect-3.6.1 cunit/golden/expect-3.6.1-alt
TESTS += tests/run_fetch.sh
EXTRA_DIST += tests/run_fetch.sh tests/test_fetch.py

# IMAP from a client's side; Debian's Cyrus on the same store (needs $PEER_ROOT)
TESTS += tests/imap.sh tests/clients.sh tests/peer.sh
# LIST and its kin
TESTS += tests/list.sh tests/story.sh
EXTRA_DIST += tests/list.sh tests/test_list.py tests/test_list_peer.py tests/story.sh tests/test_story.py tests/dovecot.py
EXTRA_DIST += tests/clients.sh tests/imap.sh tests/instance.py tests/lib/peer.sh tests/lib/pytest.sh tests/peer.py \
	tests/peer.sh tests/raw.py tests/test_clients.py tests/test_imap.py tests/test_peer.py tests/test_peer_db.py \
	tests/test_peer_master.py
TESTS += tests/options.sh
EXTRA_DIST += tests/options.sh tests/test_options.py
# what tests/peer.sh unpacks
distclean-local:
	rm -rf peer peer.lock

TESTS += tests/conf_idle.py
EXTRA_DIST += tests/conf_idle.py

TESTS += tests/man_master.py
EXTRA_DIST += tests/man_master.py

# the TLS options; certificates by the openssl program
TESTS += tests/tls.sh
EXTRA_DIST += tests/tls.sh tests/test_tls.py

# tools over a spool with links and circles
TESTS += tests/walk.sh
EXTRA_DIST += tests/walk.sh tests/test_walk.py
TESTS += tests/map.py
EXTRA_DIST += tests/map.py

# the life of mailboxes and accounts
TESTS += tests/life.sh
EXTRA_DIST += tests/life.sh tests/test_life.py tests/test_life_peer.py

# reconstruct -f, ipurge, cyr_df
TESTS += tests/discover.sh
EXTRA_DIST += tests/discover.sh tests/test_discover.py

# annotations of mailboxes and of the server
TESTS += tests/metadata.sh
EXTRA_DIST += tests/metadata.sh tests/test_metadata.py tests/metadata.json
# every tool's options and its page; the tools over single tables
TESTS += tests/man_tools.py tests/tools/tables.py
EXTRA_DIST += tests/man_tools.py tests/tools/tables.py

# users denied, tools beside Debian's, ten turns, the recovery guide
TESTS += tests/tables.sh
EXTRA_DIST += tests/tables.sh tests/test_tables.py tests/test_peer_turns.py tests/test_recover.py

# the database engine sql with PostgreSQL
TESTS += tests/sql.sh
EXTRA_DIST += tests/sql.sh
