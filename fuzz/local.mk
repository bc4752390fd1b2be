# fuzz: see the head of Makefile.am

# database files
check_PROGRAMS += fuzz_twoskip
TESTS += fuzz_twoskip
fuzz_twoskip_SOURCES = fuzz/fuzz_twoskip.c
fuzz_twoskip_LDADD = $(LIB_LIBS)
EXTRA_DIST += fuzz/corpus/twoskip

# messages: parser, cache records, sections
check_PROGRAMS += fuzz_message
TESTS += fuzz_message
fuzz_message_SOURCES = fuzz/fuzz_message.c
fuzz_message_LDADD = $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/message
