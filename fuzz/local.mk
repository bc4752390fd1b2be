# fuzz: see the head of Makefile.am

# cyrus.conf: the seeds are replayed by every `make check`; build with clang -fsanitize=fuzzer for the real thing.
check_PROGRAMS += fuzz_cyrusconf
fuzz_cyrusconf_SOURCES = fuzz/fuzz_cyrusconf.c
fuzz_cyrusconf_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_REPLAY
fuzz_cyrusconf_LDADD = libmaster.a $(LIB_LIBS) -lm
TESTS += fuzz/replay_cyrusconf.sh
EXTRA_DIST += fuzz/replay_cyrusconf.sh fuzz/seeds/cyrusconf
