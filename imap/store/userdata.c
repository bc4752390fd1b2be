/* userdata.c - see userdata.h. */
#include "store/userdata.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/audit.h"
#include "store/layout.h"
#include "store/paths.h"
#include "store/quota.h"
#include "store/subs.h"
#include "sys/dirwalk.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const suffixes[] = { "sub", "seen", "mboxkey", "conversations", "counters", "dav", NULL };

static bool by_id(const struct store *st, const struct mbentry *inbox)
{
	return st->layout->level == LEVEL_36 && !(inbox->flags & MBENTRY_LEGACYDIRS) && inbox->uniqueid
		&& strlen(inbox->uniqueid) >= 2;
}

/* The file by name, whatever a tombstone of that name says about ids. */
static void path_by_user(struct store *st, const struct mbname *n, const char *suffix, struct buf *out)
{
	char *part = mem_strdup(n->localpart);
	for (char *p = part; st->layout->level == LEVEL_25 && *p; p++)
		if (*p == '.') *p = '^';
	path_user_by_name(st, n->domain, part, suffix, out);
	free(part);
}

static int complain(const char *what, const char *path)
{
	log_msg(LOG_ERR, "IOERROR: cannot %s %s: %m", what, path);
	return err_from_errno(errno);
}

static int move_path(const char *from, const char *to)
{
	struct stat sb;
	if (lstat(from, &sb) < 0) return errno == ENOENT ? 0 : complain("look at", from);
	char *dir = mem_strdup(to), *slash = strrchr(dir, '/');
	if (slash) *slash = 0;
	int r = file_mkdirs_sync(dir, 0755);
	free(dir);
	if (r < 0 || sys_rename(from, to) < 0) return complain("rename", from);
	return file_sync_parent(to) < 0 || file_sync_parent(from) < 0 ? complain("sync the directory of", to) : 0;
}

/* ------------------------------------------------------------------------------------------------ scripts */

static int remove_file(void *arg, const struct dirwalk_entry *w)
{
	int *r = arg;
	if (w->kind != DIRWALK_DIR && sys_unlinkat(w->dirfd, w->name, 0) < 0 && errno != ENOENT) *r = complain("unlink", w->path);
	return 0;
}

static int remove_dir(const char *dir)
{
	int r = 0;
	if (dirwalk_list(dir, 0, remove_file, &r) < 0) return errno == ENOENT ? 0 : complain("read", dir);
	if (sys_rmdir(dir) < 0 && errno != ENOENT) r = complain("remove", dir);
	return r;
}

static int move_scripts(struct store *st, const struct mbentry *inbox, const struct mbname *to)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct mbentry target;
	struct stat sb;
	int r = 0;
	mbentry_copy(&target, inbox);
	mbname_free(&target.parts);
	mbname_copy(&target.parts, to);
	if (path_sieve(st, inbox, &a) && path_sieve(st, &target, &b) && buf_cmp(&a, &b) && lstat(buf_cstr(&a), &sb) == 0) {
		remove_dir(buf_cstr(&b));                  /* of somebody who had that name before */
		r = move_path(buf_cstr(&a), buf_cstr(&b));
	}
	mbentry_free(&target);
	buf_free(&a);
	buf_free(&b);
	return r;
}

/* ------------------------------------------------------------------------------------------------ subscriptions */

struct own {
	struct store *st;
	const char *userid;
	struct strarray old;
};

static int remember_own(void *arg, const struct mbname *n)
{
	struct own *o = arg;
	if (!n->deleted && mbname_owned_by(n, o->userid, &o->st->ns)) strarray_take(&o->old, mbname_internal(n, &o->st->ns));
	return 0;
}

/* 2.5 keeps whole names: those of his own mailboxes change with him. */
static int rename_subscriptions(struct store *st, const char *olduser, const char *newuser, const struct mbname *to)
{
	struct own o = { st, olduser, STRARRAY_INIT };
	int r = st->layout->level == LEVEL_25 ? subs_each(st, newuser, remember_own, &o) : 0;
	for (size_t i = 0; i < o.old.n && !r; i++) {
		struct mbname was, now;
		if (mbname_from_internal(&was, o.old.v[i], &st->ns)) continue;
		mbname_copy(&now, to);
		for (size_t k = 0; k < was.boxes.n; k++) strarray_append(&now.boxes, was.boxes.v[k]);
		r = subs_set(st, newuser, &now, true);
		if (!r) r = subs_set(st, newuser, &was, false);
		mbname_free(&was);
		mbname_free(&now);
	}
	strarray_free(&o.old);
	return r;
}

/* ------------------------------------------------------------------------------------------------ the user */

int userdata_move(struct store *st, const struct mbentry *inbox, const struct mbname *to)
{
	char *olduser = mbname_userid(&inbox->parts), *newuser = mbname_userid(to);
	int r = 0;
	for (const char *const *s = suffixes; *s && !by_id(st, inbox) && !r; s++) {
		struct buf a = BUF_INIT, b = BUF_INIT;
		st->layout->user_file(st, olduser, *s, &a);
		path_by_user(st, to, *s, &b);
		if (buf_cmp(&a, &b)) r = move_path(buf_cstr(&a), buf_cstr(&b));
		buf_free(&a);
		buf_free(&b);
	}
	if (!r && !by_id(st, inbox)) r = move_scripts(st, inbox, to);
	if (!r) r = rename_subscriptions(st, olduser, newuser, to);
	free(olduser);
	free(newuser);
	return r;
}

/* C/user/uuid/c1/c2/ID and the two levels above it where they are empty. */
static void remove_id_dirs(struct store *st, const char *id)
{
	struct buf path = BUF_INIT;
	char *root = mem_printf("%s/user", conf_dir(st->conf));
	path_by_id(root, id, &path);
	for (int level = 0; level < 3 && sys_rmdir(buf_cstr(&path)) == 0; level++)
		buf_truncate(&path, (size_t)(strrchr(buf_cstr(&path), '/') - path.s));
	free(root);
	buf_free(&path);
}

int userdata_remove(struct store *st, const struct mbentry *inbox)
{
	struct buf path = BUF_INIT;
	char *userid = mbname_userid(&inbox->parts);
	int r = 0;
	bool id = by_id(st, inbox);
	if (!id && inbox->parts.deleted) goto done;             /* the name may be somebody else's by now */
	for (const char *const *s = suffixes; *s; s++) {
		buf_reset(&path);
		if (id) {
			char *root = mem_printf("%s/user", conf_dir(st->conf));
			path_by_id(root, inbox->uniqueid, &path);
			buf_printf(&path, "/%s.db", *s);
			free(root);
		} else {
			st->layout->user_file(st, userid, *s, &path);
		}
		if (sys_unlink(buf_cstr(&path)) < 0 && errno != ENOENT) r = complain("unlink", buf_cstr(&path));
	}
	if (id) remove_id_dirs(st, inbox->uniqueid);
	buf_reset(&path);
	if (path_sieve(st, inbox, &path)) {
		int e = remove_dir(buf_cstr(&path));
		if (e) r = e;
	}
done:
	buf_free(&path);
	free(userid);
	return r;
}

/* ------------------------------------------------------------------------------------------------ quota roots */

struct roots {
	const char *name;
	struct strarray found;
};

static int remember_root(void *arg, const char *root, const struct quota *q)
{
	struct roots *x = arg;
	size_t n = strlen(x->name);
	(void)q;
	if (!root[n] || root[n] == '.') strarray_append(&x->found, root);       /* not those of "user.freddy" */
	return 0;
}

/* No usage yet: it comes with the mailboxes. */
static int copy_root(struct store *st, const char *from, const char *to)
{
	struct quota q, other;
	int r = quota_read(st, from, &q);
	if (r) return r;
	r = quota_read(st, to, &other);
	if (r == ERR_NOQUOTAROOT) {
		memset(q.used, 0, sizeof q.used);
		r = quota_write(st, to, &q);
		if (!r) audit_quota(st, "newquota", to, &q);
	} else if (!r) {
		quota_free(&other);                        /* an earlier attempt made it */
	}
	quota_free(&q);
	return r;
}

int userdata_copy_roots(struct store *st, const struct mbname *from, const struct mbname *to)
{
	char *a = mbname_internal(from, &st->ns), *b = mbname_internal(to, &st->ns);
	struct roots x = { a, STRARRAY_INIT };
	int r = quota_each(st, a, remember_root, &x);
	for (size_t i = 0; i < x.found.n && !r; i++) {
		char *target = mem_printf("%s%s", b, x.found.v[i] + strlen(a));
		r = copy_root(st, x.found.v[i], target);
		free(target);
	}
	strarray_free(&x.found);
	free(a);
	free(b);
	return r;
}

void userdata_drop_roots(struct store *st, const struct mbname *inbox)
{
	char *name = mbname_internal(inbox, &st->ns);
	struct roots x = { name, STRARRAY_INIT };
	quota_each(st, name, remember_root, &x);
	for (size_t i = 0; i < x.found.n; i++) quota_delete(st, x.found.v[i]);
	strarray_free(&x.found);
	free(name);
}
