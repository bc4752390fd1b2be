/* replay.h - the main() of a fuzz target without a fuzzer: `make check` runs its corpus and variations of it. The real thing is
 * `make fuzz` in a build with --enable-fuzzer (doc/HACKING.md). */
#ifndef CAMB_FUZZ_REPLAY_H
#define CAMB_FUZZ_REPLAY_H
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What each target says of itself. */
extern const struct replay {
	const char *corpus;              /* folder in fuzz/corpus */
	size_t least;                    /* fewer inputs than that is a failure: the corpus got lost */
	const char *with;                /* bytes that mean something to the parser, NUL aside */
	size_t most;                     /* inputs longer than that are run whole and with their end cut off, not changed */
	size_t step;                     /* every how many bytes a change is tried; 1 unless a run costs disk writes */
} replay;
#endif
