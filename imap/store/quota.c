/* quota.c - see quota.h. */
#include "store/quota.h"
#include "base/err.h"
#include "base/log.h"
#include "db/dbconf.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/audit.h"
#include "store/dlist.h"
#include "store/layout.h"
#include "store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct quota_resource_info quota_resources[QUOTA_RESOURCES] = {
	[QUOTA_STORAGE] = { "STORAGE", "S", 1024 }, [QUOTA_MESSAGE] = { "MESSAGE", "M", 1 },
	[QUOTA_ANNOTSTORAGE] = { "X-ANNOTATION-STORAGE", "AS", 1024 }, [QUOTA_NUMFOLDERS] = { "X-NUM-FOLDERS", "NF", 1 },
};

static void init(struct quota *q)
{
	*q = (struct quota){ 0 };
	for (int i = 0; i < QUOTA_RESOURCES; i++) q->limit[i] = QUOTA_UNLIMITED;
}

void quota_free(struct quota *q)
{
	free(q->scan_mbox);
	q->scan_mbox = NULL;
}

/* ------------------------------------------------------------------------------------------------ the record */

static bool value_i64(const struct dlist *d, int64_t *v)
{
	uint64_t u;
	const char *s = d && d->kind == DLIST_STRING ? d->s : NULL;
	if (!s) return false;
	bool minus = *s == '-';
	if (!num_str_u64(s + minus, &u) || u > INT64_MAX) return false;
	*v = minus ? -(int64_t)u : (int64_t)u;
	return true;
}

static int parse_kvlist(const char *p, size_t len, struct quota *q)
{
	struct arena *a = arena_new();
	struct dlist *d = dlist_parse(a, &p, p + len);
	int r = d && d->kind == DLIST_KVLIST ? 0 : ERR_BADFORMAT;
	for (int i = 0; !r && i < QUOTA_RESOURCES; i++) {
		const struct dlist *list = dlist_get(d, quota_resources[i].key);
		int64_t used = 0;
		if (!list || list->kind != DLIST_LIST || !list->head) continue;
		if (!value_i64(list->head, &used)) r = ERR_BADFORMAT;
		q->used[i] = used > 0 ? (uint64_t)used : 0;
		if (list->head->next && !value_i64(list->head->next, &q->limit[i])) r = ERR_BADFORMAT;
		if (q->limit[i] < 0) q->limit[i] = QUOTA_UNLIMITED;
	}
	const struct dlist *scan = r ? NULL : dlist_get(d, "SCAN");
	const char *mbox = scan ? dlist_str(scan, "MBOX") : NULL;
	if (mbox) {
		q->scan_mbox = mem_strdup(mbox);
		for (int i = 0; i < QUOTA_RESOURCES; i++) value_i64(dlist_get(scan, quota_resources[i].key), &q->scan[i]);
	}
	if (!r) q->has_modseq = dlist_u64(d, "MODSEQ", &q->modseq);
	arena_free(a);
	return r;
}

/* "used limit [scan] [M used limit [scan]] ...": white-space separated, storage first */
static int parse_historical(const char *p, size_t len, struct quota *q)
{
	char *copy = mem_dup(p, len), *save = NULL;
	int res = QUOTA_STORAGE, field = 0, r = 0;
	for (char *w = strtok_r(copy, " \t\r\n", &save); w && !r; w = strtok_r(NULL, " \t\r\n", &save)) {
		bool number = (*w >= '0' && *w <= '9') || *w == '-';
		if (!number) {
			for (res = 0; res < QUOTA_RESOURCES && strcasecmp(w, quota_resources[res].key); res++) ;
			if (res == QUOTA_RESOURCES) r = ERR_BADFORMAT;
			field = 0;
			continue;
		}
		long long v = strtoll(w, NULL, 10);
		if (field == 0) q->used[res] = v > 0 ? (uint64_t)v : 0;
		if (field == 1) q->limit[res] = v < 0 ? QUOTA_UNLIMITED : v;
		field++;
	}
	free(copy);
	return r ? r : field ? 0 : ERR_BADFORMAT;
}

int quota_parse(const char *p, size_t len, struct quota *q)
{
	init(q);
	int r = len && *p == '%' ? parse_kvlist(p, len, q) : parse_historical(p, len, q);
	if (r) quota_free(q);
	return r;
}

void quota_print(const struct quota *q, bool modseq, struct buf *b)
{
	buf_puts(b, "%(");
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		buf_printf(b, "%s%s (%llu", i ? " " : "", quota_resources[i].key, (unsigned long long)q->used[i]);
		if (q->limit[i] >= 0) buf_printf(b, " %lld", (long long)q->limit[i]);
		buf_putc(b, ')');
	}
	if (q->scan_mbox) {
		buf_puts(b, " SCAN %(MBOX ");
		dlist_put_str(b, q->scan_mbox);
		for (int i = 0; i < QUOTA_RESOURCES; i++) buf_printf(b, " %s %lld", quota_resources[i].key, (long long)q->scan[i]);
		buf_putc(b, ')');
	}
	if (modseq) buf_printf(b, " MODSEQ %llu", (unsigned long long)q->modseq);
	buf_putc(b, ')');
}

/* ------------------------------------------------------------------------------------------------ the database */

static int open_db(struct store *st, struct cyrusdb **db)
{
	struct buf path = BUF_INIT;
	path_conf(st, OPT_QUOTA_DB_PATH, "quotas.db", &path);
	int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_QUOTA_DB), buf_cstr(&path),
		CYRUSDB_CREATE | dbconf_sort_flag(st->conf), db);
	if (rc) log_msg(LOG_ERR, "DBERROR: opening %s: %s", buf_cstr(&path), cyrusdb_strerror(rc));
	buf_free(&path);
	if (rc) return ERR_IO;
	if (!st->quota_sorted && store_check_order(st, *db)) {          /* once in a process: it is opened all the time */
		cyrusdb_close(*db);
		return ERR_IO;
	}
	st->quota_sorted = true;
	return 0;
}

static int fetch(struct cyrusdb *db, const char *root, struct quota *q, struct cyrusdb_txn **txn)
{
	const char *val;
	size_t len;
	init(q);
	int rc = cyrusdb_fetch(db, root, strlen(root), &val, &len, txn);
	if (rc == CYRUSDB_NOTFOUND) return ERR_NOQUOTAROOT;
	if (rc) return ERR_IO;
	int r = quota_parse(val, len, q);
	if (r) log_msg(LOG_ERR, "DBERROR: quota root %s: damaged record", root);
	return r;
}

static int store_record(struct store *st, struct cyrusdb *db, const char *root, const struct quota *q, struct cyrusdb_txn **txn)
{
	struct buf b = BUF_INIT;
	quota_print(q, st->layout->level == LEVEL_36 || q->has_modseq, &b);
	int rc = cyrusdb_store(db, root, strlen(root), b.s, b.len, txn);
	buf_free(&b);
	return rc;
}

int quota_read(struct store *st, const char *root, struct quota *q)
{
	struct cyrusdb *db;
	init(q);
	int r = open_db(st, &db);
	if (r) return r;
	r = fetch(db, root, q, NULL);
	cyrusdb_close(db);
	return r;
}

int quota_write(struct store *st, const char *root, const struct quota *q)
{
	struct cyrusdb *db;
	int r = open_db(st, &db);
	if (r) return r;
	r = store_record(st, db, root, q, NULL) ? ERR_IO : 0;
	cyrusdb_close(db);
	return r;
}

int quota_delete(struct store *st, const char *root)
{
	struct cyrusdb *db;
	int r = open_db(st, &db);
	if (r) return r;
	int rc = cyrusdb_delete(db, root, strlen(root), NULL, false);
	cyrusdb_close(db);
	if (!rc) audit_quota(st, "rmquota", root, NULL);
	return rc && rc != CYRUSDB_NOTFOUND ? ERR_IO : 0;
}

struct change {
	struct store *st;
	const char *root;
	bool (*fn)(void *arg, struct quota *q);
	void *arg;
	int r;                            /* of reading the record */
};

static int try_change(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct change *c = arg;
	struct quota q;
	c->r = fetch(db, c->root, &q, txn);
	if (c->r) return CYRUSDB_DONE;
	int rc = c->fn(c->arg, &q) ? store_record(c->st, db, c->root, &q, txn) : CYRUSDB_DONE;
	quota_free(&q);
	return rc;
}

int quota_change(struct store *st, const char *root, bool (*change)(void *arg, struct quota *q), void *arg)
{
	struct cyrusdb *db;
	struct change c = { st, root, change, arg, 0 };
	int r = open_db(st, &db);
	if (r) return r;
	int rc = cyrusdb_transact(db, try_change, &c);
	cyrusdb_close(db);
	return rc && rc != CYRUSDB_DONE ? ERR_IO : c.r;
}

struct use { const char *mboxname; const int64_t *diff; };

static bool add_use(void *arg, struct quota *q)
{
	const struct use *u = arg;
	bool scanned = q->scan_mbox && strcmp(u->mboxname, q->scan_mbox) <= 0;
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		int64_t v = (int64_t)q->used[i] + u->diff[i];
		q->used[i] = v > 0 ? (uint64_t)v : 0;
		if (scanned) q->scan[i] += u->diff[i];
	}
	return true;
}

int quota_use(struct store *st, const char *root, const char *mboxname, const int64_t diff[QUOTA_RESOURCES])
{
	int r = quota_change(st, root, add_use, &(struct use){ mboxname, diff });
	if (r && r != ERR_NOQUOTAROOT)
		log_msg(LOG_ERR, "LOSTQUOTA: unable to record change of %lld bytes in quota %s", (long long)diff[QUOTA_STORAGE], root);
	return r;
}

int quota_check(struct store *st, const char *root, const int64_t diff[QUOTA_RESOURCES], enum quota_resource *over)
{
	struct quota q;
	if (!root) return 0;
	int r = quota_read(st, root, &q);
	if (r == ERR_NOQUOTAROOT) return 0;
	if (r) return r;
	for (int i = 0; i < QUOTA_RESOURCES && !r; i++) {
		if (q.limit[i] < 0 || diff[i] <= 0) continue;
		uint64_t limit = (uint64_t)q.limit[i] * quota_resources[i].unit;
		if (q.used[i] + (uint64_t)diff[i] > limit) {
			r = ERR_QUOTA;
			if (over) *over = (enum quota_resource)i;
		}
	}
	quota_free(&q);
	return r;
}

char *quota_find_root(struct store *st, const struct mbname *n)
{
	struct cyrusdb *db;
	char *found = NULL;
	if (n->deleted || open_db(st, &db)) return NULL;
	char *name = mbname_internal(n, &st->ns), *start = strchr(name, '!');
	start = start ? start + 1 : name;
	for (;;) {
		const char *val;
		size_t len;
		if (!cyrusdb_fetch(db, name, strlen(name), &val, &len, NULL)) {
			found = mem_strdup(name);
			break;
		}
		if (!*start) break;
		char *dot = strrchr(start, '.');
		if (dot) *dot = 0;
		else *start = 0;               /* the domain's own root, "dom!" */
		if (!*name || !strcmp(start, "user")) {
			if (start == name || !*start) break;
			*start = 0;
		}
	}
	free(name);
	cyrusdb_close(db);
	return found;
}

struct each { quota_cb *cb; void *arg; };

static int each_one(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct each *it = arg;
	struct quota q;
	char *root = mem_dup(key, keylen);
	int r = quota_parse(val, vallen, &q);
	if (r) log_msg(LOG_ERR, "DBERROR: quota root %s: damaged record", root);
	r = r ? 0 : it->cb(it->arg, root, &q);
	quota_free(&q);
	free(root);
	return r;
}

int quota_each(struct store *st, const char *prefix, quota_cb *cb, void *arg)
{
	struct cyrusdb *db;
	struct each it = { cb, arg };
	int r = open_db(st, &db);
	if (r) return r;
	r = cyrusdb_foreach(db, prefix, strlen(prefix), NULL, each_one, &it, NULL);
	cyrusdb_close(db);
	return r < 0 ? ERR_IO : r;
}
