/* paths.c - see paths.h. */
#include "store/paths.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The word in metapartition_files, and the KIND of the metadir-KIND-NAME override ("annotations" uses index: spec 1.1). */
static const struct { const char *word, *metadir; } kinds[META_KINDS] = {
	[META_DATA] = { NULL, NULL }, [META_HEADER] = { "header", "header" }, [META_INDEX] = { "index", "index" },
	[META_CACHE] = { "cache", "cache" }, [META_EXPUNGE] = { "expunge", NULL }, [META_SQUAT] = { "squat", "squat" },
	[META_ANNOTATIONS] = { "annotations", "index" },
};

static bool on_metapartition(const struct conf *c, const char *word)
{
	char *all = conf_show(c, OPT_METAPARTITION_FILES);
	struct strarray words = STRARRAY_INIT;
	if (all) strarray_split(&words, all, " \t");
	bool found = strarray_find(&words, word) >= 0;
	strarray_free(&words);
	free(all);
	return found;
}

const char *path_root(const struct store *st, const char *partition, enum meta_kind kind)
{
	const char *root = NULL;
	if (!partition || strlen(partition) > 64) return NULL;
	if (kinds[kind].metadir) {
		char key[96];
		snprintf(key, sizeof key, "metadir-%s-%s", kinds[kind].metadir, partition);
		root = conf_overflow(st->conf, key);
	}
	if (!root && kinds[kind].word && on_metapartition(st->conf, kinds[kind].word))
		root = conf_partition(st->conf, "metapartition-", partition);
	return root ? root : conf_partition(st->conf, "partition-", partition);
}

static void put_dir(struct buf *out, const char *s)
{
	buf_puts(out, s);
	while (out->len > 1 && out->s[out->len - 1] == '/') out->len--;
}

/* The letter of the second component, or of the only one. 3.6 hashes names with real dots, so under fulldirhash its letter for
 * user.fred^smith is that of "fred"; 2.5 hashes all of "fred^smith" (seen in stores of both). */
static char spool_hash(const struct store *st, const char *internal, bool full)
{
	const char *dot = strchr(internal, '.');
	char *part = mem_strdup(dot ? dot + 1 : internal);
	part[strcspn(part, st->ns.level == LEVEL_36 ? ".^" : ".")] = 0;
	char c = dir_hash_c(part, full);
	free(part);
	return c;
}

void path_by_name(const struct store *st, const char *root, const char *internal, struct buf *out)
{
	bool hash = conf_bool(st->conf, OPT_HASHIMAPSPOOL), full = conf_bool(st->conf, OPT_FULLDIRHASH);
	const char *bang = st->ns.virtdomains || st->ns.level == LEVEL_36 ? strchr(internal, '!') : NULL;
	put_dir(out, root);
	if (bang) {
		char *domain = mem_dup(internal, (size_t)(bang - internal));
		buf_puts(out, "/domain/");
		if (hash) buf_printf(out, "%c/", dir_hash_c(domain, full));
		buf_puts(out, domain);
		free(domain);
		internal = bang + 1;
	}
	if (hash) {
		buf_printf(out, "/%c", spool_hash(st, internal, full));
	}
	buf_putc(out, '/');
	for (const char *p = internal; *p; p++) buf_putc(out, *p == '.' ? '/' : *p);
}

void path_by_id(const char *root, const char *id, struct buf *out)
{
	put_dir(out, root);
	buf_printf(out, "/uuid/%c/%c/%s", id[0], id[0] ? id[1] : '_', id);
}

int path_mailbox(struct store *st, const struct mbentry *e, enum meta_kind kind, const char *file, struct buf *out)
{
	const char *root = path_root(st, e->partition, kind);
	size_t start = out->len;
	if (!root) return ERR_PARTITION;
	st->layout->mailbox_dir(st, e, root, out);
	if (file) buf_printf(out, "/%s", file);
	return out->len - start < PATH_MAX - 16 ? 0 : ERR_BADNAME;
}

int path_message(struct store *st, const struct mbentry *e, uint32_t uid, struct buf *out)
{
	char file[16];
	snprintf(file, sizeof file, "%u.", uid);
	return path_mailbox(st, e, META_DATA, file, out);
}

void path_user_by_name(const struct store *st, const char *domain, const char *part, const char *suffix, struct buf *out)
{
	bool full = conf_bool(st->conf, OPT_FULLDIRHASH);
	put_dir(out, conf_dir(st->conf));
	if (domain) buf_printf(out, "/domain/%c/%s", dir_hash_c(domain, full), domain);
	if (part) buf_printf(out, "/user/%c/%s.%s", dir_hash_c(part, full), part, suffix);
	else buf_printf(out, "/shared.%s", suffix);
}

void path_conf(const struct store *st, enum conf_opt override, const char *file, struct buf *out)
{
	const char *path = conf_str(st->conf, override);
	if (path) {
		buf_puts(out, path);
		return;
	}
	put_dir(out, conf_dir(st->conf));
	buf_printf(out, "/%s", file);
}

bool path_sieve(struct store *st, const struct mbentry *inbox, struct buf *out)
{
	const char *dir = conf_str(st->conf, OPT_SIEVEDIR), *id = inbox->uniqueid;
	bool full = conf_bool(st->conf, OPT_FULLDIRHASH);
	if (!dir || !inbox->parts.localpart || conf_bool(st->conf, OPT_SIEVEUSEHOMEDIR)) return false;
	if (st->layout->level == LEVEL_36 && !(inbox->flags & MBENTRY_LEGACYDIRS)) {
		if (!id || !id[0]) return false;
		path_by_id(dir, id, out);
		return true;
	}
	char *part = mem_strdup(inbox->parts.localpart);
	for (char *p = part; st->layout->level == LEVEL_25 && *p; p++)
		if (*p == '.') *p = '^';
	put_dir(out, dir);
	if (inbox->parts.domain) buf_printf(out, "/domain/%c/%s", dir_hash_c(inbox->parts.domain, full), inbox->parts.domain);
	buf_printf(out, "/%c/%s", dir_hash_c(part, full), part);
	free(part);
	return true;
}
