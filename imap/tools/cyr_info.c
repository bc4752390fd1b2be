/* cyr_info.c - prints the configuration, what in it nobody reads, the processes that run, what master counts, the formats of the
 * store (spec/tools.md 3). */
#include "base/buf.h"
#include "base/mem.h"
#include "conf/lint.h"
#include "conf/procfile.h"
#include "conf/program.h"
#include "master/conf_cyrus.h"
#include "master/watch.h"
#include "store/paths.h"
#include "store/store.h"
#include "sys/file.h"
#include "tools/storeinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- conf, conf-all, conf-default */

enum show { SHOW_CHANGED, SHOW_ALL, SHOW_DEFAULTS };

static int by_name(const void *a, const void *b)
{
	return strcmp(conf_row(*(const enum conf_opt *)a)->name, conf_row(*(const enum conf_opt *)b)->name);
}

static void print_line(void *arg, const char *key, const char *value)
{
	char *line = mem_printf("%s: %s", key, value);
	strarray_take(arg, line);
}

static void print_option(const struct conf *c, enum conf_opt o, enum show how)
{
	const struct conf_row *row = conf_row(o);
	const char *def = conf_level(c) == LEVEL_25 ? row->def25 : row->def36;
	char *v = how == SHOW_DEFAULTS ? NULL : conf_show(c, o);
	if (how == SHOW_DEFAULTS && def) v = mem_strdup(row->type != CONF_BOOL ? def : strcmp(def, "on") ? "no" : "yes");
	/* a set of words prints each word behind a blank: nothing at all when it is empty */
	if (row->type == CONF_BITS && (!v || !*v)) printf("%s:\n", row->name);
	else printf("%s: %s\n", row->name, v ? v : "");
	free(v);
}

static int show_conf(const struct conf *c, enum show how)
{
	enum conf_opt sorted[OPT_COUNT];
	for (int i = 0; i < OPT_COUNT; i++) sorted[i] = (enum conf_opt)i;
	qsort(sorted, OPT_COUNT, sizeof *sorted, by_name);
	for (int i = 0; i < OPT_COUNT; i++) {
		if (conf_row(sorted[i])->type == CONF_KEY) continue;
		if (how != SHOW_CHANGED || !conf_is_default(c, sorted[i])) print_option(c, sorted[i], how);
	}
	if (how == SHOW_DEFAULTS) return 0;
	struct strarray lines = STRARRAY_INIT;
	conf_each_overflow(c, print_line, &lines);
	strarray_sort(&lines);
	for (size_t i = 0; i < lines.n; i++) puts(lines.v[i]);
	strarray_free(&lines);
	return 0;
}

/* ---- conf-lint */

static void print_unknown(void *arg, const char *key, const char *value)
{
	(void)arg;
	printf("%s: %s\n", key, value);
}

/* The services that may have options of their own: all names of cyrus.conf. A file that cannot be read gives none. */
static void service_names(const char *path, struct strarray *out)
{
	struct buf text = BUF_INIT;
	struct cyrusconf conf = CYRUSCONF_INIT;
	struct cyrusconf_error err;
	if (file_read(path, 1 << 24, &text)) fprintf(stderr, "can't read %s\n", path);
	else if (cyrusconf_parse(&conf, text.s, text.len, true, NULL, NULL, &err))
		fprintf(stderr, "%s, line %u: %s\n", path, err.line, err.text);
	else for (size_t i = 0; i < conf.n; i++) strarray_append(out, conf.entries[i].name);
	cyrusconf_free(&conf);
	buf_free(&text);
}

static int lint(const struct conf *c, const char *cyrusconf)
{
	struct strarray services = STRARRAY_INIT;
	service_names(cyrusconf, &services);
	lint_conf(c, &services, print_unknown, NULL);
	strarray_free(&services);
	return 0;
}

/* What is written in the file and does nothing here. */
static int show_idle(const struct conf *c)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (conf_is_set(c, (enum conf_opt)i) && conf_is_idle((enum conf_opt)i)) print_option(c, (enum conf_opt)i, SHOW_CHANGED);
	return 0;
}

/* ---- proc */

static int print_proc(void *arg, const struct procfile *p)
{
	(void)arg;
	printf("%ld %s %s %s %s %s\n", (long)p->pid, p->service, p->host, p->user, p->mailbox, p->command);
	return 0;
}

static int show_proc(const struct conf *c)
{
	procfile_each(c, print_proc, NULL);              /* no directory: nobody runs */
	return 0;
}

/* ---- master */

static int ask_master(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval patience = { 10, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	if (strlen(path) >= sizeof un.sun_path) {
		errno = ENAMETOOLONG;
	} else {
		memcpy(un.sun_path, path, strlen(path) + 1);
		if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience)
			&& !connect(fd, (struct sockaddr *)&un, sizeof un)) return fd;
	}
	int e = errno;
	close(fd);
	errno = e;
	return -1;
}

/* What a running master says of its services. */
static int show_master(const struct conf *c)
{
	struct buf text = BUF_INIT, path = BUF_INIT;
	char block[8192];
	ssize_t n = -1;
	buf_printf(&path, "%s/" WATCH_SOCKET, conf_dir(c));
	int fd = ask_master(buf_cstr(&path)), e = errno;
	while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0) buf_append(&text, block, (size_t)n);
	if (fd >= 0 && n < 0) e = errno;
	size_t end = strlen(WATCH_END);
	bool whole = n == 0 && text.len >= end && !memcmp(text.s + text.len - end, WATCH_END, end);
	if (text.len) fwrite(text.s, 1, whole ? text.len - end : text.len, stdout);
	if (n < 0) fprintf(stderr, "no master answers at %s: %s\n", buf_cstr(&path), strerror(e));
	else if (!whole) fprintf(stderr, "the answer of master at %s breaks off\n", buf_cstr(&path));
	if (fd >= 0) close(fd);
	buf_free(&text);
	buf_free(&path);
	return whole ? 0 : EX_UNAVAILABLE;
}

static int usage(const char *name)
{
	fprintf(stderr, "Usage: %s [-C <altconfig>] [-M <cyrus.conf>] [-n appname] command\n\n"
		"Where command is one of:\n\n"
		"  * conf          - show config options that differ from default\n"
		"  * conf-all      - show all config options\n"
		"  * conf-default  - show default config for all options\n"
		"  * conf-lint     - show unknown config options\n"
		"  * conf-idle     - show config options that are set and have no effect\n"
		"  * proc          - show running processes\n"
		"  * master        - show what master says of its services\n"
		"  * store         - show the formats of the store, and which releases can open it\n", name);
	return 255;
}

static int run(struct conf *c, const char *command, const char *cyrusconf, const char *name)
{
	if (!strcmp(command, "conf")) return show_conf(c, SHOW_CHANGED);
	if (!strcmp(command, "conf-all")) return show_conf(c, SHOW_ALL);
	if (!strcmp(command, "conf-default") || !strcmp(command, "conf-defaults")) return show_conf(c, SHOW_DEFAULTS);
	if (!strcmp(command, "conf-lint")) return lint(c, cyrusconf);
	if (!strcmp(command, "conf-idle")) return show_idle(c);
	if (!strcmp(command, "proc")) return show_proc(c);
	if (!strcmp(command, "master")) return show_master(c);
	if (!strcmp(command, "store")) return storeinfo(c);
	return usage(name);
}

/* Level auto: which release's defaults hold is the store's to say. No store yet: those of a new one. */
static void settle_level(struct conf *c)
{
	struct buf path = BUF_INIT;
	struct store *st = NULL;
	const struct store where = { .conf = c };
	path_conf(&where, OPT_MBOXLIST_DB_PATH, "mailboxes.db", &path);
	if (conf_level_wanted(c) == LEVEL_AUTO && access(buf_cstr(&path), R_OK) == 0) store_open(&st, c, false);
	store_close(st);
	buf_free(&path);
}

int main(int argc, char **argv)
{
	const char *alt = NULL, *service = "cyr_info", *cyrusconf = SYSCONFDIR "/cyrus.conf";
	int opt;
	while ((opt = getopt(argc, argv, "C:M:n:")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'M': cyrusconf = optarg; break;
	case 'n': service = optarg; break;
	default: return usage(argv[0]);
	}
	if (optind + 1 != argc) return usage(argv[0]);
	struct conf *c;
	int r = program_init(&c, alt, service, 0);
	if (r) return r;
	settle_level(c);
	r = run(c, argv[optind], cyrusconf, argv[0]);
	conf_free(c);
	return fflush(stdout) && !r ? EX_IOERR : r;
}
