/* map.c - see map.h. Maps a little more than asked so that a growing file is not mapped anew at each append. */
#include "sys/map.h"

#include <stdint.h>
#include <sys/mman.h>

enum { SLACK = 16384 };

int map_refresh(struct map *m, int fd, size_t len)
{
	if (m->base && m->fd == fd && len <= m->mapped) {
		m->len = len;
		return 0;
	}
	map_free(m);
	m->fd = fd;
	if (!len) return 0;
	size_t want = len > SIZE_MAX - SLACK ? len : (len + SLACK - 1) / SLACK * SLACK + SLACK;
	void *p = mmap(NULL, want, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) return -1;
	m->base = p;
	m->mapped = want;
	m->len = len;
	return 0;
}

void map_free(struct map *m)
{
	if (m->base) munmap((void *)(uintptr_t)m->base, m->mapped);
	*m = (struct map)MAP_INIT;
}
