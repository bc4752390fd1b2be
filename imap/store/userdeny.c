/* userdeny.c - see userdeny.h. */
#include "store/userdeny.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/fields.h"

#include <stdlib.h>
#include <string.h>

void userdeny_free(struct userdeny *d)
{
	free(d->patterns);
	free(d->message);
	*d = (struct userdeny){ 0 };
}

int userdeny_parse(const char *p, size_t len, struct userdeny *d)
{
	const char *end = p + len, *tab;
	*d = (struct userdeny){ 0 };
	if (!len || memchr(p, 0, len) || !field_u32(&p, end, '\t', &d->version)) return ERR_BADFORMAT;
	tab = memchr(p, '\t', (size_t)(end - p));
	if (d->version < 1 || d->version > 2 || (d->version == 1 && tab)) return ERR_BADFORMAT;
	d->patterns = mem_dup(p, (size_t)((tab ? tab : end) - p));
	if (tab) d->message = mem_dup(tab + 1, (size_t)(end - tab - 1));
	return 0;
}

void userdeny_print(const struct userdeny *d, struct buf *out)
{
	buf_printf(out, "%u\t%s", d->version, d->patterns);
	if (d->message) buf_printf(out, "\t%s", d->message);
}

/* '*' and '?', greedy on the last star. */
static bool wild(const char *pat, size_t n, const char *s)
{
	const char *end = pat + n, *star = NULL, *back = NULL;
	while (*s) {
		if (pat < end && *pat == '*') star = pat++, back = s;
		else if (pat < end && (*pat == '?' || *pat == *s)) pat++, s++;
		else if (star) pat = star + 1, s = ++back;
		else return false;
	}
	while (pat < end && *pat == '*') pat++;
	return pat == end;
}

bool userdeny_applies(const struct userdeny *d, const char *service)
{
	for (const char *p = d->patterns; *p;) {
		size_t n = strcspn(p, ",");
		bool not = *p == '!';
		if (n > (size_t)not && wild(p + not, n - not, service)) return !not;
		p += n + (p[n] == ',');
	}
	return false;
}
