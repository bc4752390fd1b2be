/* walk.c - the store's walk over a directory, for bench/walk.py: prints its counts and the time it took, best of N. -s: lstat of
 * files too. */
#include "sys/clock.h"
#include "sys/dirwalk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int visit(void *arg, const struct dirwalk_entry *e)
{
	*(size_t *)arg += strlen(e->path);
	return 0;
}

int main(int argc, char **argv)
{
	int at = argc > 1 && !strcmp(argv[1], "-s"), times = argc > at + 2 ? atoi(argv[at + 2]) : 1;
	size_t bytes = 0;
	int64_t best = INT64_MAX;
	if (argc < at + 2) {
		fprintf(stderr, "usage: bench_walk [-s] DIRECTORY [TIMES]\n");
		return 2;
	}
	const char *root = argv[at + 1];
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = at ? DIRWALK_STAT : 0, .entry = visit,
		.arg = &bytes };
	while (times-- > 0) {
		int64_t start = clock_mono();
		if (dirwalk_run(&w)) {
			perror(root);
			return 1;
		}
		int64_t took = clock_mono() - start;
		if (took < best) best = took;
	}
	printf("%llu %llu %llu %.6f\n", (unsigned long long)w.n.dirs, (unsigned long long)w.n.entries, (unsigned long long)w.n.calls,
		(double)best / 1e9);
	return 0;
}
