# fuzz: see the head of Makefile.am. Each target without a fuzzer runs its corpus and variations of it: replay.h
FUZZ_REPLAY = fuzz/replay.c fuzz/replay.h

# `make fuzz`, in a build with --enable-fuzzer: each target for FUZZ_SECONDS from its corpus; what it finds is kept in fuzz-found/.
FUZZ_SECONDS = 60
FUZZ_TARGETS = twoskip skiplist flat quotalegacy $(FUZZ_SQLITE) cyrusconf message lmtpaddr imapargs prot acl mailbox
fuzz: $(FUZZ_TARGETS:%=fuzz_%)
	@test -n "$(FUZZ_LDFLAGS)" || { echo "configure with CC=clang --enable-fuzzer first"; exit 1; }
	@$(MKDIR_P) fuzz-found; failed=; for t in $(FUZZ_TARGETS); do \
		$(MKDIR_P) fuzz-found/$$t; \
		./fuzz_$$t -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
			-artifact_prefix=fuzz-found/$$t- fuzz-found/$$t $(srcdir)/fuzz/corpus/$$t > fuzz-found/$$t.log 2>&1 || failed="$$failed $$t"; \
		echo "fuzz_$$t: $$(sed -n 's/^stat::number_of_executed_units: *//p' fuzz-found/$$t.log) runs"; \
	done; test -z "$$failed" || { echo "failed:$$failed (see fuzz-found/)"; exit 1; }
.PHONY: fuzz

# database files
check_PROGRAMS += fuzz_twoskip
TESTS += fuzz_twoskip
fuzz_twoskip_SOURCES = fuzz/fuzz_twoskip.c $(FUZZ_REPLAY)
fuzz_twoskip_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
EXTRA_DIST += fuzz/corpus/twoskip

FUZZ_DB = fuzz/fuzz_db.h $(FUZZ_REPLAY)
check_PROGRAMS += fuzz_skiplist fuzz_flat fuzz_quotalegacy
TESTS += fuzz_skiplist fuzz_flat fuzz_quotalegacy
fuzz_skiplist_SOURCES = fuzz/fuzz_skiplist.c $(FUZZ_DB)
fuzz_skiplist_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
fuzz_flat_SOURCES = fuzz/fuzz_flat.c $(FUZZ_DB)
fuzz_flat_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
fuzz_quotalegacy_SOURCES = fuzz/fuzz_quotalegacy.c $(FUZZ_DB)
fuzz_quotalegacy_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
if BDB
# Neither among the tests nor in `make fuzz`: what it finds are faults of the library's own on damaged pages. By hand: ./fuzz_berkeley
check_PROGRAMS += fuzz_berkeley
fuzz_berkeley_SOURCES = fuzz/fuzz_berkeley.c $(FUZZ_DB)
fuzz_berkeley_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
endif
if SQLITE
FUZZ_SQLITE = sqlite
check_PROGRAMS += fuzz_sqlite
TESTS += fuzz_sqlite
fuzz_sqlite_SOURCES = fuzz/fuzz_sqlite.c $(FUZZ_DB)
fuzz_sqlite_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
endif
EXTRA_DIST += fuzz/corpus/skiplist fuzz/corpus/flat fuzz/corpus/quotalegacy fuzz/corpus/berkeley fuzz/corpus/sqlite

# cyrus.conf
check_PROGRAMS += fuzz_cyrusconf
fuzz_cyrusconf_SOURCES = fuzz/fuzz_cyrusconf.c $(FUZZ_REPLAY)
fuzz_cyrusconf_LDADD = $(FUZZ_LDFLAGS) libmaster.a $(LIB_LIBS) -lm
TESTS += fuzz_cyrusconf
EXTRA_DIST += fuzz/corpus/cyrusconf

# messages: parser, cache records, sections
check_PROGRAMS += fuzz_message
TESTS += fuzz_message
fuzz_message_SOURCES = fuzz/fuzz_message.c $(FUZZ_REPLAY)
fuzz_message_LDADD = $(FUZZ_LDFLAGS) $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/message

# LMTP: addresses, xtext, the message filter
check_PROGRAMS += fuzz_lmtpaddr
TESTS += fuzz_lmtpaddr
fuzz_lmtpaddr_SOURCES = fuzz/fuzz_lmtpaddr.c $(FUZZ_REPLAY)
fuzz_lmtpaddr_LDADD = $(FUZZ_LDFLAGS) liblmtp.a libproto.a $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/lmtpaddr

# arguments of FETCH and SEARCH
check_PROGRAMS += fuzz_imapargs
TESTS += fuzz_imapargs
fuzz_imapargs_SOURCES = fuzz/fuzz_imapargs.c $(FUZZ_REPLAY) imap/imapd/args.c imap/imapd/fetch_parse.c imap/imapd/search_parse.c
fuzz_imapargs_CPPFLAGS = $(AM_CPPFLAGS)
fuzz_imapargs_LDADD = $(FUZZ_LDFLAGS) $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/imapargs

# lines and literals, access control lists, the files of a mailbox
check_PROGRAMS += fuzz_prot fuzz_acl fuzz_mailbox
TESTS += fuzz_prot fuzz_acl fuzz_mailbox
fuzz_prot_SOURCES = fuzz/fuzz_prot.c $(FUZZ_REPLAY)
fuzz_prot_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
fuzz_acl_SOURCES = fuzz/fuzz_acl.c $(FUZZ_REPLAY)
fuzz_acl_LDADD = $(FUZZ_LDFLAGS) $(LIB_LIBS)
fuzz_mailbox_SOURCES = fuzz/fuzz_mailbox.c $(FUZZ_REPLAY)
fuzz_mailbox_LDADD = $(FUZZ_LDFLAGS) $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/prot fuzz/corpus/acl fuzz/corpus/mailbox
