/* replay.c - see replay.h. */
#include "replay.h"
#include "base/buf.h"
#include "sys/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef WITH_LIBFUZZER
enum { DENSE = 400 };                    /* bytes from the start at which everything is tried; then here and there */

static void change(uint8_t *p, size_t n, size_t i)
{
	uint8_t was = p[i];
	for (const char *c = replay.with;; c++) {
		p[i] = (uint8_t)*c;
		LLVMFuzzerTestOneInput(p, n);
		if (!*c) break;
	}
	p[i] = (uint8_t)(was ^ 1 << i % 8);
	LLVMFuzzerTestOneInput(p, n);
	p[i] = 0xff;
	LLVMFuzzerTestOneInput(p, n);
	p[i] = was;
}

static void vary(uint8_t *p, size_t n)
{
	const size_t step = replay.step;
	LLVMFuzzerTestOneInput(p, n);
	for (size_t cut = 1; cut < 64 && cut <= n; cut++) LLVMFuzzerTestOneInput(p, n - cut);
	if (n > replay.most) return;
	for (size_t i = 0; i < n; i += i < DENSE ? step : 61) LLVMFuzzerTestOneInput(p, i);
	for (size_t i = 0; i < n; i += i < DENSE ? step : step + 12) change(p, n, i);
	for (int first = 0; n && first < 256 && step == 1; first++) {         /* often it chooses what the rest is */
		uint8_t was = p[0];
		p[0] = (uint8_t)first;
		LLVMFuzzerTestOneInput(p, n);
		p[0] = was;
	}
}

/* The input has a place of its own, of its very size, so that a read beyond it is seen. */
static size_t run(const char *path)
{
	struct buf b = BUF_INIT;
	if (file_read(path, 1 << 24, &b) < 0) {
		perror(path);
		return 0;
	}
	uint8_t *p = malloc(b.len ? b.len : 1);
	if (p && b.len) memcpy(p, b.s, b.len);
	if (p) vary(p, b.len);
	free(p);
	buf_free(&b);
	return 1;
}

static size_t run_folder(const char *folder)
{
	struct buf path = BUF_INIT;
	size_t n = 0;
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.') continue;
		buf_reset(&path);
		buf_printf(&path, "%s/%s", folder, e->d_name);
		n += run(buf_cstr(&path));
	}
	if (d) closedir(d);
	buf_free(&path);
	return n;
}

/* Without arguments the corpus, else these files. */
int main(int argc, char **argv)
{
	struct buf folder = BUF_INIT;
	const char *src = getenv("srcdir");
	size_t n = 0, least = argc > 1 ? (size_t)argc - 1 : replay.least;
	for (int i = 1; i < argc; i++) n += run(argv[i]);
	buf_printf(&folder, "%s/fuzz/corpus/%s", src ? src : ".", replay.corpus);
	if (argc == 1) n = run_folder(buf_cstr(&folder));
	buf_free(&folder);
	printf("%zu inputs replayed\n", n);
	return n < least;
}
#endif
