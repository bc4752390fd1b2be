/* conf_type.c - what the text of an option means, by type (spec/config.md 2). Pure functions over a row of the table. */
#include "conf/conf_priv.h"

#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r\n\v\f"

/* The lists are words separated by one blank; each word may carry aliases: "tzdist=timezone". */
struct words {
	const char *at;
	int index;
};

static bool words_next(struct words *w, const char **s, size_t *n)
{
	if (!*w->at) return false;
	*s = w->at;
	*n = strcspn(w->at, " ");
	w->at += *n;
	if (*w->at) w->at++;
	w->index++;
	return true;
}

/* Is `text` (n bytes) the word or an alias of it? *canon is the length of the word itself, *alias whether it was one. */
static bool word_is(const char *entry, size_t len, const char *text, size_t n, bool *alias)
{
	*alias = false;
	for (;;) {
		const char *eq = memchr(entry, '=', len);
		size_t part = eq ? (size_t)(eq - entry) : len;
		if (part == n && !memcmp(entry, text, n)) return true;
		if (!eq) return false;
		len -= part + 1;
		entry += part + 1;
		*alias = true;
	}
}

static int word_find(const char *values, const char *text, size_t n, const char **entry, size_t *len, bool *alias)
{
	struct words w = { values ? values : "", -1 };
	while (words_next(&w, entry, len))
		if (word_is(*entry, *len, text, n, alias)) return w.index;
	return -1;
}

char *conf_type_word(const struct conf_row *row, int index)
{
	struct words w = { row->values ? row->values : "", -1 };
	const char *s;
	size_t n;
	while (words_next(&w, &s, &n))
		if (w.index == index) {
			const char *eq = memchr(s, '=', n);
			return mem_dup(s, eq ? (size_t)(eq - s) : n);
		}
	return NULL;
}

static enum conf_bad parse_int(const char *text, int64_t *num)
{
	char *end;
	errno = 0;
	long v = strtol(text, &end, 0);
	if (errno || end == text || *end) return CONF_BAD_INT;
	*num = v;
	return CONF_GOOD;
}

static enum conf_bad parse_bool(const char *t, int64_t *num)
{
	if (*t == '0' || *t == 'n' || *t == 'f' || (*t == 'o' && t[1] == 'f')) *num = 0;
	else if (*t == '1' || *t == 'y' || *t == 't' || (*t == 'o' && t[1] == 'n')) *num = 1;
	else return CONF_BAD_BOOL;
	return CONF_GOOD;
}

/* In a list that knows on and off, the other spellings of a switch mean them. */
static const char *switch_word(const char *values, const char *text)
{
	static const char *const on[] = { "1", "yes", "t", "true", NULL }, *const off[] = { "0", "no", "f", "false", NULL };
	const char *entry;
	size_t len;
	bool alias;
	for (int i = 0; on[i]; i++) {
		if (!strcmp(text, on[i]) && word_find(values, "on", 2, &entry, &len, &alias) >= 0) return "on";
		if (!strcmp(text, off[i]) && word_find(values, "off", 3, &entry, &len, &alias) >= 0) return "off";
	}
	return text;
}

static enum conf_bad parse_word(const struct conf_row *row, const char *text, int64_t *num, char **bad)
{
	const char *entry, *word = row->type == CONF_ENUM ? switch_word(row->values, text) : text;
	size_t len;
	bool alias;
	int i = word_find(row->values, word, strlen(word), &entry, &len, &alias);
	if (i < 0) {
		if (bad) *bad = mem_strdup(text);
		return CONF_BAD_WORD;
	}
	*num = i;
	return CONF_GOOD;
}

static enum conf_bad parse_bits(const struct conf_row *row, const char *text, int64_t *num, char **bad)
{
	const char *entry;
	size_t len;
	bool alias;
	uint64_t bits = 0;
	for (text += strspn(text, BLANK); *text; text += strspn(text, BLANK)) {
		size_t n = strcspn(text, BLANK);
		int i = word_find(row->values, text, n, &entry, &len, &alias);
		if (i < 0 || i > 63) {
			if (bad) *bad = mem_dup(text, n);
			return CONF_BAD_WORD;
		}
		bits |= (uint64_t)1 << i;
		text += n;
	}
	*num = (int64_t)bits;
	return CONF_GOOD;
}

static int64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	default: return 0;
	}
}

/* Digits at *p; false without one or when the value leaves the 63 bits. */
static bool digits(const char **p, int64_t *v)
{
	if (**p < '0' || **p > '9') return false;
	for (*v = 0; **p >= '0' && **p <= '9'; ++*p)
		if (__builtin_mul_overflow(*v, (int64_t)10, v) || __builtin_add_overflow(*v, (int64_t)(**p - '0'), v)) return false;
	return true;
}

static enum conf_bad parse_dur(const char *text, char unit, int64_t *num)
{
	const char *p = text;
	int64_t sum = 0, v;
	bool minus = *p == '-';
	if (minus) p++;
	do {
		if (!digits(&p, &v)) return CONF_BAD_DUR;
		int64_t scale = unit_seconds(*p ? *p : unit);
		if (!scale || (!*p && sum)) return CONF_BAD_DUR;
		if (__builtin_mul_overflow(v, scale, &v) || __builtin_add_overflow(sum, v, &sum)) return CONF_BAD_DUR;
		if (!*p) break;
	} while (*++p);
	*num = minus ? -sum : sum;
	return CONF_GOOD;
}

static int unit_shift(char unit)
{
	switch (unit) {
	case 'k': case 'K': return 10;
	case 'm': case 'M': return 20;
	case 'g': case 'G': return 30;
	default: return 0;
	}
}

static enum conf_bad parse_bytes(const char *text, char unit, int64_t *num)
{
	const char *p = text;
	int64_t v;
	if (!digits(&p, &v)) return CONF_BAD_BYTES;
	bool bare = !*p;
	p += strspn(p, BLANK);
	int shift = bare ? unit_shift(unit) : unit_shift(*p);
	if (!bare && shift && (*++p == 'i' || *p == 'I')) p++;
	if (*p == 'b' || *p == 'B') p++;
	if (*p || v > (INT64_MAX >> shift)) return CONF_BAD_BYTES;
	*num = v << shift;
	return CONF_GOOD;
}

enum conf_bad conf_type_parse(const struct conf_row *row, const char *text, int64_t *num, char **bad)
{
	*num = 0;
	if (bad) *bad = NULL;
	switch (row->type) {
	case CONF_INT: return parse_int(text, num);
	case CONF_BOOL: return parse_bool(text, num);
	case CONF_ENUM: case CONF_LIST: return parse_word(row, text, num, bad);
	case CONF_BITS: return parse_bits(row, text, num, bad);
	case CONF_DUR: return parse_dur(text, row->unit, num);
	case CONF_BYTES: return parse_bytes(text, row->unit, num);
	case CONF_STR: case CONF_KEY: break;
	}
	return CONF_GOOD;
}

void conf_type_aliases(const struct conf_row *row, const char *text, void (*fn)(void *arg, const char *alias, const char *word),
	void *arg)
{
	if (row->type != CONF_BITS && row->type != CONF_LIST && row->type != CONF_ENUM) return;
	for (text += strspn(text, BLANK); *text; text += strspn(text, BLANK)) {
		const char *entry;
		size_t len, n = strcspn(text, BLANK);
		bool alias = false;
		int i = word_find(row->values, text, n, &entry, &len, &alias);
		if (i >= 0 && alias) {
			char *old = mem_dup(text, n), *word = conf_type_word(row, i);
			fn(arg, old, word);
			free(old);
			free(word);
		}
		text += n;
	}
}
