/* quota.c - the quota roots as a table, and their repair (spec/tools.md 3 and 3.2). */
#include "base/err.h"
#include "base/mem.h"
#include "store/quotascan.h"
#include "tools/json.h"
#include "tools/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct report {
	struct toolbox *t;
	bool json, any;
};

/* Roots are shown in internal form by 2.5, as an administrator sees names by 3.6. "dom!" is no mailbox name. */
static char *shown(struct toolbox *t, const char *root)
{
	struct mbname n;
	char *s = NULL;
	if (t->st->layout->level == LEVEL_36 && !mbname_from_internal(&n, root, &t->st->ns)) {
		s = mbname_external(&n, NULL, &t->st->ns);
		mbname_free(&n);
	}
	return s ? s : mem_strdup(root);
}

/* ------------------------------------------------------------------------------------------------ the table */

static int table_row(void *arg, const char *root, const struct quota *q)
{
	struct report *p = arg;
	char *name = shown(p->t, root);
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		const struct quota_resource_info *res = &quota_resources[i];
		if (q->limit[i] > 0) {
			printf("%8lld %8llu", (long long)q->limit[i],
				(unsigned long long)(q->used[i] / res->unit * 100) / (unsigned long long)q->limit[i]);
		} else {
			fputs(q->limit[i] ? "                 " : "       0         ", stdout);
		}
		printf("%9llu %20s %s\n", (unsigned long long)(q->used[i] / res->unit), res->name, name);
	}
	free(name);
	return 0;
}

static int json_row(void *arg, const char *root, const struct quota *q)
{
	struct report *p = arg;
	struct buf b = BUF_INIT;
	char *name = shown(p->t, root);
	buf_puts(&b, p->any ? ",\n  " : "\n  ");
	json_quote(&b, name);
	buf_puts(&b, ": {");
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		const struct quota_resource_info *res = &quota_resources[i];
		buf_printf(&b, "%s\n    \"%s\": {\n      \"used\": %llu", i ? "," : "", res->name, (unsigned long long)q->used[i]);
		if (q->limit[i] >= 0) buf_printf(&b, ",\n      \"limit\": %lld", (long long)q->limit[i] * res->unit);
		buf_puts(&b, "\n    }");
	}
	buf_puts(&b, "\n  }");
	fwrite(b.s, 1, b.len, stdout);
	buf_free(&b);
	free(name);
	p->any = true;
	return 0;
}

static int report(struct toolbox *t, const struct strarray *prefixes, bool json)
{
	struct report p = { .t = t, .json = json };
	int r = 0;
	fputs(json ? "{" : "   Quota   % Used     Used             Resource Root\n", stdout);
	for (size_t i = 0; i < prefixes->n && !r; i++) r = quota_each(t->st, prefixes->v[i], json ? json_row : table_row, &p);
	if (json) fputs(p.any ? "\n}\n" : "}\n", stdout);
	return r;
}

/* ------------------------------------------------------------------------------------------------ -f */

static void wrong_root(void *arg, const char *name, const char *recorded, const char *right)
{
	struct toolbox *t = arg;
	char *m = shown(t, name), *a = recorded ? shown(t, recorded) : NULL, *b = right ? shown(t, right) : NULL;
	printf("%s: quota root %s --> %s\n", m, a ? a : "(none)", b ? b : "(none)");
	free(m);
	free(a);
	free(b);
}

static void wrong_usage(void *arg, const char *root, enum quota_resource res, uint64_t was, uint64_t now)
{
	char *name = shown(arg, root);
	printf("%s: %s usage was %llu, now %llu\n", name, quota_resources[res].name, (unsigned long long)was,
		(unsigned long long)now);
	free(name);
}

static void removed(void *arg, const char *root)
{
	char *name = shown(arg, root);
	printf("%s: removed\n", name);
	free(name);
}

static int scan(struct toolbox *t, const struct strarray *prefixes, bool fix)
{
	struct quotascan s = { .st = t->st, .fix = fix, .wrong_root = wrong_root, .wrong_usage = wrong_usage, .removed = removed,
		.arg = t };
	int worst = 0;
	for (size_t i = 0; i < prefixes->n; i++) {
		int r = quotascan_run(&s, prefixes->v[i]);
		if (r) worst = r;
	}
	return worst;
}

/* ------------------------------------------------------------------------------------------------ arguments */

/* What the arguments mean as prefixes of root names. */
static int collect(struct toolbox *t, char **args, int n, const char *domain, bool users, struct strarray *out)
{
	if (!n) strarray_take(out, domain ? mem_printf("%s!", domain) : mem_strdup(""));
	for (int i = 0; i < n; i++) {
		struct mbname m;
		int r = users ? mbname_from_userid(&m, args[i], &t->st->ns) : mbname_from_external(&m, args[i], NULL, &t->st->ns);
		if (r) {
			fprintf(stderr, "quota: %s: %s\n", args[i], err_text(r));
			return r;
		}
		if (domain && !m.domain) m.domain = mem_strdup(domain);
		strarray_take(out, mbname_internal(&m, &t->st->ns));
		mbname_free(&m);
	}
	return 0;
}

static int usage(void)
{
	struct toolbox t = { 0 };
	fprintf(stderr, "usage: quota [-C <alt_config>] [-d <domain>] [-f] [-n] [-q] [-J] [prefix]...\n"
		"       quota [-C <alt_config>] [-d <domain>] [-f] [-n] [-q] [-J] -u user...\n");
	return toolbox_usage_status(&t);
}

int main(int argc, char **argv)
{
	const char *alt = NULL, *domain = NULL;
	bool fix = false, quiet = false, dry = false, users = false, json = false;
	struct toolbox t = { 0 };
	struct strarray prefixes = STRARRAY_INIT;
	int opt, rc;
	while ((opt = getopt(argc, argv, "C:d:fqnuJZ")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'd': domain = optarg; break;
	case 'f': fix = true; break;
	case 'q': quiet = true; break;
	case 'n': dry = true; break;
	case 'u': users = true; break;
	case 'J': json = true; break;
	case 'Z':
		fprintf(stderr, "quota: option -Z is not supported\n");
		return EX_USAGE;
	default: return usage();
	}
	if (users && optind == argc) return usage();
	if ((rc = toolbox_open(&t, alt, "quota", false))) return rc;
	int r = collect(&t, argv + optind, argc - optind, domain, users, &prefixes);
	if (r) rc = EX_DATAERR;
	if (!r && (fix || dry) && (r = scan(&t, &prefixes, !dry))) {
		fprintf(stderr, "quota: %s\n", err_text(r));
		rc = EX_TEMPFAIL;
	}
	if (!rc && !quiet && report(&t, &prefixes, json)) rc = EX_TEMPFAIL;
	strarray_free(&prefixes);
	toolbox_close(&t);
	return rc;
}
