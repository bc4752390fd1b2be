# fuzz: see the head of Makefile.am

# replays files; a libFuzzer build compiles the same source with -DFUZZING -fsanitize=fuzzer
noinst_PROGRAMS += fuzz/fuzz_twoskip
fuzz_fuzz_twoskip_SOURCES = fuzz/fuzz_twoskip.c
fuzz_fuzz_twoskip_LDADD = $(LIB_LIBS)
