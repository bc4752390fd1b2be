/* check_imapd.c - master -T: imapd.conf. Each program reads the file under its own name, and takes options that carry that
 * name in front: so the file is checked once for each name, and what several find is told once (spec/config.md 1.1, 3). */
#include "base/mem.h"
#include "conf/lint.h"
#include "conf/program.h"
#include "master/check_priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Services whose imapd.conf must define partitions (spec/master.md 17). */
static const char *const data_services[] = { "imapd", "pop3d", "lmtpd", "nntpd", "httpd", "sync_server" };

static const char built_in[] = SYSCONFDIR "/imapd.conf";

struct reading {                       /* of one file under one name */
	struct check *check;
	const struct conf *conf;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool needs_data(const struct cyrusconf_entry *e)
{
	for (size_t i = 0; e->section == SECTION_SERVICES && i < sizeof data_services / sizeof *data_services; i++)
		if (!strcmp(base_name(e->argv.v[0]), data_services[i])) return true;
	return false;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return !strncmp(path, dir, n) && path[n] == '/';
}

/* Programs of others may mean anything by -C, and read what they like. */
static bool is_ours(const struct cyrusconf_entry *e)
{
	const char *word = e->argv.n ? e->argv.v[0] : NULL;
	return word && (*word != '/' || below(word, LIBEXECDIR) || below(word, SBINDIR) || needs_data(e));
}

/* The file that -C names, as the program will find it; NULL: none. */
static const char *own_conf(const struct cyrusconf_entry *e)
{
	for (size_t i = 1; i + 1 < e->argv.n; i++)
		if (!strcmp(e->argv.v[i], "-C")) return e->argv.v[i + 1];
	return NULL;
}

static void check_merged(struct check *k, const struct cyrusconf_entry *e)
{
	for (size_t i = 1; i < e->argv.n; i++) {
		const char *word = e->argv.v[i], *next = i + 1 < e->argv.n ? e->argv.v[i + 1] : NULL;
		if (word[0] != '-' || !word[1]) continue;
		if (word[2])
			check_entry(k, PROBLEM_ERROR, e, "service %s: options and arguments MUST be separated by whitespace: %s", e->name,
				word);
		else if (next && (strchr("CUT", word[1]) || *next != '-')) i++;
	}
}

static void on_problem(void *arg, enum conf_problem how, const char *file, unsigned line, const char *text)
{
	check_tell(arg, how == CONF_ERROR ? PROBLEM_ERROR : PROBLEM_WARNING, file, line, "%s", text);
}

static void tell_idle(struct check *k, const struct conf *c)
{
	const char *file;
	unsigned line;
	for (int i = 0; i < OPT_COUNT; i++)
		if (conf_is_idle((enum conf_opt)i) && conf_where(c, (enum conf_opt)i, &file, &line))
			check_tell(k, PROBLEM_NOTE, file, line, "option %s has no effect in this version", conf_row((enum conf_opt)i)->name);
}

static void tell_unknown(void *arg, const char *key, const char *value)
{
	struct reading *r = arg;
	const char *file;
	unsigned line;
	(void)value;
	if (!lint_known(key, &r->check->idents) && conf_where_overflow(r->conf, key, &file, &line))
		check_tell(r->check, PROBLEM_WARNING, file, line, "unknown option %s: nobody reads it", key);
}

static void need_directory(struct check *k, const char *name, const char *path, const char *file, unsigned line)
{
	struct stat st;
	int err = stat(path, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (err) check_tell(k, PROBLEM_WARNING, file, line, "%s: %s: %s", name, path, strerror(err));
}

static void need_partition(void *arg, const char *key, const char *value)
{
	struct reading *r = arg;
	const char *file;
	unsigned line;
	bool spool = strstr(key, "partition-") && !strstr(key, "searchpartition-") && lint_known(key, &r->check->idents);
	if (spool && conf_where_overflow(r->conf, key, &file, &line))
		need_directory(r->check, key, value, file, line);
}

/* The file for one name; the caller frees the result. first: what does not depend on the name is looked at too. */
static struct conf *check_reading(struct check *k, const char *path, const char *ident, bool need_data, bool first)
{
	struct conf *c;
	const char *file;
	unsigned line;
	conf_check(&c, path, ident, need_data, on_problem, k);
	struct reading r = { k, c };
	tell_idle(k, c);
	if (first) conf_each_overflow(c, tell_unknown, &r);
	if (need_data) conf_each_overflow(c, need_partition, &r);
	if (need_data && conf_where(c, OPT_CONFIGDIRECTORY, &file, &line))
		need_directory(k, "configdirectory", conf_str(c, OPT_CONFIGDIRECTORY), file, line);
	return c;
}

/* Whom master becomes must be there: it does not start otherwise. */
static void check_account(struct check *k, const struct conf *c)
{
	const char *file = conf_path(c), *group = getenv("CYRUS_GROUP");
	unsigned line = 0;
	conf_where(c, OPT_CYRUS_USER, &file, &line);
	if (!getpwnam(program_user(c)))
		check_tell(k, PROBLEM_ERROR, file, line, "no entry in password database for %s", program_user(c));
	if (!group || !*group) group = conf_str(c, OPT_CYRUS_GROUP);
	file = conf_path(c);
	line = 0;
	conf_where(c, OPT_CYRUS_GROUP, &file, &line);
	if (group && *group && !getgrnam(group)) check_tell(k, PROBLEM_ERROR, file, line, "no entry in group database for %s", group);
}

static void collect_idents(struct check *k, const struct cyrusconf *c)
{
	strarray_append(&k->idents, "master");
	for (size_t i = 0; i < c->n; i++) {
		const struct cyrusconf_entry *e = &c->entries[i];
		if (e->section == SECTION_SERVICES || e->section == SECTION_DAEMON) strarray_append(&k->idents, e->name);
		if (e->section != SECTION_SERVICES && e->argv.n) strarray_append(&k->idents, base_name(e->argv.v[0]));
	}
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;
	if (!strcmp(a, b)) return true;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void check_program_conf(struct check *k, const struct cyrusconf_entry *e, struct hash *seen)
{
	const char *path = own_conf(e);
	if (e->section == SECTION_SERVICES) check_merged(k, e);
	if (!path && k->imapd && !same_file(k->imapd, built_in))
		check_entry(k, PROBLEM_WARNING, e, "%s has no -C and reads %s, not the file that was given to master", e->name,
			built_in);
	const char *file = path ? path : built_in, *ident = e->section == SECTION_SERVICES ? e->name : base_name(e->argv.v[0]);
	conf_free(check_reading(k, path, ident, needs_data(e), !hash_gets(seen, file)));
	hash_puts(seen, file, k);
}

void check_imapd(struct check *k, const struct cyrusconf *c)
{
	struct hash *seen = hash_new();
	collect_idents(k, c);
	struct conf *own = check_reading(k, k->imapd, "master", false, true);
	check_account(k, own);
	conf_free(own);
	hash_puts(seen, k->imapd ? k->imapd : built_in, k);
	for (size_t i = 0; i < c->n; i++)
		if (is_ours(&c->entries[i])) check_program_conf(k, &c->entries[i], seen);
	hash_free(seen, NULL);
}
