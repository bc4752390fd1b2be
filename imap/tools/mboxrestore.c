/* mboxrestore.c - see mboxrestore.h. */
#include "tools/mboxrestore.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/strarray.h"
#include "conf/procfile.h"
#include "db/dbconf.h"
#include "master/watch.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "sys/file.h"
#include "tools/mboxdump.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------ is anybody there? */

static int alive(void *arg, const struct procfile *p)
{
	(void)arg;
	return p->pid != getpid() && !(kill(p->pid, 0) < 0 && errno == ESRCH);
}

static bool master_answers(const struct conf *c)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char *path = mem_printf("%s/" WATCH_SOCKET, conf_dir(c));
	bool yes = false;
	if (strlen(path) < sizeof un.sun_path) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		memcpy(un.sun_path, path, strlen(path) + 1);
		yes = fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) == 0;
		if (fd >= 0) close(fd);
	}
	free(path);
	return yes;
}

/* Masters hold a lock on their pid file for life, Cyrus's too; where it is they are told on the command line, unless the option
 * says. */
static bool pid_file_held(const struct conf *c)
{
	const char *path = conf_str(c, OPT_MASTER_PID_FILE);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool held = fd >= 0 && fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
	if (fd >= 0) close(fd);
	return held;
}

static const char *why_not(const struct conf *c)
{
	if (master_answers(c) || pid_file_held(c)) return "the server runs: stop it first";
	if (procfile_each(c, alive, NULL) > 0) return "processes of the server run: stop them first";
	return NULL;
}

/* ------------------------------------------------------------------------------------------------ what differs */

struct view {
	struct store *st;
	struct hash *lines;                  /* name -> its record as JSON */
	struct strarray names;               /* in the list's order */
	enum conf_level level;
};

static int note(void *arg, const struct mbentry *e)
{
	struct view *v = arg;
	struct buf b = BUF_INIT;
	mboxdump_json(e, v->st->layout->level, &v->st->ns, &b);
	hash_puts(v->lines, e->name, buf_take(&b));
	strarray_append(&v->names, e->name);
	return 0;
}

static int look(struct view *v, struct conf *c, const char *path)
{
	*v = (struct view){ .lines = hash_new() };
	int r = access(path, F_OK) < 0 ? ERR_NOTFOUND : store_open_list(&v->st, c, path, false);
	if (!r && cyrusdb_consistent(v->st->mboxlist)) r = ERR_BADFORMAT;
	if (!r) r = mboxlist_each(v->st, NULL, MBOXLIST_ALL, note, v);
	if (!r) v->level = v->st->layout->level;
	store_close(v->st);
	v->st = NULL;
	return r;
}

static void forget(struct view *v)
{
	hash_free(v->lines, free);
	strarray_free(&v->names);
}

static void tell(const struct view *now, const struct view *then)
{
	size_t more = 0, less = 0, other = 0;
	for (size_t i = 0; i < then->names.n; i++) {
		const char *name = then->names.v[i], *was = hash_gets(then->lines, name), *is = hash_gets(now->lines, name);
		if (is && !strcmp(is, was)) continue;
		printf("%c %s\n", is ? '~' : '+', name);
		if (is) other++;
		else more++;
	}
	for (size_t i = 0; i < now->names.n; i++) {
		if (hash_gets(then->lines, now->names.v[i])) continue;
		printf("- %s\n", now->names.v[i]);
		less++;
	}
	printf("%zu records in the snapshot; %zu come back, %zu are lost, %zu change\n", then->names.n, more, less, other);
}

/* ------------------------------------------------------------------------------------------------ the file */

static int complain(const char *what, const char *detail)
{
	fprintf(stderr, "ctl_mboxlist: %s%s%s\n", what, *detail ? ": " : "", detail);
	return EX_CANTCREAT;
}

/* Nobody may hold a lock on the present list while it is replaced; who waits for it finds the new one. */
static int swap(const char *fresh, const char *list)
{
	char *old = mem_printf("%s.before-restore", list);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(list, O_RDWR | O_CLOEXEC), r = 0;
	bool had = fd >= 0 || errno != ENOENT;
	if (access(old, F_OK) == 0) r = complain("this is there from an earlier time, move it away first", old);
	else if (fd >= 0 && fcntl(fd, F_SETLK, &l) < 0) r = complain("somebody has the list locked", list);
	else if (had && link(list, old) < 0) r = complain("cannot keep the list that is there", strerror(errno));
	else if (rename(fresh, list) < 0 || file_sync_parent(list) < 0)
		r = complain("cannot put the snapshot in its place", strerror(errno));
	else if (had) printf("restored; the old one is %s\n", old);
	else puts("restored; there was none before");
	if (fd >= 0) close(fd);
	free(old);
	return r;
}

static int restore(struct conf *c, const char *list, const char *fresh, bool dry)
{
	struct view then, now;
	const char *why = dry ? NULL : why_not(c);
	if (why) return complain(why, "");
	int r = look(&then, c, fresh), rc = 0;
	if (r || !then.names.n) {
		rc = complain(r ? "the snapshot cannot be read" : "the snapshot is empty", r ? err_text(r) : "");
	} else {
		r = look(&now, c, list);
		if (r == ERR_NOTFOUND) puts("there is no list now");
		else if (r) printf("the list that is there cannot be read: %s\n", err_text(r));
		if (!r && now.names.n && now.level != then.level) rc = complain("the snapshot is in another layout than the list", "");
		else tell(&now, &then);
		forget(&now);
	}
	forget(&then);
	if (!rc && dry) puts("nothing was changed");
	else if (!rc) rc = swap(fresh, list);
	return rc;
}

static char *snapshot_path(struct conf *c, const char *snapshot, const char *list)
{
	if (strcmp(snapshot, "1") && strcmp(snapshot, "2")) return *snapshot == '/' ? mem_strdup(snapshot) : NULL;
	const char *slash = strrchr(list, '/');
	return mem_printf("%s/db.backup%s/%s", conf_dir(c), snapshot, slash ? slash + 1 : list);
}

int mboxrestore(struct conf *c, const char *list, const char *snapshot, bool dry)
{
	struct buf usual = BUF_INIT;
	const struct store where = { .conf = c };
	if (!list) {
		path_conf(&where, OPT_MBOXLIST_DB_PATH, "mailboxes.db", &usual);
		list = buf_cstr(&usual);
	}
	char *from = snapshot_path(c, snapshot, list), *fresh = mem_printf("%s.NEW", list);
	int rc;
	unlink(fresh);
	/* a copy: looking into a file may recover it, and a snapshot stays as it is */
	if (!from) rc = complain("a snapshot is 1, 2 or an absolute path", "");
	else if (file_copy(from, fresh, 0600) < 0) rc = complain(from, strerror(errno));
	else rc = restore(c, list, fresh, dry);
	unlink(fresh);
	free(fresh);
	free(from);
	buf_free(&usual);
	return rc;
}
