/* cyr_dbtool.c - looks into a database file and changes it by hand (spec/tools.md 3). Keys and values are bytes; on standard
 * input a line is KEY TAB VALUE; batches have a syntax of their own. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/program.h"
#include "db/dbconf.h"
#include "tools/dbbatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct tool {
	struct cyrusdb *db;
	struct cyrusdb_txn *txn;
	bool use_txn;
	int rc;                          /* the last cyrusdb error of a change */
};

static struct cyrusdb_txn **txn_of(struct tool *t) { return t->use_txn ? &t->txn : NULL; }

static int fatal(const char *text, const char *detail, const char *end, int code)
{
	fprintf(stderr, "fatal error: %s%s%s\n", text, detail, end);
	return code;
}

/* ---- actions on one key */

static void do_get(struct tool *t, const char *key, size_t keylen, const char *val, size_t vallen)
{
	const char *v;
	size_t n;
	(void)val, (void)vallen;
	if (!keylen || cyrusdb_fetch(t->db, key, keylen, &v, &n, NULL)) v = "", n = 0;
	fwrite(v, 1, n, stdout);
	putchar('\n');
}

/* Keys as they arrive: those of a block are looked up under one lock, and told without it. */
static void get_lines(struct tool *t)
{
	enum { BLOCK = 65536 };
	struct buf in = BUF_INIT, out = BUF_INIT;
	ssize_t got = 1;
	while (got > 0 && !t->rc) {
		buf_reserve(&in, BLOCK);
		got = read(STDIN_FILENO, in.s + in.len, BLOCK);
		if (got > 0) in.len += (size_t)got;
		else if (in.len) buf_putc(&in, '\n');                   /* the last line may lack its end */
		t->rc = cyrusdb_hold(t->db);
		size_t at = 0;
		for (char *end; !t->rc && at < in.len && (end = memchr(in.s + at, '\n', in.len - at)); at = (size_t)(end - in.s) + 1) {
			const char *tab = memchr(in.s + at, '\t', (size_t)(end - in.s) - at), *v;
			size_t n = (size_t)((tab ? tab : end) - in.s) - at;
			if (n && !cyrusdb_fetch(t->db, in.s + at, n, &v, &n, NULL)) buf_append(&out, v, n);
			buf_putc(&out, '\n');
		}
		if (!t->rc) cyrusdb_release(t->db);
		memmove(in.s, in.s + at, in.len - at);
		in.len -= at;
		fwrite(buf_cstr(&out), 1, out.len, stdout);
		buf_reset(&out);
	}
	buf_free(&in);
	buf_free(&out);
}

static void do_set(struct tool *t, const char *key, size_t keylen, const char *val, size_t vallen)
{
	int r = cyrusdb_store(t->db, key, keylen, val, vallen, txn_of(t));
	if (r) t->rc = r;
}

static void do_delete(struct tool *t, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)val, (void)vallen;
	int r = cyrusdb_delete(t->db, key, keylen, txn_of(t), true);
	if (r) t->rc = r;
}

typedef void on_key(struct tool *t, const char *key, size_t keylen, const char *val, size_t vallen);

static void each_line(struct tool *t, on_key *fn)
{
	char *line = NULL;
	size_t alloc = 0;
	for (ssize_t n; !t->rc && (n = getline(&line, &alloc, stdin)) >= 0;) {
		if (n && line[n - 1] == '\n') n--;
		const char *tab = memchr(line, '\t', (size_t)n);
		size_t keylen = tab ? (size_t)(tab - line) : (size_t)n;
		fn(t, line, keylen, tab ? tab + 1 : "", tab ? (size_t)n - keylen - 1 : 0);
	}
	free(line);
}

static void finish(struct tool *t)
{
	if (!t->txn) return;
	int r = t->rc ? cyrusdb_abort(t->db, t->txn) : cyrusdb_commit(t->db, t->txn);
	if (r) t->rc = r;
	t->txn = NULL;
}

/* ---- batch (dbbatch.h) */

static int show_words(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct buf b = BUF_INIT;
	(void)arg;
	dbbatch_words(key, keylen, val, vallen, &b);
	fwrite(b.s, 1, b.len, stdout);
	buf_free(&b);
	return 0;
}

static int batch(void *arg, const struct dbbatch *b)
{
	struct tool *t = arg;
	const char *v;
	size_t n;
	switch (b->what) {
	case DBBATCH_BEGIN:
		if (t->use_txn) return ERR_LOCKED;
		t->use_txn = true;
		return 0;
	case DBBATCH_COMMIT:
	case DBBATCH_ABORT:
		if (!t->use_txn) return ERR_NOTFOUND;
		t->use_txn = false;
		t->rc = b->what == DBBATCH_ABORT;
		finish(t);
		if (b->what == DBBATCH_ABORT) t->rc = 0;
		break;
	case DBBATCH_SHOW:
		t->rc = cyrusdb_foreach(t->db, b->key.s ? b->key.s : "", b->key.len, NULL, show_words, NULL, txn_of(t));
		break;
	case DBBATCH_GET:
		if (b->key.len && !cyrusdb_fetch(t->db, b->key.s, b->key.len, &v, &n, txn_of(t))) show_words(NULL, b->key.s, b->key.len, v, n);
		break;
	case DBBATCH_SET:
		t->rc = cyrusdb_store(t->db, b->key.s, b->key.len, b->value.s ? b->value.s : "", b->value.len, txn_of(t));
		break;
	case DBBATCH_DELETE:
		t->rc = cyrusdb_delete(t->db, b->key.s, b->key.len, txn_of(t), true);
	}
	return t->rc ? ERR_IO : 0;
}

/* ---- actions */

static void act_key(struct tool *t, on_key *fn, char **args, int n)
{
	if (n) fn(t, args[0], strlen(args[0]), n > 1 ? args[1] : "", n > 1 ? strlen(args[1]) : 0);
	else each_line(t, fn);
	finish(t);
}

static void act_show(struct tool *t, char **args, int n)
{
	int r = cyrusdb_dumpfile(t->db, n ? args[0] : "", n ? strlen(args[0]) : 0, stdout, NULL);
	if (r) t->rc = r;
}
static void act_get(struct tool *t, char **args, int n)
{
	if (n) act_key(t, do_get, args, n);
	else get_lines(t);
}
static void act_set(struct tool *t, char **args, int n) { act_key(t, do_set, args, n); }
static void act_delete(struct tool *t, char **args, int n) { act_key(t, do_delete, args, n); }
static void act_dump(struct tool *t, char **args, int n) { t->rc = cyrusdb_dump(t->db, n ? atoi(args[0]) : 1); }
static void act_repack(struct tool *t, char **args, int n) { (void)args, (void)n; t->rc = cyrusdb_repack(t->db); }
static void act_consistent(struct tool *t, char **args, int n)
{
	(void)args, (void)n;
	puts(cyrusdb_consistent(t->db) ? "No, not consistent" : "Yes, consistent");
}
static void act_batch(struct tool *t, char **args, int n)
{
	(void)args, (void)n;
	t->use_txn = false;
	if ((dbbatch_run(stdin, batch, t) || t->use_txn) && !t->rc) t->rc = CYRUSDB_DONE;      /* told already: what is open is given up */
	finish(t);
	if (t->rc == CYRUSDB_DONE) t->rc = 0;
}

/* Leaves a transaction open and dies: what recovery is tested with. */
static void act_damage(struct tool *t, char **args, int n)
{
	t->use_txn = true;
	if (n) do_set(t, args[0], strlen(args[0]), n > 1 ? args[1] : "", n > 1 ? strlen(args[1]) : 0);
	else each_line(t, do_set);
	_exit(1);
}

static const struct { const char *name; void (*fn)(struct tool *t, char **args, int n); } actions[] = {
	{ "show", act_show }, { "get", act_get }, { "set", act_set }, { "delete", act_delete }, { "dump", act_dump },
	{ "consistent", act_consistent }, { "repack", act_repack }, { "damage", act_damage }, { "batch", act_batch },
};

static int usage(const char *name)
{
	fprintf(stderr, "Usage: %s [-C altconfig] <old db> <old db backend> <action> [<key>] [<value>]\n", name);
	fprintf(stderr, "Usable Backends:  ");
	for (const char *const *e = cyrusdb_engines(); *e; e++) fprintf(stderr, "%s%s", e == cyrusdb_engines() ? "" : ", ", *e);
	fprintf(stderr, "\nActions:\n"
		"* show [<prefix>]\n* get [<key>]\n* set [<key> <value>]\n* delete [<key>]\n* dump - internal format dump\n"
		"* consistent - check consistency\n* repack - repack/checkpoint the DB\n* damage - start a commit then die during\n"
		"* batch - read commands from standard input and execute them\n"
		"You may omit key or key/value and specify one per line on stdin\n"
		"keys are terminated by tab or newline, values are terminated by newline\n");
	return 255;
}

static int run(struct conf *c, char **argv, int argc, int flags, bool use_txn)
{
	struct tool t = { .use_txn = use_txn };
	if (!cyrusdb_engine_known(argv[1]))
		return fatal("cyrusdb backend ", argv[1], " not supported", conf_level(c) == LEVEL_25 ? EX_TEMPFAIL : EX_CONFIG);
	struct cyrusdb_env *env = dbconf_env(c, false);
	if (cyrusdb_open(env, argv[1], argv[0], flags, &t.db)) {
		cyrusdb_env_free(env);
		return fatal("can't open database", "", "", EX_TEMPFAIL);
	}
	size_t i = 0, n = sizeof actions / sizeof *actions;
	while (i < n && strcmp(actions[i].name, argv[2])) i++;
	if (i == n) printf("Unknown action %s\n", argv[2]);
	else actions[i].fn(&t, argv + 3, argc - 3);
	if (t.rc) fprintf(stderr, "%s: %s\n", argv[2], cyrusdb_strerror(t.rc));
	cyrusdb_close(t.db);
	cyrusdb_env_free(env);
	return fflush(stdout) || t.rc ? EX_TEMPFAIL : 0;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	int flags = 0, opt;
	bool use_txn = true;
	while ((opt = getopt(argc, argv, "C:nMtTc")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'n': flags |= CYRUSDB_CREATE; break;
	case 'M': flags |= CYRUSDB_MBOXSORT; break;
	case 'c': flags |= CYRUSDB_CONVERT; break;
	case 't': use_txn = false; break;
	case 'T': use_txn = true; break;
	default: return usage(argv[0]);
	}
	if (argc - optind < 3) return usage(argv[0]);
	struct conf *c;
	int r = program_init(&c, alt, "cyr_dbtool", 0);
	if (r) return r;
	r = run(c, argv + optind, argc - optind, flags, use_txn);
	conf_free(c);
	return r;
}
