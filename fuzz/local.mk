# fuzz: see the head of Makefile.am

# messages: parser, cache records, sections
check_PROGRAMS += fuzz_message
TESTS += fuzz_message
fuzz_message_SOURCES = fuzz/fuzz_message.c
fuzz_message_LDADD = $(STORE_LIBS)
EXTRA_DIST += fuzz/corpus/message
