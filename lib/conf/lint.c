/* lint.c - see lint.h; cyr_info conf-lint is the caller. */
#include "conf/lint.h"

#include <string.h>

struct pattern {
	const char *front, *back;        /* NULL: anything, but at least one byte */
};

static const struct pattern patterns[] = {
	{ "partition-", NULL }, { "metapartition-", NULL }, { "archivepartition-", NULL }, { "backuppartition-", NULL },
	{ "sasl_", NULL }, { "xlist-", NULL },
	{ NULL, "_password" }, { NULL, "_mechs" }, { NULL, "_client_cert" }, { NULL, "_client_key" },
};

static bool matches(const struct pattern *p, const char *key)
{
	size_t n = strlen(key), f = p->front ? strlen(p->front) : 0, b = p->back ? strlen(p->back) : 0;
	return n > f + b && (!f || !memcmp(key, p->front, f)) && (!b || !memcmp(key + n - b, p->back, b));
}

/* CHANNEL_sync_host and its like: the part from "sync_" on is an option. */
static bool channel_key(const char *key)
{
	const char *s = strstr(key, "_sync_");
	return s && s != key && conf_find(s + 1) >= 0;
}

static bool plain_known(const char *key)
{
	if (conf_find(key) >= 0 || channel_key(key) || !strcmp(key, "srvtab") || !strcmp(key, "autocreate_acl")) return true;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (matches(&patterns[i], key)) return true;
	const char *tier = strstr(key, "searchpartition-");
	return tier && tier != key && tier[sizeof "searchpartition-" - 1];
}

bool lint_known(const char *key, const struct strarray *services)
{
	if (plain_known(key)) return true;
	for (size_t i = 0; i < services->n; i++) {
		size_t n = strlen(services->v[i]);
		if (!strncasecmp(key, services->v[i], n) && key[n] == '_' && plain_known(key + n + 1)) return true;
	}
	return false;
}

struct walk {
	const struct strarray *services;
	void (*fn)(void *arg, const char *key, const char *value);
	void *arg;
};

static void check(void *arg, const char *key, const char *value)
{
	struct walk *w = arg;
	if (!lint_known(key, w->services)) w->fn(w->arg, key, value);
}

void lint_conf(const struct conf *c, const struct strarray *services,
	void (*fn)(void *arg, const char *key, const char *value), void *arg)
{
	struct walk w = { services, fn, arg };
	conf_each_overflow(c, check, &w);
}
