# fuzz: see the head of Makefile.am

# database files
check_PROGRAMS += fuzz_twoskip
TESTS += fuzz_twoskip
fuzz_twoskip_SOURCES = fuzz/fuzz_twoskip.c
fuzz_twoskip_LDADD = $(LIB_LIBS)
EXTRA_DIST += fuzz/corpus/twoskip

# cyrus.conf: the seeds are replayed by every `make check`; build with clang -fsanitize=fuzzer for the real thing.
check_PROGRAMS += fuzz_cyrusconf
fuzz_cyrusconf_SOURCES = fuzz/fuzz_cyrusconf.c
fuzz_cyrusconf_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_REPLAY
fuzz_cyrusconf_LDADD = libmaster.a $(LIB_LIBS) -lm
TESTS += fuzz/replay_cyrusconf.sh
EXTRA_DIST += fuzz/replay_cyrusconf.sh fuzz/corpus/cyrusconf

# messages: parser, cache records, sections
check_PROGRAMS += fuzz_message
TESTS += fuzz_message
fuzz_message_SOURCES = fuzz/fuzz_message.c
fuzz_message_LDADD = $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/message

# LMTP: addresses, xtext, the message filter
check_PROGRAMS += fuzz_lmtpaddr
TESTS += fuzz_lmtpaddr
fuzz_lmtpaddr_SOURCES = fuzz/fuzz_lmtpaddr.c
fuzz_lmtpaddr_LDADD = liblmtp.a libproto.a $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/lmtpaddr

# arguments of FETCH and SEARCH
check_PROGRAMS += fuzz_imapargs
TESTS += fuzz_imapargs
fuzz_imapargs_SOURCES = fuzz/fuzz_imapargs.c imap/imapd/args.c imap/imapd/fetch_parse.c imap/imapd/search_parse.c
fuzz_imapargs_CPPFLAGS = $(AM_CPPFLAGS)
fuzz_imapargs_LDADD = $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/imapargs

# lines and literals, access control lists, the files of a mailbox
check_PROGRAMS += fuzz_prot fuzz_acl fuzz_mailbox
TESTS += fuzz_prot fuzz_acl fuzz_mailbox
fuzz_prot_SOURCES = fuzz/fuzz_prot.c
fuzz_prot_LDADD = $(LIB_LIBS)
fuzz_acl_SOURCES = fuzz/fuzz_acl.c
fuzz_acl_LDADD = $(LIB_LIBS)
fuzz_mailbox_SOURCES = fuzz/fuzz_mailbox.c
fuzz_mailbox_LDADD = $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/prot fuzz/corpus/acl fuzz/corpus/mailbox
