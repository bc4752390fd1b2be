/* search.c - building search keys and evaluating those that the index record answers. See search.h; search_text.c looks at
 * text. */
#include "store/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/search_priv.h"
#include "text/date.h"

struct searchkey *searchkey_new(struct arena *a, enum search_op op)
{
	struct searchkey *k = arena_zalloc(a, sizeof *k);

	k->op = op;
	k->depth = 1;
	return k;
}

struct searchkey *searchkey_new_number(struct arena *a, enum search_op op, uint64_t n)
{
	struct searchkey *k = searchkey_new(a, op);

	k->number = n;
	return k;
}

struct searchkey *searchkey_new_day(struct arena *a, enum search_op op, int64_t day)
{
	struct searchkey *k = searchkey_new(a, op);

	k->day = day;
	return k;
}

static int range_cmp(const void *x, const void *y)
{
	const struct search_range *a = x, *b = y;

	return (a->lo > b->lo) - (a->lo < b->lo);
}

struct searchkey *searchkey_new_ranges(struct arena *a, enum search_op op, const struct search_range *r, size_t n)
{
	struct searchkey *k = searchkey_new(a, op);
	size_t m = 0;

	k->ranges = arena_alloc(a, n * sizeof *r);
	for (size_t i = 0; i < n; i++)
		k->ranges[i] = r[i].lo <= r[i].hi ? r[i] : (struct search_range){ r[i].hi, r[i].lo };
	qsort(k->ranges, n, sizeof *r, range_cmp);
	for (size_t i = 0; i < n; i++) {
		struct search_range *last = m ? &k->ranges[m - 1] : NULL;
		if (!last || k->ranges[i].lo > last->hi)
			k->ranges[m++] = k->ranges[i];
		else if (k->ranges[i].hi > last->hi)
			last->hi = k->ranges[i].hi;
	}
	k->nranges = m;
	return k;
}

static void free_text(void *arg)
{
	searchtext_free(arg);
}

struct searchkey *searchkey_new_text(struct arena *a, enum search_op op, const char *header, const struct charset *cs,
	const char *text, size_t n, unsigned canon)
{
	struct searchkey *k = searchkey_new(a, op);

	k->header = header ? arena_strdup(a, header) : NULL;
	searchtext_init(&k->text, cs, text, n, canon);
	arena_on_free(a, free_text, &k->text);
	return k;
}

int searchkey_add(struct searchkey *parent, struct searchkey *child)
{
	if (child->depth >= SEARCH_DEPTH_MAX)
		return ERR_LIMIT;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	if (parent->depth < child->depth + 1)
		parent->depth = child->depth + 1;
	return 0;
}

bool searchkey_has_modseq(const struct searchkey *k)
{
	if (k->op == SEARCH_MODSEQ)
		return true;
	for (k = k->first; k; k = k->next)
		if (searchkey_has_modseq(k))
			return true;
	return false;
}

static bool in_ranges(const struct searchkey *k, uint32_t n)
{
	size_t lo = 0, hi = k->nranges;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (k->ranges[mid].hi < n)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < k->nranges && k->ranges[lo].lo <= n;
}

static bool has_keyword(const struct search_message *m, uint64_t n)
{
	return n < 128 && m->user_flags && (m->user_flags[n / 32] >> (n % 32) & 1);
}

/* Keys that need text come last in AND and OR: they may have to read the message. */
static bool is_costly(const struct searchkey *k)
{
	if (k->op >= SEARCH_SUBJECT)
		return true;
	return k->op == SEARCH_NOT && k->first && k->first->op >= SEARCH_SUBJECT;
}

/* AND looks for a child that fails, OR for one that holds. The depth is bounded by searchkey_add(). */
static bool any_child(struct search_eval *e, const struct searchkey *k, bool wanted)
{
	for (int pass = 0; pass < 2; pass++)
		for (const struct searchkey *c = k->first; c; c = c->next)
			if (is_costly(c) == pass && search_eval(e, c) == wanted)
				return true;
	return false;
}

bool search_eval(struct search_eval *e, const struct searchkey *k)
{
	const struct search_message *m = e->m;
	int64_t age = (int64_t)e->now - (int64_t)m->internaldate;

	switch (k->op) {
	case SEARCH_ALL: return true;
	case SEARCH_NONE: return false;
	case SEARCH_AND: return !any_child(e, k, false);
	case SEARCH_OR: return any_child(e, k, true);
	case SEARCH_NOT: return !any_child(e, k, true);
	case SEARCH_MSGNO: return in_ranges(k, m->msgno);
	case SEARCH_UID: return in_ranges(k, m->uid);
	case SEARCH_FLAG: return (m->system_flags & k->number) == k->number;
	case SEARCH_KEYWORD: return has_keyword(m, k->number);
	case SEARCH_SEEN: return m->seen;
	case SEARCH_RECENT: return m->recent;
	case SEARCH_BEFORE: return date_local_day(m->internaldate) < k->day;
	case SEARCH_ON: return date_local_day(m->internaldate) == k->day;
	case SEARCH_SINCE: return date_local_day(m->internaldate) >= k->day;
	case SEARCH_SENTBEFORE: return date_local_day(m->sentdate) < k->day;
	case SEARCH_SENTON: return date_local_day(m->sentdate) == k->day;
	case SEARCH_SENTSINCE: return date_local_day(m->sentdate) >= k->day;
	case SEARCH_LARGER: return m->size > k->number;
	case SEARCH_SMALLER: return m->size < k->number;
	case SEARCH_OLDER: return age >= 0 && (uint64_t)age >= k->number;
	case SEARCH_YOUNGER: return age < 0 || (uint64_t)age <= k->number;
	case SEARCH_MODSEQ: return m->modseq >= k->number;
	default: return search_eval_text(e, k);
	}
}

bool searchkey_match(const struct searchkey *k, const struct search_message *m, time_t now)
{
	struct search_eval e = { .m = m, .now = now };
	bool r = search_eval(&e, k);

	search_eval_end(&e);
	return r;
}
