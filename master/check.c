/* check.c - master -T: collects problems, prints them in order; looks at the entries of cyrus.conf. See check.h. */
#include "master/check.h"
#include "base/buf.h"
#include "base/mem.h"
#include "conf/program.h"
#include "master/check_priv.h"
#include "master/events.h"
#include "sys/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

static unsigned file_number(struct check *k, const char *file)
{
	uintptr_t i = (uintptr_t)hash_gets(k->file_index, file);
	if (i) return (unsigned)i - 1;
	strarray_append(&k->files, file);
	hash_puts(k->file_index, file, (void *)(uintptr_t)k->files.n);
	return (unsigned)k->files.n - 1;
}

static void __attribute__((format(printf, 5, 0)))
vtell(struct check *k, enum problem_level level, const char *file, unsigned line, const char *fmt, va_list ap)
{
	struct buf text = BUF_INIT, key = BUF_INIT;
	buf_vprintf(&text, fmt, ap);
	unsigned number = file_number(k, file);
	buf_printf(&key, "%u:%u:%s", number, line, buf_cstr(&text));
	if (!hash_get(k->told, key.s, key.len)) {
		hash_put(k->told, key.s, key.len, k);
		MEM_GROW(k->v, k->alloc, k->n + 1);
		k->v[k->n] = (struct problem){ .level = level, .file = number, .line = line, .seq = k->n, .text = buf_take(&text) };
		k->n++;
		k->errors += level == PROBLEM_ERROR;
	}
	buf_free(&text);
	buf_free(&key);
}

void check_tell(struct check *k, enum problem_level level, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vtell(k, level, file, line, fmt, ap);
	va_end(ap);
}

void check_entry(struct check *k, enum problem_level level, const struct cyrusconf_entry *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vtell(k, level, k->cyrus, e->line, fmt, ap);
	va_end(ap);
}

static int by_place(const void *pa, const void *pb)
{
	const struct problem *a = pa, *b = pb;
	if (a->file != b->file) return a->file < b->file ? -1 : 1;
	if (a->line != b->line) return a->line < b->line ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* A problem stays on its line whatever the file holds. */
static void put_clean(const char *s, FILE *out)
{
	for (; *s; s++) putc((unsigned char)*s < ' ' || *s == 127 ? '?' : *s, out);
}

static void print(struct check *k, FILE *out)
{
	static const char *const words[] = { "error", "warning", "note" };
	if (k->n) qsort(k->v, k->n, sizeof *k->v, by_place);
	for (size_t i = 0; i < k->n; i++) {
		const struct problem *p = &k->v[i];
		put_clean(k->files.v[p->file], out);
		fprintf(out, ":%u: %s: ", p->line, words[p->level]);
		put_clean(p->text, out);
		putc('\n', out);
		free(p->text);
	}
	free(k->v);
}

/* ---- the entries, one at a time */

static void check_program(struct check *k, const struct cyrusconf_entry *e)
{
	static const char *const kinds[SECTION_COUNT] = { "start command", "service", "event", "daemon" };
	if (!e->argv.n) return;
	bool needed = e->section == SECTION_SERVICES || e->section == SECTION_DAEMON;
	char *path = program_path(e->argv.v[0]);
	if (!program_runnable(path))
		check_entry(k, needed ? PROBLEM_ERROR : PROBLEM_WARNING, e, "cannot find executable for %s '%s': %s",
			kinds[e->section], e->name, path);
	free(path);
}

static void check_numbers(struct check *k, const struct cyrusconf_entry *e)
{
	struct rlimit fds;
	bool limited = getrlimit(RLIMIT_NOFILE, &fds) == 0 && fds.rlim_max != RLIM_INFINITY;
	if (e->prefork < 0) check_entry(k, PROBLEM_WARNING, e, "prefork=%d counts as 0", e->prefork);
	if (e->maxchild == 0) check_entry(k, PROBLEM_NOTE, e, "maxchild=0: no worker will ever be started");
	else if (e->maxchild > 0 && e->maxchild < e->prefork)
		check_entry(k, PROBLEM_WARNING, e, "prefork=%d is more than maxchild=%d, which wins", e->prefork, e->maxchild);
	if (e->maxforkrate < 0) check_entry(k, PROBLEM_WARNING, e, "maxforkrate=%d counts as 0", e->maxforkrate);
	if (e->maxfds > 0 && limited && (rlim_t)e->maxfds > fds.rlim_max)
		check_entry(k, PROBLEM_WARNING, e, "maxfds=%d is above the hard limit, here %llu, which wins", e->maxfds,
			(unsigned long long)fds.rlim_max);
}

static void check_event(struct check *k, const struct cyrusconf_entry *e)
{
	struct cron cron;
	if (e->cron && cron_parse(&cron, e->cron))
		check_entry(k, PROBLEM_ERROR, e, "event %s: unreadable cron=\"%s\"", e->name, e->cron);
	if (e->period < 0) check_entry(k, PROBLEM_WARNING, e, "period=%d counts as 0", e->period);
	const char *wins = e->cron ? "cron" : e->at >= 0 ? "at" : NULL;
	if (wins && ((e->cron && e->at >= 0) || e->period > 0))
		check_entry(k, PROBLEM_WARNING, e, "event %s: %s wins, the other times are ignored", e->name, wins);
	if (!wins && e->period <= 0)
		check_entry(k, PROBLEM_NOTE, e, "event %s has no time: it runs once at start-up and after each reload", e->name);
}

static void check_entries(struct check *k, const struct cyrusconf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct cyrusconf_entry *e = &c->entries[i];
		check_program(k, e);
		check_numbers(k, e);
		if (e->section == SECTION_EVENTS) check_event(k, e);
	}
}

static void on_note(void *arg, enum cyrusconf_note how, unsigned line, const char *text)
{
	struct check *k = arg;
	check_tell(k, how == NOTE_ERROR ? PROBLEM_ERROR : PROBLEM_WARNING, k->cyrus, line, "%s", text);
}

static void read_cyrus(struct check *k, struct cyrusconf *c)
{
	struct buf text = BUF_INIT;
	if (file_read(k->cyrus, CYRUSCONF_SIZE_MAX, &text) == 0) cyrusconf_check(c, text.s, text.len, on_note, k);
	else check_tell(k, PROBLEM_ERROR, k->cyrus, 0, "can't open configuration file %s: %s", k->cyrus, strerror(errno));
	buf_free(&text);
}

int check_files(const char *imapd_conf, const char *cyrus_conf, FILE *out)
{
	struct check k = { .cyrus = cyrus_conf, .imapd = imapd_conf, .file_index = hash_new(), .told = hash_new() };
	struct cyrusconf c = CYRUSCONF_INIT;
	read_cyrus(&k, &c);
	check_entries(&k, &c);
	check_addresses(&k, &c);
	check_imapd(&k, &c);
	print(&k, out);
	cyrusconf_free(&c);
	hash_free(k.told, NULL);
	hash_free(k.file_index, NULL);
	strarray_free(&k.files);
	strarray_free(&k.idents);
	return k.errors ? EX_CONFIG : 0;
}
