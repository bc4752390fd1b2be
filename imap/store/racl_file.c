/* racl_file.c - see racl_file.h. */
#include "store/racl_file.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/layout.h"
#include "store/mbentry.h"
#include "store/racl.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK_KEY "mark"                  /* no row begins so: they begin with A */

struct rows {
	struct store *st;
	struct strarray v;
	struct cyrusdb *to;              /* where rows go, in *txn; NULL: into v */
	struct cyrusdb_txn **txn;
	int rc;
};

static void take_row(void *arg, const char *key, size_t len)
{
	struct rows *r = arg;
	if (!r->to) strarray_take(&r->v, mem_dup(key, len));
	else if (!r->rc) r->rc = cyrusdb_store(r->to, key, len, "", 0, r->txn);
}

static void rows_of(struct rows *r, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct mbentry e;
	size_t n = strlen(r->st->layout->scan_prefix);
	if (keylen < n || memcmp(key, r->st->layout->scan_prefix, n)) return;
	if (r->st->layout->decode(&r->st->ns, key, keylen, val, vallen, &e)) return;       /* damaged: told by who needs it */
	racl_rows(r->st, &e, true, take_row, r);
	mbentry_free(&e);
}

static int changed(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct rows *r = arg;
	rows_of(r, key, keylen, val, vallen);
	return r->rc;
}

static int visit(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	(void)seek;
	return changed(arg, key, keylen, val, vallen);
}

/* ------------------------------------------------------------------------------------------------ the mark */

/* With what the owner of a mailbox depends on: his own mailboxes have no rows. */
static void print_mark(const struct store *st, const struct cyrusdb_mark *m, struct buf *out)
{
	const char *domain = conf_str(st->conf, OPT_DEFAULTDOMAIN);
	buf_printf(out, "1 %llu %llu %llu %llu %u %d %d %d %s", (unsigned long long)m->dev, (unsigned long long)m->ino,
		(unsigned long long)m->generation,
		(unsigned long long)m->end, m->check, (int)st->layout->level, conf_enum(st->conf, OPT_VIRTDOMAINS), st->ns.sep,
		domain ? domain : "");
}

/* false: it is none, or one of another configuration. */
static bool read_mark(const struct store *st, struct cyrusdb_mark *m)
{
	const char *val;
	size_t len;
	unsigned long long dev, ino, generation, end;
	if (cyrusdb_fetch(st->racl, MARK_KEY, strlen(MARK_KEY), &val, &len, NULL)) return false;
	if (sscanf(val, "1 %llu %llu %llu %llu %u", &dev, &ino, &generation, &end, &m->check) != 5) return false;
	m->dev = dev, m->ino = ino, m->generation = generation, m->end = end;
	struct buf again = BUF_INIT;
	print_mark(st, m, &again);
	bool ok = again.len == len && !memcmp(again.s, val, len);
	buf_free(&again);
	return ok;
}

static int store_mark(struct store *st, struct cyrusdb *to, const struct cyrusdb_mark *m, struct cyrusdb_txn **txn)
{
	struct buf b = BUF_INIT;
	print_mark(st, m, &b);
	int rc = cyrusdb_store(to, MARK_KEY, strlen(MARK_KEY), b.s, b.len, txn);
	buf_free(&b);
	return rc;
}

/* ------------------------------------------------------------------------------------------------ making and completing */

static char *path_of(const struct store *st) { return mem_printf("%s.racl", cyrusdb_path(st->mboxlist)); }

static void close_file(struct store *st)
{
	if (st->racl) cyrusdb_close(st->racl);
	st->racl = NULL;
}

static int open_file(struct store *st)
{
	if (st->racl) return CYRUSDB_OK;
	char *path = path_of(st);
	int rc = cyrusdb_open(st->dbs, "twoskip", path, 0, &st->racl);
	free(path);
	return rc;
}

/* All rows of the list into a database at `path`. What is stored meanwhile is behind the mark. */
static int write_all(struct store *st, const char *path)
{
	struct cyrusdb *to;
	struct cyrusdb_txn *txn = NULL;
	struct cyrusdb_mark now;
	int rc = cyrusdb_open(st->dbs, "twoskip", path, CYRUSDB_CREATE, &to);
	if (rc) return rc;
	struct rows r = { .st = st, .to = to, .txn = &txn };
	rc = cyrusdb_since(st->mboxlist, NULL, NULL, NULL, &now);
	if (!rc) rc = cyrusdb_walk(st->mboxlist, st->layout->scan_prefix, strlen(st->layout->scan_prefix), visit, &r);
	if (!rc) rc = store_mark(st, to, &now, &txn);
	if (!rc) rc = cyrusdb_commit(to, txn);
	else if (txn) cyrusdb_abort(to, txn);
	cyrusdb_close(to);
	return rc;
}

/* A file beside the old one, which others may still be reading. Two processes may do so at once: either file is right. */
static int make_anew(struct store *st)
{
	char *path = path_of(st), *fresh = mem_printf("%s.%ld", path, (long)getpid());
	close_file(st);
	sys_unlink(fresh);
	int rc = write_all(st, fresh);
	if (!rc && sys_rename(fresh, path) < 0) rc = CYRUSDB_IOERROR;
	if (rc) sys_unlink(fresh);
	else rc = open_file(st);
	free(fresh);
	free(path);
	return rc;
}

static int write_down(struct store *st, const struct strarray *rows, const struct cyrusdb_mark *now)
{
	struct cyrusdb_txn *txn = NULL;
	int rc = CYRUSDB_OK;
	for (size_t i = 0; i < rows->n && !rc; i++) rc = cyrusdb_store(st->racl, rows->v[i], strlen(rows->v[i]), "", 0, &txn);
	if (!rc) rc = store_mark(st, st->racl, now, &txn);
	if (!rc) return cyrusdb_commit(st->racl, txn);
	if (txn) cyrusdb_abort(st->racl, txn);
	return rc;
}

/* Two processes that write down at once may leave the older of their marks: then some rows are written once more. */
static int complete(struct store *st, uint64_t allowed, struct strarray *recent)
{
	struct cyrusdb_mark mark, now;
	struct rows r = { .st = st };
	int rc = open_file(st) || !read_mark(st, &mark) ? CYRUSDB_NOTFOUND : cyrusdb_since(st->mboxlist, &mark, changed, &r, &now);
	if (!rc && now.end - mark.end > allowed && !write_down(st, &r.v, &now)) strarray_free(&r.v);
	if (rc) strarray_free(&r.v);
	*recent = r.v;
	return rc;
}

/* Is the list long enough for a file of its own? One that is there goes on being used. */
static bool worth_making(struct store *st)
{
	struct cyrusdb_mark now;
	return !cyrusdb_since(st->mboxlist, NULL, NULL, NULL, &now)
		&& now.records >= (uint64_t)conf_int(st->conf, OPT_MBOXLIST_ACL_INDEX);
}

static int bring_up_to(struct store *st, uint64_t allowed, struct strarray *recent)
{
	bool may_write = !conf_bool(st->conf, OPT_READONLY);
	if (conf_int(st->conf, OPT_MBOXLIST_ACL_INDEX) <= 0 || st->racl_off || st->listed_by_spool) return ERR_NOTSUPPORTED;
	int rc = complete(st, may_write ? allowed : UINT64_MAX, recent);
	if (rc && (!may_write || !worth_making(st))) return ERR_NOTSUPPORTED;
	if (rc && !(rc = make_anew(st))) rc = complete(st, allowed, recent);
	if (!rc) return 0;
	close_file(st);
	st->racl_off = true;
	log_msg(LOG_WARNING, "mailbox list: no index of ACLs, LIST reads all of it: %s.racl: %s", cyrusdb_path(st->mboxlist),
		cyrusdb_strerror(rc));
	return ERR_NOTSUPPORTED;
}

int racl_file_current(struct store *st, struct strarray *recent) { return bring_up_to(st, RACL_RECENT_MAX, recent); }

int racl_file_settle(struct store *st)
{
	struct strarray recent = STRARRAY_INIT;
	int r = bring_up_to(st, 0, &recent);
	strarray_free(&recent);
	return r;
}
