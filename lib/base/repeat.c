/* repeat.c - see repeat.h. */
#include "base/repeat.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* Every run of digits counts as one digit: ages, pids and descriptors do not make a line new. */
static uint64_t key_of(const char *line)
{
	char masked[2048];
	size_t n = 0;
	for (const char *p = line; *p && n < sizeof masked; p++) {
		bool digit = *p >= '0' && *p <= '9';
		if (digit && n && masked[n - 1] == '0') continue;
		masked[n++] = digit ? '0' : *p;
	}
	return hash_bytes(masked, n);
}

static bool over(const struct repeat_kind *k, int64_t now) { return now == INT64_MAX || now - k->began >= REPEAT_WINDOW; }

static void finish(struct repeat *r, struct repeat_kind *k)
{
	char text[REPEAT_TEXT + 64];
	unsigned long more = k->more;
	k->passed = 0;
	k->more = 0;
	if (!more) return;
	r->counting--;
	snprintf(text, sizeof text, "%lu more line%s like: %s", more, more == 1 ? "" : "s", k->last);
	r->emit(r->arg, k->priority, text);
}

static struct repeat_kind *find(struct repeat *r, uint64_t key, int priority)
{
	for (size_t i = 0; i < REPEAT_KINDS; i++)
		if (r->kinds[i].passed && r->kinds[i].key == key && r->kinds[i].priority == priority) return &r->kinds[i];
	return NULL;
}

/* A free slot, or that of the kind that began first. */
static struct repeat_kind *make_room(struct repeat *r)
{
	struct repeat_kind *oldest = &r->kinds[0];
	for (size_t i = 0; i < REPEAT_KINDS; i++) {
		if (!r->kinds[i].passed) return &r->kinds[i];
		if (r->kinds[i].began < oldest->began) oldest = &r->kinds[i];
	}
	finish(r, oldest);
	return oldest;
}

bool repeat_pass(struct repeat *r, int64_t now, int priority, const char *line)
{
	if (LOG_PRI(priority) > LOG_WARNING) return true;
	uint64_t key = key_of(line);
	struct repeat_kind *k = find(r, key, priority);
	if (k && over(k, now)) finish(r, k);       /* the slot is free then, and begins anew */
	if (!k) k = make_room(r);
	if (!k->passed) {
		k->key = key;
		k->priority = priority;
		k->began = now;
		k->more = 0;
	}
	if (k->passed < REPEAT_PASS) {
		k->passed++;
		return true;
	}
	r->counting += !k->more++;
	snprintf(k->last, sizeof k->last, "%s", line);
	return false;
}

void repeat_flush(struct repeat *r, int64_t now)
{
	for (size_t i = 0; i < REPEAT_KINDS; i++)
		if (r->kinds[i].passed && over(&r->kinds[i], now)) finish(r, &r->kinds[i]);
}

int64_t repeat_due(const struct repeat *r)
{
	int64_t due = INT64_MAX;
	if (!r->counting) return due;      /* asked on every pass of a loop */
	for (size_t i = 0; i < REPEAT_KINDS; i++) {
		const struct repeat_kind *k = &r->kinds[i];
		if (k->passed && k->more && k->began + REPEAT_WINDOW < due) due = k->began + REPEAT_WINDOW;
	}
	return due;
}
