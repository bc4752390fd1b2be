/* ipurge.c - expunges messages by age or size (spec/tools.md 3, spec/mailbox.md 17). */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/cacherec.h"
#include "store/mailbox.h"
#include "sys/clock.h"
#include "tools/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum by { BY_NOTHING, BY_DAYS, BY_SIZE };
enum { DAY = 24 * 60 * 60 };

struct purge {
	struct toolbox *t;
	enum by by;
	uint64_t limit;                       /* days or bytes */
	bool exact, arrival, inverted, spare_flagged, only_deleted;      /* -x -X -i -s -o */
	bool private_too, names, dry, verbose;                           /* -f -M -n -v */
	bool level36;
	char **patterns;
	int n, status;
};

struct sums { uint64_t messages, bytes, gone, gone_bytes; };

/* ------------------------------------------------------------------------------------------------ which messages */

static bool by_days(const struct purge *p, const struct index_record *r)
{
	int64_t age = (int64_t)clock_now() - (p->arrival ? r->internaldate : r->sentdate);
	if (p->exact) return age >= 0 && (uint64_t)age / DAY == p->limit;
	return age > 0 && (uint64_t)age > p->limit * DAY;
}

static bool matches(const struct purge *p, const struct index_record *r)
{
	if (p->only_deleted && !(r->system_flags & FLAG_DELETED)) return false;
	if (p->spare_flagged && r->system_flags & FLAG_FLAGGED) return false;
	bool yes = p->by == BY_DAYS ? by_days(p, r) : p->exact ? r->size == p->limit : r->size > p->limit;
	return yes != p->inverted;
}

/* ------------------------------------------------------------------------------------------------ -n: what would go */

static void cache_line(const char *label, struct text item)
{
	printf("\t%s: ", label);
	for (size_t i = 0; i < item.n; i++) {
		unsigned char c = (unsigned char)item.s[i];
		if (c < ' ' || c == 0x7f) printf("\\%03o", c);
		else putchar(c);
	}
	putchar('\n');
}

static void date_line(const char *label, int64_t when)
{
	time_t v = (time_t)when;
	char text[32];
	printf("\t%s: %s", label, ctime_r(&v, text) ? text : "?\n");
}

static void describe(struct mailbox *mb, const struct index_record *r)
{
	static const struct { const char *label; enum cache_item item; } items[] = {
		{ "From", CACHE_FROM }, { "To  ", CACHE_TO }, { "Cc  ", CACHE_CC }, { "Bcc ", CACHE_BCC }, { "Subj", CACHE_SUBJECT },
	};
	const char *p;
	size_t n;
	struct cacherec rec;
	printf("UID: %u\n\tSize: %llu\n", r->uid, (unsigned long long)r->size);
	date_line("Sent", r->sentdate);
	date_line("Recv", r->internaldate);
	if (!mailbox_cache(mb, r, &p, &n) && !cacherec_parse(p, n, &rec))
		for (size_t i = 0; i < sizeof items / sizeof *items; i++) cache_line(items[i].label, rec.item[items[i].item]);
	putchar('\n');
}

/* ------------------------------------------------------------------------------------------------ a mailbox */

static int look(struct purge *p, struct mailbox *mb, struct sums *s)
{
	struct index_record r;
	int err = 0;
	for (uint32_t n = 1; n <= mb->h.num_records && !err; n++) {
		/* damaged ones are reconstruct's */
		if (mailbox_record(mb, n, &r) || !r.uid || r.system_flags & FLAG_EXPUNGED) continue;
		s->messages++;
		s->bytes += r.size;
		if (!matches(p, &r)) continue;
		s->gone++;
		s->gone_bytes += r.size;
		if (p->dry) {
			describe(mb, &r);
		} else {
			r.system_flags |= FLAG_EXPUNGED;
			err = mailbox_rewrite(mb, &r, false);
		}
	}
	return err;
}

static void report(const struct purge *p, const struct sums *s)
{
	const char *total = p->level36 ? "Total" : "total";
	const struct { const char *what; uint64_t n; } rows[] = {
		{ "messages    ", s->messages }, { "bytes       ", s->bytes }, { "Deleted messages  ", s->gone },
		{ "Deleted bytes     ", s->gone_bytes }, { "Remaining messages", s->messages - s->gone },
		{ "Remaining bytes   ", s->bytes - s->gone_bytes },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		printf("%s%s%s\t\t %llu\n", i < 2 ? total : "", i < 2 ? " " : "", rows[i].what, (unsigned long long)rows[i].n);
}

static bool is_named(const struct purge *p, const struct mbentry *e)
{
	char *ext = toolbox_external(p->t, e);
	bool yes = !p->n;
	for (int i = 0; i < p->n && !yes; i++) yes = !strcmp(p->patterns[i], ext);
	free(ext);
	return yes;
}

static int one(void *arg, const struct mbentry *e)
{
	struct purge *p = arg;
	struct mailbox *mb;
	struct sums s = { 0 };
	if (e->flags & (MBENTRY_REMOTE | MBENTRY_MOVING) || (e->parts.localpart && !p->private_too) || (p->names && !is_named(p, e)))
		return 0;
	if (!p->level36 || p->verbose) printf("Working on %s...\n", e->name);
	int r = mailbox_open(p->t->st, e->name, &mb);
	if (!r) {
		r = mailbox_lock(mb, p->dry ? LOCK_SHARED : LOCK_EXCLUSIVE);
		if (!r) {
			r = look(p, mb, &s);
			if (r) mailbox_abort(mb);
			int r2 = mailbox_unlock(mb);
			if (!r) r = r2;
		}
		mailbox_close(&mb);
	}
	if (r) {
		fprintf(stderr, "ipurge: %s: %s\n", e->name, err_text(r));
		p->status = EX_TEMPFAIL;
	} else {
		report(p, &s);
		if (s.gone && !p->dry) log_msg(LOG_NOTICE, "ipurge: expunged %llu messages from %s", (unsigned long long)s.gone, e->name);
	}
	fflush(stdout);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ arguments */

/* Misuse ends with status 0, as scripts know it. */
static int usage(void)
{
	printf("usage: ipurge [-f] [-s] [-C <alt_config>] [-x] [-X] [-i] [-o] [-M] [-n] [-v] {-d days | -b bytes|-k Kbytes|-m "
		"Mbytes}\n" "\t[mboxpattern1 ... [mboxpatternN]]\n"
		"\tthere are no defaults and at least one of -d, -b, -k, -m\n"
		"\tmust be specified\n");
	return 0;
}

/* A number that is none must not mean 0: that would be everything. */
static bool criterion(struct purge *p, int opt, const char *text)
{
	static const struct { char letter; enum by by; uint64_t unit; } rows[] = {
		{ 'd', BY_DAYS, 1 }, { 'b', BY_SIZE, 1 }, { 'k', BY_SIZE, 1024 }, { 'm', BY_SIZE, 1024 * 1024 },
	};
	uint64_t v;
	if (!num_str_u64(text, &v) || v > UINT32_MAX) {
		fprintf(stderr, "ipurge: -%c: not a number: %s\n", opt, text);
		return false;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].letter != opt || p->by) continue;                 /* only the first one given counts */
		p->by = rows[i].by;
		p->limit = v * rows[i].unit;
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	struct toolbox t = { 0 };
	struct purge p = { .t = &t };
	int opt, rc;
	while ((opt = getopt(argc, argv, "C:d:b:k:m:fxXisoMnv")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'd': case 'b': case 'k': case 'm':
		if (!criterion(&p, opt, optarg)) return EX_USAGE;
		break;
	case 'f': p.private_too = true; break;
	case 'x': p.exact = true; break;
	case 'X': p.arrival = true; break;
	case 'i': p.inverted = true; break;
	case 's': p.spare_flagged = true; break;
	case 'o': p.only_deleted = true; break;
	case 'M': p.names = true; break;
	case 'n': p.dry = true; break;
	case 'v': p.verbose = true; break;
	default: return usage();
	}
	if (!p.by) {
		puts("One of these must be specified -d, -b -k, -m");
		return usage();
	}
	if ((rc = toolbox_open(&t, alt, "ipurge", false))) return rc;
	p.level36 = t.st->layout->level == LEVEL_36;
	p.patterns = argv + optind;
	p.n = argc - optind;
	if (toolbox_each(&t, p.patterns, p.n, 0, one, &p)) p.status = EX_TEMPFAIL;
	toolbox_close(&t);
	return p.status;
}
