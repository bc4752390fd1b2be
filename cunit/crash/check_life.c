/* check_life.c - a process that dies at any write while it makes, deletes or renames mailboxes, or moves an account, leaves a
 * store that opens: every mailbox whole at its old or at its new name, no message lost, nothing that a reader trips over, quota
 * right after a scan; and the same command given again finishes the work. A child dies at call n, for every n; the parent then
 * looks at the store as a new process would.
 *
 * $LIFE_KEEP=DIR: instead of all that, every $LIFE_EVERY-th crash state of operation $LIFE_ONLY is put there, for
 * tests/test_life_peer.py. */
#include "base/ptrarray.h"
#include "cunit/crash/crashtest.h"
#include "store/annots.h"
#include "store/autocreate.h"
#include "store/mboxop.h"
#include "store/quotascan.h"
#include "store/reconstruct.h"
#include "store/seen.h"
#include "store/specialuse.h"
#include "store/subs.h"
#include "store/userdata.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sys/mman.h>

/* The parent's heap is what each fork() pays for: freed memory must not pile up there. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4:thread_local_quarantine_size_kb=64:malloc_context_size=5";
}

static struct storetest t;
static char base[300];

/* A mailbox that the operation concerns. from NULL: it is made; to NULL: it goes for good. "DELETED.x.": any time behind. */
struct row { const char *from, *to, *messages; };
enum { ROWS = 6 };
enum { BOTH = 1, INBOX_STAYS = 2, PARTITION = 4, USER = 8, DELAYED = 16, PARTS = 32, IN_PLACE = 64 };
struct op {
	const char *name, *userid;
	int (*run)(struct mboxop *op);
	unsigned how;
	struct row rows[ROWS];
};

/* ------------------------------------------------------------------------------------------------ operations */

static struct mbname parts(const char *name)
{
	struct mbname n;
	ck_assert_int_eq(mbname_from_internal(&n, name, &t.st->ns), 0);
	return n;
}

static int create(struct mboxop *op, const char *name, const char *use)
{
	struct mbname n = parts(name);
	struct mboxop_new how = { .use = use };
	int r = mboxop_create(op, &n, &how, NULL);
	mbname_free(&n);
	return r;
}

static int renamed(struct mboxop *op, const char *from, const char *to, const char *partition)
{
	struct mbname a = parts(from), b = parts(to);
	int r = mboxop_rename(op, &a, &b, partition);
	mbname_free(&a);
	mbname_free(&b);
	return r;
}

static int deleted(struct mboxop *op, const char *name)
{
	struct mbname n = parts(name);
	int r = mboxop_delete(op, &n);
	mbname_free(&n);
	return r;
}

static int run_create(struct mboxop *op) { return create(op, "user.fred.new", "\\Junk"); }
static int run_deep(struct mboxop *op) { return create(op, "user.fred.x.y", NULL); }
static int run_delete(struct mboxop *op) { return deleted(op, "user.fred.a.b"); }
static int run_one(struct mboxop *op) { return renamed(op, "user.fred.a.b", "user.fred.moved", NULL); }
static int run_tree(struct mboxop *op) { return renamed(op, "user.fred.a", "user.fred.z", NULL); }
static int run_inbox(struct mboxop *op) { return renamed(op, "user.fred", "user.fred.old", NULL); }
static int run_user(struct mboxop *op) { return renamed(op, "user.fred", "user.jim", NULL); }
static int run_partition(struct mboxop *op) { return renamed(op, "user.fred", "user.fred", "second"); }
static int run_account(struct mboxop *op) { return deleted(op, "user.fred"); }
static int run_autocreate(struct mboxop *op) { return autocreate_user(op->st, "ann"); }

/* Two rows that come or go together, beside one that stays. */
static int run_annotate(struct mboxop *op)
{
	struct mbentry e;
	const struct annots_change v[] = { { "/comment", true, "a comment for all", 17 }, { "/comment", false, "mine", 4 } };
	const struct annots_options o = { .set = MBOXOPT_SHAREDSEEN };
	int r = mboxlist_lookup(op->st, "user.fred.a", &e);
	if (!r) r = annots_set(op->st, "fred", &e, v, 2, &o);
	if (!r) mbentry_free(&e);
	return r;
}

#define GONE "DELETED."
static const struct op ops[] = {
	{ "create", "fred", run_create, 0, { { NULL, "user.fred.new", "" } } },
	{ "create deep", "fred", run_deep, 0, { { NULL, "user.fred.x.y", "" } } },
	{ "delete", "fred", run_delete, 0, { { "user.fred.a.b", NULL, "1:5" } } },
	{ "delete later", "fred", run_delete, DELAYED, { { "user.fred.a.b", GONE "user.fred.a.b.", "1:5" } } },
	{ "rename", "fred", run_one, 0, { { "user.fred.a.b", "user.fred.moved", "1:5" } } },
	{ "rename tree", "fred", run_tree, 0, { { "user.fred.a", "user.fred.z", "1:3 2:4" },
		{ "user.fred.a.b", "user.fred.z.b", "1:5" },
		{ "user.fred.a.c", "user.fred.z.c", "1:6" } } },
	{ "rename inbox", "fred", run_inbox, BOTH | INBOX_STAYS, { { "user.fred", "user.fred.old", "1:1 2:2" } } },
	{ "rename user", "admin", run_user, USER,
		{ { "user.fred", "user.jim", "1:1 2:2" }, { "user.fred.a", "user.jim.a", "1:3 2:4" },
		{ "user.fred.a.b", "user.jim.a.b", "1:5" }, { "user.fred.a.c", "user.jim.a.c", "1:6" } } },
	{ "partition", "admin", run_partition, PARTITION,
		{ { "user.fred", "user.fred", "1:1 2:2" }, { "user.fred.a", "user.fred.a", "1:3 2:4" },
		{ "user.fred.a.b", "user.fred.a.b", "1:5" }, { "user.fred.a.c", "user.fred.a.c", "1:6" } } },
	{ "delete user", "admin", run_account, 0, { { "user.fred", NULL, "1:1 2:2" }, { "user.fred.a", NULL, "1:3 2:4" },
		{ "user.fred.a.b", NULL, "1:5" }, { "user.fred.a.c", NULL, "1:6" } } },
	{ "delete user later", "admin", run_account, DELAYED, { { "user.fred", GONE "user.fred.", "1:1 2:2" },
		{ "user.fred.a", GONE "user.fred.a.", "1:3 2:4" }, { "user.fred.a.b", GONE "user.fred.a.b.", "1:5" },
		{ "user.fred.a.c", GONE "user.fred.a.c.", "1:6" } } },
	{ "annotate", "fred", run_annotate, IN_PLACE, { { "user.fred.a", "user.fred.a", "1:3 2:4" } } },
	{ "autocreate", "ann", run_autocreate, PARTS, { { NULL, "user.ann", "" } } },
};
static const struct { const char *name, *level, *more; } layouts[] = {
	{ "2.5", "2.5", "" }, { "3.6", "3.6", "" }, { "3.6 by name", "3.6", "mailbox_legacy_dirs: yes\n" },
};
enum { OPS = sizeof ops / sizeof *ops, LAYOUTS = 3, CALLS = 5000 };

/* ------------------------------------------------------------------------------------------------ the tree, again and again */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

/* The depth is that of a small store. */
static void copy_tree(const char *from, const char *to)
{
	char a[600], b[600];
	DIR *d = opendir(from);
	ck_assert(d && mkdir(to, 0755) == 0);
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		struct buf text = BUF_INIT;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
		snprintf(a, sizeof a, "%s/%s", from, e->d_name);
		snprintf(b, sizeof b, "%s/%s", to, e->d_name);
		ck_assert_int_eq(lstat(a, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			copy_tree(a, b);
			continue;
		}
		FILE *f = fopen(b, "w");
		ck_assert(S_ISREG(st.st_mode) && f && !file_read(a, 1 << 22, &text));
		ck_assert_uint_eq(fwrite(text.s ? text.s : "", 1, text.len, f), text.len);
		ck_assert(!fchmod(fileno(f), st.st_mode & 07777) && !futimens(fileno(f), (struct timespec[]){ st.st_atim, st.st_mtim }));
		fclose(f);
		buf_free(&text);
	}
	closedir(d);
}

static void restore(void)
{
	nftw(t.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	copy_tree(base, t.dir);
}

/* ------------------------------------------------------------------------------------------------ the store before */

static void message(const char *name, unsigned n)
{
	uint32_t uid;
	ck_assert_int_eq(storetest_append(&t, name, n, NULL, &uid), 0);
}

static void root(const char *name)
{
	struct quota q = { 0 };
	for (int i = 0; i < QUOTA_RESOURCES; i++) q.limit[i] = QUOTA_UNLIMITED;
	q.limit[QUOTA_STORAGE] = 1000;
	ck_assert_int_eq(quota_write(t.st, name, &q), 0);
}

static bool mark(void *arg, struct seen *s)
{
	(void)arg;
	seqset_add(&s->uids, 2, 2);
	s->lastuid = 2;
	return true;
}

static char *id_of(const char *name)
{
	struct mbentry e;
	ck_assert_int_eq(mboxlist_lookup(t.st, name, &e), 0);
	char *id = mem_strdup(e.uniqueid);
	mbentry_free(&e);
	return id;
}

static void setup(const char *level, const char *more, bool later)
{
	struct mbentry e;
	struct buf path = BUF_INIT, text = BUF_INIT, use = BUF_INIT;
	buf_printf(&text,
		"admins: admin\nallowusermoves: yes\ndelete_mode: %s\nautocreate_quota: 100\nautocreate_inbox_folders: Sent\n"
		"autocreate_subscribe_folders: Sent\nxlist-sent: Sent\nspecialuse_protect: \\Archive\nexpunge_mode: immediate\n%s",
		later ? "delayed" : "immediate", more);
	storetest_new(&t, level, buf_cstr(&text));
	storetest_run("mkdir %s/second; printf 'partition-second: %s/second\nsievedir: %s/sieve\n' >>%s/imapd.conf", t.dir, t.dir,
		t.dir, t.dir);
	storetest_close(&t);
	storetest_open(&t);
	root("user.fred");
	root("user.freddy");
	struct mailbox_create c = { .name = "user.fred", .acl = "fred\tlrswipkxtecdan\tadmin\tlrx\t" };
	ck_assert_int_eq(mailbox_create(t.st, &c), 0);
	c = (struct mailbox_create){ .name = "user.fred.a", .acl = "fred\tlrswipkxtecdan\tbob\tlrs\t", .specialuse = "\\Sent",
		.specialuse_userid = "fred" };
	ck_assert_int_eq(mailbox_create(t.st, &c), 0);
	storetest_create(&t, "user.fred.a.b");
	storetest_create(&t, "user.fred.a.c");
	storetest_create(&t, "user.freddy");
	message("user.fred", 1);
	message("user.fred", 2);
	message("user.fred.a", 3);
	message("user.fred.a", 4);
	message("user.fred.a.b", 5);
	message("user.fred.a.c", 6);
	message("user.freddy", 7);
	struct mbname a = parts("user.fred.a"), other = parts("user.freddy");
	ck_assert_int_eq(subs_set(t.st, "fred", &a, true), 0);
	ck_assert_int_eq(subs_set(t.st, "fred", &other, true), 0);
	mbname_free(&a);
	mbname_free(&other);
	char *id = id_of("user.fred.a");
	ck_assert_int_eq(seen_update(t.st, "fred", id, mark, NULL), 0);
	free(id);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred", &e), 0);
	ck_assert(path_sieve(t.st, &e, &path));
	storetest_run("mkdir -p %s && echo keep >%s/default.script", buf_cstr(&path), buf_cstr(&path));
	mbentry_free(&e);
	buf_free(&path);
	buf_free(&text);
	buf_free(&use);
	storetest_close(&t);
}

/* ------------------------------------------------------------------------------------------------ looking */

struct find { const char *prefix; char *name; };

static int match_gone(void *arg, const struct mbentry *e)
{
	struct find *f = arg;
	size_t n = strlen(f->prefix);
	if (!strncmp(e->name, f->prefix, n) && strlen(e->name) == n + 8 && !strchr(e->name + n, '.')) f->name = mem_strdup(e->name);
	return f->name != NULL;
}

/* The live mailbox that is meant, or NULL. Caller frees. */
static char *present(const char *name)
{
	struct mbentry e;
	struct find f = { name, NULL };
	if (!name) return NULL;
	if (!strncmp(name, GONE, strlen(GONE))) {
		mboxlist_each(t.st, NULL, MBOXLIST_LIVE, match_gone, &f);
		return f.name;
	}
	if (mboxlist_lookup(t.st, name, &e)) return NULL;
	mbentry_free(&e);
	return mem_strdup(name);
}

static bool on_second(const char *name)
{
	struct mbentry e;
	ck_assert_int_eq(mboxlist_lookup(t.st, name, &e), 0);
	bool yes = !strcmp(e.partition, "second");
	mbentry_free(&e);
	return yes;
}

static void expect_use(const char *name, const char *when)
{
	struct mbentry e;
	struct buf use = BUF_INIT;
	ck_assert_int_eq(mboxlist_lookup(t.st, name, &e), 0);
	char *owner = mbname_userid(&e.parts);
	struct annots *s = annots_open(t.st, owner);
	bool has = specialuse_get(s, &e, &use);
	ck_assert_msg(has && !strcmp(buf_cstr(&use), "\\Sent"), "%s: the special use of %s is '%s'", when, name, buf_cstr(&use));
	annots_close(s);
	free(owner);
	mbentry_free(&e);
	buf_free(&use);
}

/* Both values or none. */
static bool annotated(const char *name, const char *when)
{
	struct mbentry e;
	struct buf shared = BUF_INIT, mine = BUF_INIT;
	ck_assert_int_eq(mboxlist_lookup(t.st, name, &e), 0);
	struct annots *a = annots_open(t.st, "fred");
	bool one = annots_get(a, &e, "/comment", true, &shared), two = annots_get(a, &e, "/comment", false, &mine);
	ck_assert_msg(one == two, "%s: one annotation without the other", when);
	ck_assert(!one || (buf_eq(&shared, "a comment for all") && buf_eq(&mine, "mine")));
	annots_close(a);
	mbentry_free(&e);
	buf_free(&shared);
	buf_free(&mine);
	return one;
}

/* true: at its new name (or gone, or made); what is there is whole. */
static bool check_row(const struct op *op, const struct row *r, const char *when)
{
	char *from = present(r->from), *to = present(r->to);
	bool done = r->to ? to != NULL : !from;
	if (op->how & PARTITION) {
		done = on_second(r->from);
	} else if (op->how & IN_PLACE) {
		done = annotated(r->from, when);
	} else if (r->from && r->to) {
		ck_assert_msg(from || to, "%s: %s is lost", when, r->from);
		ck_assert_msg(op->how & (BOTH | IN_PLACE) || !from || !to, "%s: %s is there twice", when, r->from);
	}
	if (from && (!(op->how & INBOX_STAYS) || !to)) storetest_expect(&t, from, r->messages, when);
	if (to) storetest_expect(&t, to, r->messages, when);
	if (r->from && !strcmp(r->from, "user.fred.a") && (from || to) && strncmp(from ? from : to, GONE, strlen(GONE)))
		expect_use(from ? from : to, when);
	free(from);
	free(to);
	return done;
}

struct all { const char *when; unsigned said; };
static bool by_id;             /* the layout at hand */

static void said(void *arg, const char *line)
{
	struct all *a = arg;
	if (getenv("STORETEST_LOG")) fprintf(stderr, "%s: reconstruct: %s\n", a->when, line);
	a->said++;
}

/* What LIST shows can be opened and read, and reconstruct has nothing to say; by id it may have to put name and quota root in the
 * header right. */
static int readable(void *arg, const struct mbentry *e)
{
	struct all *a = arg;
	struct reconstruct rc = { .st = t.st, .flags = RECONSTRUCT_REPORT, .say = said, .arg = a };
	char *list = storetest_list(&t, e->name);
	ck_assert_msg(!*list || strchr(list, ':'), "%s: %s: %s", a->when, e->name, list);
	ck_assert_msg(!strstr(list, ":0"), "%s: %s: %s", a->when, e->name, list);
	free(list);
	int r = reconstruct_mailbox(&rc, e->name);
	if (!r && a->said && by_id) {
		rc.flags = 0;
		ck_assert_int_eq(reconstruct_mailbox(&rc, e->name), 0);
		a->said = 0;
		rc.flags = RECONSTRUCT_REPORT;
		r = reconstruct_mailbox(&rc, e->name);
	}
	ck_assert_msg(!r, "%s: reconstruct %s: %s", a->when, e->name, err_text(r));
	ck_assert_msg(!a->said, "%s: reconstruct %s has something to say", a->when, e->name);
	return 0;
}

struct sum { const char *root; uint64_t bytes, messages, folders; };

static int add_up(void *arg, const struct mbentry *e)
{
	struct sum *s = arg;
	struct mailbox *mb;
	char *r = quota_find_root(t.st, &e->parts);
	bool mine = r && !strcmp(r, s->root);
	free(r);
	if (!mine) return 0;
	ck_assert_int_eq(mailbox_open(t.st, e->name, &mb), 0);
	ck_assert_int_eq(mailbox_lock(mb, LOCK_SHARED), 0);
	s->bytes += mb->h.quota_mailbox_used;
	s->messages += mb->h.exists;
	s->folders++;
	mailbox_unlock(mb);
	mailbox_close(&mb);
	return 0;
}

static int check_root(void *arg, const char *name, const struct quota *q)
{
	struct sum s = { .root = name };
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, add_up, &s), 0);
	ck_assert_msg(q->used[QUOTA_STORAGE] == s.bytes && q->used[QUOTA_MESSAGE] == s.messages
		&& q->used[QUOTA_NUMFOLDERS] == s.folders,
		"%s: root %s says %llu bytes %llu messages %llu folders, there are %llu %llu %llu", (const char *)arg, name,
		(unsigned long long)q->used[QUOTA_STORAGE], (unsigned long long)q->used[QUOTA_MESSAGE],
		(unsigned long long)q->used[QUOTA_NUMFOLDERS],
		(unsigned long long)s.bytes, (unsigned long long)s.messages, (unsigned long long)s.folders);
	return 0;
}

static void check_quota(const char *when)
{
	struct quotascan scan = { .st = t.st, .fix = true };
	ck_assert_msg(!quotascan_run(&scan, ""), "%s: the quota scan fails", when);
	ck_assert_int_eq(quota_each(t.st, "", check_root, (void *)(uintptr_t)when), 0);
}

static void check_neighbour(const char *when)
{
	struct quota q;
	ck_assert_msg(!quota_read(t.st, "user.freddy", &q), "%s: the root of another user is gone", when);
	ck_assert_int_eq(q.limit[QUOTA_STORAGE], 1000);
	quota_free(&q);
	storetest_expect(&t, "user.freddy", "1:7", when);
}

/* ------------------------------------------------------------------------------------------------ when it is done */

static int run(const struct op *op)
{
	struct user user;
	struct namespace ns;
	user_init(&user, t.conf, op->userid);
	ck_assert_int_eq(namespace_init(&ns, t.conf, user.isadmin), 0);
	ns.level = t.st->ns.level;
	struct mboxop o = { .st = t.st, .user = &user, .ns = &ns };
	int r = op->run(&o);
	namespace_free(&ns);
	user_free(&user);
	return r;
}

static void check_moved_user(const char *when)
{
	struct mbentry e;
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct mbname a = parts("user.jim.a"), other = parts("user.freddy"), old = parts("user.fred.a");
	struct quota q;
	struct seen seen;
	ck_assert_msg(subs_has(t.st, "jim", &a) && subs_has(t.st, "jim", &other), "%s: subscriptions are lost", when);
	ck_assert_msg(!subs_has(t.st, "jim", &old), "%s: an old name is subscribed", when);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.jim", &e), 0);
	ck_assert(path_sieve(t.st, &e, &path));
	buf_puts(&path, "/default.script");
	ck_assert_msg(!file_read(buf_cstr(&path), 100, &text), "%s: the script is lost", when);
	ck_assert_msg(!strcmp(e.acl, "admin\tlrxc\tjim\tlrswipkxtecdan\t") || !strcmp(e.acl, "admin\tlrx\tjim\tlrswipkxtecdan\t"),
		"%s: ACL %s", when, e.acl);
	mbentry_free(&e);
	ck_assert_msg(!quota_read(t.st, "user.jim", &q) && q.limit[QUOTA_STORAGE] == 1000, "%s: the limit is lost", when);
	ck_assert_msg(quota_read(t.st, "user.fred", &q) == ERR_NOQUOTAROOT, "%s: the old root is left", when);
	char *id = id_of("user.jim.a");
	ck_assert_int_eq(seen_read(t.st, "jim", id, &seen), 0);
	ck_assert_msg(seen.lastuid == 2 && seqset_has(&seen.uids, 2), "%s: the seen state is lost", when);
	seen_free(&seen);
	free(id);
	expect_use("user.jim.a", when);
	mbname_free(&a);
	mbname_free(&other);
	mbname_free(&old);
	buf_free(&path);
	buf_free(&text);
}

/* What autocreation makes is all there, and nobody thinks there is more to do. */
static void check_account(const char *when)
{
	struct mbentry e;
	struct mbname sent = parts("user.ann.Sent"), inbox = parts("user.ann");
	ck_assert_msg(!mboxlist_lookup(t.st, "user.ann.Sent", &e), "%s: no Sent", when);
	mbentry_free(&e);
	ck_assert_msg(subs_has(t.st, "ann", &inbox) && subs_has(t.st, "ann", &sent), "%s: not subscribed", when);
	expect_use("user.ann.Sent", when);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.ann", &e), 0);
	ck_assert_msg(!mailbox_marks(t.st, &e), "%s: a mark is left", when);
	mbentry_free(&e);
	mbname_free(&sent);
	mbname_free(&inbox);
}

/* Given again, RENAME of the INBOX takes its messages out, and given a third time it is a name that exists. */
static void check_emptied(const struct op *op, const char *when)
{
	struct mbentry e;
	storetest_expect(&t, op->rows[0].from, "", when);
	storetest_expect(&t, op->rows[0].to, op->rows[0].messages, when);
	ck_assert_int_eq(mboxlist_lookup(t.st, op->rows[0].to, &e), 0);
	ck_assert_msg(!mailbox_marks(t.st, &e), "%s: a mark is left", when);
	mbentry_free(&e);
	int r = run(op);
	ck_assert_msg(r == ERR_EXISTS, "%s: a third time: %s", when, err_text(r));
}

/* Nothing of fred's is left for the next one of that name. */
static void check_gone_user(const char *when)
{
	struct mbname a = parts("user.fred.a");
	struct quota q;
	ck_assert_msg(quota_read(t.st, "user.fred", &q) == ERR_NOQUOTAROOT, "%s: a root is left", when);
	storetest_create(&t, "user.fred");
	storetest_create(&t, "user.fred.a");
	struct mbentry e;
	struct buf path = BUF_INIT, use = BUF_INIT;
	ck_assert_msg(!subs_has(t.st, "fred", &a), "%s: subscriptions of the one before", when);
	storetest_expect(&t, "user.fred.a", "", when);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.a", &e), 0);
	struct annots *s = annots_open(t.st, "fred");
	ck_assert_msg(!specialuse_get(s, &e, &use), "%s: a special use of the one before", when);
	annots_close(s);
	mbentry_free(&e);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred", &e), 0);
	ck_assert(path_sieve(t.st, &e, &path));
	ck_assert_msg(access(buf_cstr(&path), F_OK) < 0, "%s: a script of the one before", when);
	mbentry_free(&e);
	buf_free(&path);
	buf_free(&use);
	mbname_free(&a);
	struct all all = { when, 0 };
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, readable, &all), 0);
}

/* A name that became free is good for a new mailbox, whatever lay there. */
static void check_reuse(const char *name, const char *when)
{
	uint32_t uid;
	storetest_create(&t, name);
	storetest_expect(&t, name, "", when);
	ck_assert_int_eq(storetest_append(&t, name, 9, NULL, &uid), 0);
	struct all all = { when, 0 };
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, readable, &all), 0);
}

/* ------------------------------------------------------------------------------------------------ the rounds */

static int run_in_child(const void *op) { return run(op); }

/* 0: it ran to its end; 99: it died at call n. effects: of its calls, in shared memory; may be NULL. */
static int child(const struct op *op, enum fault_kind kind, unsigned long n, unsigned char *effects)
{
	struct fault f = { .kind = kind, .n = n };
	fault_effects(effects, CALLS);
	int rc = crashtest_child(&t, &f, run_in_child, op);
	fault_effects(NULL, 0);
	return rc;
}

/* The states for another server: layout 3.6, by id and by name. */
static void keep(const struct op *op, int layout, const char *dir)
{
	const char *every = getenv("LIFE_EVERY");
	unsigned long step = every ? strtoul(every, NULL, 10) : 10;
	int rc = 99;
	for (unsigned long n = 1; rc == 99; n += step ? step : 1) {
		restore();
		rc = child(op, FAULT_DIE, n, NULL);
		ck_assert_msg(rc == 99 || rc == 0, "%s: status %d", op->name, rc);
		if (rc) storetest_run("cp -a %s '%s/%s-%s-%lu'", t.dir, dir, op->name, layouts[layout].name, n);
	}
}

static bool rows_done(const struct op *op, const char *when)
{
	bool all = true;
	for (const struct row *r = op->rows; r < op->rows + ROWS && (r->from || r->to); r++) all &= check_row(op, r, when);
	return all;
}

static void look(const struct op *op, bool finished, const char *when)
{
	struct all all = { when, 0 };
	bool done = rows_done(op, when);
	ck_assert_msg(!finished || done, "%s: not done", when);
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, readable, &all), 0);
	check_quota(when);
	check_neighbour(when);
}

static void finish(const struct op *op, const char *when)
{
	int r = run(op);
	ck_assert_msg(!r || r == ERR_NOMAILBOX || r == ERR_EXISTS, "%s: again: %s", when, err_text(r));
	look(op, true, when);
	if (op->how & PARTS) check_account(when);
	if (op->how & INBOX_STAYS) check_emptied(op, when);
	if (op->how & USER) check_moved_user(when);
	if (op->run == run_account) check_gone_user(when);
	else if (op->rows[0].from && !(op->how & (PARTITION | INBOX_STAYS | IN_PLACE))) check_reuse(op->rows[0].from, when);
}

static int one_round(const struct op *op, int layout, enum fault_kind kind, unsigned long n)
{
	char when[120];
	snprintf(when, sizeof when, "%s, layout %s, %s at call %lu", op->name, layouts[layout].name, crashtest_kind(kind), n);
	restore();
	int rc = child(op, kind, n, NULL);
	ck_assert_msg(rc == 99 || rc == 0, "%s: status %d", when, rc);
	storetest_open(&t);
	look(op, rc == 0, when);
	finish(op, when);
	storetest_close(&t);
	return rc;
}

/* Death before every call that finds the disk in another state than the one before did; and in the middle of every write that can
 * be torn. */
START_TEST(dies)
{
	const struct op *op = &ops[_i / LAYOUTS];
	int layout = _i % LAYOUTS;
	const char *dir = getenv("LIFE_KEEP"), *only = getenv("LIFE_ONLY");
	if (only && strcmp(only, op->name)) return;
	if (dir && !strcmp(layouts[layout].level, "2.5")) return;
	unsigned char *effects = mmap(NULL, CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(effects != MAP_FAILED);
	by_id = layout == 1;
	setup(layouts[layout].level, layouts[layout].more, op->how & DELAYED);
	snprintf(base, sizeof base, "%s.base", t.dir);
	copy_tree(t.dir, base);
	if (dir) {
		keep(op, layout, dir);
	} else {
		unsigned long n = 1, died = 0;
		ck_assert_int_eq(child(op, FAULT_NONE, 0, effects), 0);
		for (; n < CALLS - 1; n++) {
			if (n > 1 && effects[n - 1] == FAULT_IDLE) continue;
			if (one_round(op, layout, FAULT_DIE, n) == 0) break;
			died++;
			if (effects[n] == FAULT_BIG) one_round(op, layout, FAULT_TORN, n);
		}
		ck_assert_uint_lt(n, CALLS - 1);
		ck_assert_uint_gt(died, 3);
	}
	munmap(effects, CALLS);
	storetest_run("rm -rf %s", base);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("dies");
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, dies, 0, OPS * LAYOUTS);
	return suite_run("life", (TCase *[]){ tc, NULL });
}
