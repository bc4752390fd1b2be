/* dirwalk_set.c - the directories a walk has entered. An open table of device and inode, its hash keyed like all others: who can
 * choose inode numbers (a file server, FUSE) must not choose collisions. */
#include "base/hash.h"
#include "base/mem.h"
#include "sys/dirwalk_priv.h"

#include <stdlib.h>

static struct dirset_entry *place(struct dirset_entry *v, size_t alloc, dev_t dev, ino_t ino)
{
	uint64_t id[2] = { (uint64_t)dev, (uint64_t)ino };
	size_t i = (size_t)hash_bytes(id, sizeof id) & (alloc - 1);
	while (v[i].ino && (v[i].ino != ino || v[i].dev != dev)) i = (i + 1) & (alloc - 1);
	return &v[i];
}

static void grow(struct dirset *s)
{
	size_t alloc = s->alloc ? s->alloc * 2 : 64;
	struct dirset_entry *v = mem_zalloc(alloc * sizeof *v);
	for (size_t i = 0; i < s->alloc; i++)
		if (s->v[i].ino) *place(v, alloc, s->v[i].dev, s->v[i].ino) = s->v[i];
	free(s->v);
	s->v = v;
	s->alloc = alloc;
}

bool dirset_add(struct dirset *s, dev_t dev, ino_t ino)
{
	if (!ino) return true;                        /* no directory has it; depth and entries still bound the walk */
	if (s->n >= s->alloc / 4 * 3) grow(s);
	struct dirset_entry *p = place(s->v, s->alloc, dev, ino);
	if (p->ino) return false;
	*p = (struct dirset_entry){ dev, ino };
	s->n++;
	return true;
}

void dirset_free(struct dirset *s)
{
	free(s->v);
	*s = (struct dirset){ 0 };
}
