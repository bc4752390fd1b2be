/* map.h - a read-only view of a file that grows with it. */
#ifndef CAMB_MAP_H
#define CAMB_MAP_H
#include <stddef.h>

struct map {
	const char *base;        /* NULL while nothing is mapped (also for an empty file) */
	size_t len;              /* bytes that may be read */
	size_t mapped;           /* private: bytes of address space held */
	int fd;                  /* private: the descriptor the view was made from */
};
#define MAP_INIT { NULL, 0, 0, -1 }

/* Makes at least `len` bytes of the file readable. The caller has checked that the file is that long; if somebody
 * truncates it afterwards, reading past its end raises SIGBUS: only map files whose writers never shrink them in
 * place. 0, or -1 and errno. Pointers from before stay valid only if base did not change. */
int map_refresh(struct map *m, int fd, size_t len);
void map_free(struct map *m);        /* unmaps; does not close the descriptor */
#endif
