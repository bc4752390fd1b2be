/* partition.c - where a new mailbox goes (spec/mailbox.md 1.8). */
#include "store/mailbox.h"
#include "base/mem.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "sys/file.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static bool known(struct store *st, const char *name) { return conf_partition(st->conf, "partition-", name) != NULL; }

/* That of the nearest existing mailbox above. */
static char *parent_partition(struct store *st, const struct mbname *n)
{
	struct mbname up;
	char *found = NULL;
	if (n->deleted) return NULL;
	mbname_copy(&up, n);
	while (!found && up.boxes.n) {
		struct mbentry e;
		strarray_remove(&up.boxes, up.boxes.n - 1);
		if (!up.boxes.n && !up.localpart) break;
		if (mboxlist_lookup_parts(st, &up, &e)) continue;
		if (e.partition && !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE))) found = mem_strdup(e.partition);
		mbentry_free(&e);
	}
	mbname_free(&up);
	return found;
}

struct choice {
	struct store *st;
	struct strarray excluded, names;
	double *weight;
	size_t weight_alloc;
	unsigned long fsid[64];
	size_t nfsid;
	const char *mode;
};

static void consider(void *arg, const char *key, const char *value)
{
	struct choice *c = arg;
	struct statvfs v;
	const char *name = key + strlen("partition-");
	if (strncmp(key, "partition-", strlen("partition-")) || strarray_find(&c->excluded, name) >= 0) return;
	file_mkdirs(value, 0755);
	double percent = 0, free_kib = 0;
	if (statvfs(value, &v) == 0 && v.f_blocks) {
		percent = 100.0 * (double)v.f_bavail / (double)v.f_blocks;
		free_kib = (double)v.f_bavail * (double)v.f_frsize / 1024;
		if (strstr(c->mode, "-most")) {
			for (size_t i = 0; i < c->nfsid; i++)
				if (c->fsid[i] == v.f_fsid) return;
			if (c->nfsid < 64) c->fsid[c->nfsid++] = v.f_fsid;
		}
	}
	strarray_append(&c->names, name);
	MEM_GROW(c->weight, c->weight_alloc, c->names.n);
	c->weight[c->names.n - 1] = !strcmp(c->mode, "freespace-most") ? free_kib : percent;
}

static double random_below(double top)
{
	uint32_t v;
	RAND_bytes((unsigned char *)&v, sizeof v);
	return top * ((double)v / 4294967296.0);
}

static size_t pick(struct choice *c)
{
	size_t n = c->names.n, best = 0;
	if (!strcmp(c->mode, "random")) return (size_t)random_below((double)n);
	if (!strncmp(c->mode, "freespace-percent-weighted", 26)) {
		double least = c->weight[0], sum = 0;
		for (size_t i = 1; i < n; i++) least = c->weight[i] < least ? c->weight[i] : least;
		if (!strcmp(c->mode + 26, "-delta"))
			for (size_t i = 0; i < n; i++) c->weight[i] += 0.5 - least;
		for (size_t i = 0; i < n; i++) sum += c->weight[i];
		double at = random_below(sum);
		for (best = 0; best + 1 < n && (at -= c->weight[best]) >= 0; best++) ;
		return best;
	}
	for (size_t i = 1; i < n; i++)
		if (c->weight[i] > c->weight[best]) best = i;
	return best;
}

static char *choose_by_space(struct store *st)
{
	struct choice c = { .st = st, .mode = conf_word(st->conf, OPT_PARTITION_SELECT_MODE) };
	const char *excluded = conf_str(st->conf, OPT_PARTITION_SELECT_EXCLUDE);
	long limit = conf_int(st->conf, OPT_PARTITION_SELECT_SOFT_USAGE_LIMIT);
	strarray_split(&c.excluded, excluded ? excluded : "", " \t,");
	conf_each_overflow(st->conf, consider, &c);
	if (limit > 0 && strcmp(c.mode, "freespace-most") && strcmp(c.mode, "random")) {
		size_t roomy = 0;
		for (size_t i = 0; i < c.names.n; i++) roomy += c.weight[i] > 100 - limit;
		for (size_t i = c.names.n; roomy && i-- > 0;)
			if (c.weight[i] <= 100 - limit) {
				strarray_remove(&c.names, i);
				memmove(c.weight + i, c.weight + i + 1, (c.names.n - i) * sizeof *c.weight);
			}
	}
	char *name = c.names.n ? mem_strdup(c.names.v[pick(&c)]) : NULL;
	strarray_free(&c.names);
	strarray_free(&c.excluded);
	free(c.weight);
	return name;
}

char *partition_choose(struct store *st, const struct mbname *n, const char *wanted)
{
	if (wanted) return known(st, wanted) ? mem_strdup(wanted) : NULL;
	char *p = parent_partition(st, n);
	if (p) return p;
	const char *dflt = conf_str(st->conf, OPT_DEFAULTPARTITION);
	if (dflt) return known(st, dflt) ? mem_strdup(dflt) : NULL;
	return choose_by_space(st);
}
