/* conf.c - struct conf: the table, reading a file into it, the checks after loading, typed access. See conf.h. */
#include "conf/conf_priv.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct conf_row table[OPT_COUNT] = {
#define OPTION(id, name, type, unit, def25, def36, words, versions, since, now, meaning) \
	{ name, CONF_##type, unit, def25, def36, words, versions, since, now, meaning },
#include "conf/options.def"
#undef OPTION
};

static const bool idle[OPT_COUNT] = {
#define IDLE(id) [OPT_##id] = true,
#include "conf/idle.def"
#undef IDLE
};

const struct conf_row *conf_row(enum conf_opt o) { return &table[o]; }
bool conf_is_idle(enum conf_opt o) { return idle[o]; }

const char *conf_type_name(enum conf_type t)
{
	static const char *const names[] = { "string", "integer", "switch", "word", "word", "words", "duration", "size", "pattern" };
	return names[t];
}

/* 583 names, looked up a few dozen times when a program starts: a scan is fast enough and needs no state. */
int conf_find(const char *name)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (table[i].type != CONF_KEY && !strcmp(table[i].name, name)) return i;
	return -1;
}

/* ---- values: the file's, a deprecated name's, the default's */

static const struct conf_value *default_of(const struct conf *c, enum conf_opt o)
{
	return &c->def[c->level == LEVEL_25 ? 0 : 1][o];
}

/* What was set under a deprecated name of o. */
static const struct conf_value *old_name(const struct conf *c, enum conf_opt o)
{
	const struct conf_value *v = c->old[o];
	return v && v->text ? v : NULL;
}

/* At level 2.5 the old name wins over the new, at 3.6 the new over the old (spec/config.md 4.1). */
static const struct conf_value *value_set(const struct conf *c, enum conf_opt o)
{
	const struct conf_value *old = old_name(c, o), *own = c->set[o].text ? &c->set[o] : NULL;
	if (c->level == LEVEL_25) return old ? old : own;
	return own ? own : old;
}

static const struct conf_value *value_of(const struct conf *c, enum conf_opt o)
{
	const struct conf_value *v = value_set(c, o);
	return v ? v : default_of(c, o);
}

/* ---- loading */

static void load_defaults(struct conf *c)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		const char *text[2] = { table[i].def25, table[i].def36 };
		for (int l = 0; l < 2; l++) {
			if (!text[l]) continue;
			c->def[l][i].text = mem_strdup(text[l]);
			conf_type_parse(&table[i], text[l], &c->def[l][i].num, NULL);
		}
	}
}

struct aliased {
	struct conf_report *report;
	const char *option;
};

static void warn_alias(void *arg, const char *alias, const char *word)
{
	struct aliased *a = arg;
	conf_warn(a->report, "Value '%s' for option '%s' is deprecated in favor of value '%s'.", alias, a->option, word);
}

/* Gives values set under deprecated names to their successors, with a warning. */
static int map_deprecated(struct conf *c, struct conf_report *r)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct conf_row *row = &table[i];
		if (!c->set[i].text) continue;
		struct aliased alias = { r, row->name };
		conf_report_at(r, c, &c->set[i]);
		if (c->wanted != LEVEL_25) conf_type_aliases(row, c->set[i].text, warn_alias, &alias);
		if (!row->dep_since) continue;
		if (!row->dep_now) {
			conf_warn(r, "Option '%s' is deprecated since version %s.", row->name, row->dep_since);
			continue;
		}
		conf_warn(r, "Option '%s' is deprecated in favor of '%s' since version %s.", row->name, row->dep_now, row->dep_since);
		int now = conf_find(row->dep_now);
		if (now < 0) continue;
		/* tlscache_db was free text once: the successor's type decides */
		if (table[now].type == row->type || !conf_type_parse(&table[now], c->set[i].text, &c->set[i].num, NULL)) {
			c->old[now] = &c->set[i];
			continue;
		}
		int rc = conf_fail(r, "invalid value '%.200s' for %s", c->set[i].text, row->name);
		if (rc) return rc;
	}
	return 0;
}

static void expand(struct conf *c, struct conf_value *v)
{
	static const char var[] = "{configdirectory}";
	if (!v->text || strncasecmp(v->text, var, sizeof var - 1)) return;
	char *full = mem_printf("%s%s", c->dir, v->text + sizeof var - 1);
	free(v->text);
	v->text = full;
}

static int load_confdir(struct conf *c, struct conf_report *r)
{
	const char *dir = c->set[OPT_CONFIGDIRECTORY].text;
	if (!dir) return conf_fail(r, "configdirectory option not specified in configuration file");
	c->dir = mem_strdup(dir);
	for (int i = 0; i < OPT_COUNT; i++) {
		if (table[i].type != CONF_STR) continue;
		expand(c, &c->set[i]);
		expand(c, &c->def[0][i]);
		expand(c, &c->def[1][i]);
	}
	return 0;
}

static bool any_partition(const struct conf *c)
{
	static const char part[] = "partition-";
	size_t skip = strlen(c->ident) + 1;
	for (size_t i = 0; i < c->nkeys; i++) {
		const char *k = c->keys[i]->key;
		if (!strncmp(k, part, sizeof part - 1)) return true;
		if (!strncasecmp(k, c->ident, skip - 1) && strlen(k) > skip && k[skip - 1] == '_'
			&& !strncmp(k + skip, part, sizeof part - 1))
			return true;
	}
	return false;
}

static int check_partitions(struct conf *c, bool need_data, struct conf_report *r)
{
	char *p = c->set[OPT_DEFAULTPARTITION].text;
	for (char *q = p; q && *q; q++) {
		if (!isascii((unsigned char)*q) || !isalnum((unsigned char)*q)) {
			if (!r->fn) log_msg(LOG_ERR, "INVALID defaultpartition: %s", p);
			return conf_fail(r, "defaultpartition option contains non-alnum character");
		}
		*q = (char)tolower((unsigned char)*q);
	}
	if (!need_data) return 0;
	if (p && !conf_partition(c, "partition-", p))
		return conf_fail(r, "partition-%.200s option not specified in configuration file", p);
	bool frontend = conf_str(c, OPT_MUPDATE_SERVER) && !strcmp(conf_word(c, OPT_MUPDATE_CONFIG), "standard")
		&& !conf_str(c, OPT_PROXYSERVERS);
	if (!p && !frontend && !any_partition(c))
		return conf_fail(r, "partition-<name> option not specified in configuration file");
	return 0;
}

static void load_servername(struct conf *c)
{
	char host[256];
	const char *name = conf_str(c, OPT_SERVERNAME);
	if (!name) {
		if (gethostname(host, sizeof host)) strcpy(host, "localhost");
		host[sizeof host - 1] = 0;
		name = host;
	}
	c->servername = mem_strdup(name);
}

static int load(struct conf *c, const char *path, bool need_data, struct conf_report *r)
{
	int rc = conf_parse(c, path ? path : SYSCONFDIR "/imapd.conf", r);
	if (!rc && !c->files.n) return 0;          /* checking, and it could not be opened */
	if (!rc) rc = load_confdir(c, r);
	if (rc) return rc;
	c->wanted = (enum conf_level)conf_enum(c, OPT_COMPATIBILITY_LEVEL);
	rc = map_deprecated(c, r);
	conf_set_level(c, c->wanted == LEVEL_AUTO ? LEVEL_36 : c->wanted);
	r->file = c->path;
	r->line = 0;
	if (!rc && c->set[OPT_DEFAULTPARTITION].text) conf_report_at(r, c, &c->set[OPT_DEFAULTPARTITION]);
	if (!rc) rc = check_partitions(c, need_data, r);
	if (!rc) load_servername(c);
	return rc;
}

static struct conf *conf_new(const char *ident)
{
	struct conf *c = mem_zalloc(sizeof *c);
	c->ident = mem_strdup(ident);
	c->overflow = hash_new();
	c->level = LEVEL_36;
	load_defaults(c);
	return c;
}

int conf_load(struct conf **out, const char *path, const char *ident, bool need_data, struct conf_error *err)
{
	struct conf *c = conf_new(ident);
	struct conf_report r = { .err = err };
	*out = NULL;
	int rc = load(c, path, need_data, &r);
	if (rc) conf_free(c);
	else *out = c;
	return rc;
}

unsigned conf_check(struct conf **out, const char *path, const char *ident, bool need_data, conf_problem_fn *fn, void *arg)
{
	struct conf_report r = { .fn = fn, .arg = arg };
	*out = conf_new(ident);
	load(*out, path, need_data, &r);
	return r.errors;
}

void conf_free(struct conf *c)
{
	if (!c) return;
	for (int i = 0; i < OPT_COUNT; i++) {
		free(c->set[i].text);
		free(c->def[0][i].text);
		free(c->def[1][i].text);
	}
	for (int i = 0; i < OPT_COUNT; i++) free(c->words[i]);
	for (size_t i = 0; i < c->nkeys; i++) {
		free(c->keys[i]->key);
		free(c->keys[i]->value);
		free(c->keys[i]);
	}
	free(c->keys);
	strarray_free(&c->files);
	hash_free(c->overflow, NULL);
	free(c->ident);
	free(c->path);
	free(c->dir);
	free(c->servername);
	free(c);
}

/* ---- access */

enum conf_level conf_level(const struct conf *c) { return c->level; }
enum conf_level conf_level_wanted(const struct conf *c) { return c->wanted; }
const char *conf_ident(const struct conf *c) { return c->ident; }
const char *conf_path(const struct conf *c) { return c->path; }
const char *conf_dir(const struct conf *c) { return c->dir; }
const char *conf_servername(const struct conf *c) { return c->servername; }

void conf_set_level(struct conf *c, enum conf_level level)
{
	c->level = level == LEVEL_25 ? LEVEL_25 : LEVEL_36;
	/* conf_word() answers from here, so that it can stay const */
	for (int i = 0; i < OPT_COUNT; i++) {
		if (table[i].type != CONF_ENUM && table[i].type != CONF_LIST) continue;
		const struct conf_value *v = value_of(c, (enum conf_opt)i);
		free(c->words[i]);
		c->words[i] = v->text ? conf_type_word(&table[i], (int)v->num) : NULL;
	}
}

const char *conf_str(const struct conf *c, enum conf_opt o) { return value_of(c, o)->text; }
bool conf_bool(const struct conf *c, enum conf_opt o) { return value_of(c, o)->num != 0; }
long conf_int(const struct conf *c, enum conf_opt o) { return (long)value_of(c, o)->num; }
int64_t conf_seconds(const struct conf *c, enum conf_opt o) { return value_of(c, o)->num; }
int64_t conf_bytes(const struct conf *c, enum conf_opt o) { return value_of(c, o)->num; }
int conf_enum(const struct conf *c, enum conf_opt o) { return (int)value_of(c, o)->num; }
uint64_t conf_bits(const struct conf *c, enum conf_opt o) { return (uint64_t)value_of(c, o)->num; }
bool conf_is_set(const struct conf *c, enum conf_opt o) { return value_set(c, o) != NULL; }
const char *conf_word(const struct conf *c, enum conf_opt o) { return c->words[o]; }

const char *conf_overflow(const struct conf *c, const char *key)
{
	char *lower = mem_printf("%s_%s", c->ident, key);
	for (char *q = lower; *q; q++) *q = (char)tolower((unsigned char)*q);
	const struct conf_key *k = hash_gets(c->overflow, lower);
	if (!k) k = hash_gets(c->overflow, lower + strlen(c->ident) + 1);
	free(lower);
	return k ? k->value : NULL;
}

void conf_each_overflow(const struct conf *c, void (*fn)(void *arg, const char *key, const char *value), void *arg)
{
	for (size_t i = 0; i < c->nkeys; i++) fn(arg, c->keys[i]->key, c->keys[i]->value);
}

static bool where(const struct conf *c, unsigned at_file, unsigned at_line, const char **file, unsigned *line)
{
	*file = c->files.v[at_file];
	*line = at_line;
	return true;
}

bool conf_where(const struct conf *c, enum conf_opt o, const char **file, unsigned *line)
{
	const struct conf_value *v = value_set(c, o);
	return v && where(c, v->file, v->line, file, line);
}

bool conf_where_overflow(const struct conf *c, const char *key, const char **file, unsigned *line)
{
	const struct conf_key *k = hash_gets(c->overflow, key);
	return k && where(c, k->file, k->line, file, line);
}

const char *conf_partition(const struct conf *c, const char *kind, const char *name)
{
	char *key = mem_printf("%s%s", kind, name);
	const char *v = conf_overflow(c, key);
	free(key);
	return v;
}

char *conf_show(const struct conf *c, enum conf_opt o)
{
	const struct conf_value *v = value_of(c, o);
	if (!v->text) return NULL;
	if (table[o].type == CONF_BOOL) return mem_strdup(v->num ? "yes" : "no");
	return mem_strdup(v->text);
}

bool conf_is_default(const struct conf *c, enum conf_opt o)
{
	const struct conf_value *v = value_of(c, o), *d = default_of(c, o);
	if (v == d) return true;
	if (!v->text || !d->text) return v->text == d->text;
	return table[o].type == CONF_STR ? !strcmp(v->text, d->text) : v->num == d->num;
}
