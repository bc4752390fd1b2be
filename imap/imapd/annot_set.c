/* annot_set.c - who may set which annotation to what, and doing it. See annot.h. */
#include "imapd/annot.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/index_format.h"
#include "store/specialuse.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"
#include "text/date.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void annot_set_add(struct annot_set *set, const char *entry, bool shared, const char *value, size_t len)
{
	MEM_GROW(set->v, set->alloc, set->n + 1);
	set->v[set->n++] = (struct annots_change){ entry, shared, value, value ? len : 0 };
}

/* ------------------------------------------------------------------------------------------------ values */

static bool is(const struct annots_change *c, const char *word)
{
	return c->len == strlen(word) && !memcmp(c->value, word, c->len);
}

/* As strtoll() reads it: blanks and a sign may stand before the digits, of which there may be many. */
static bool is_int(const struct annots_change *c, const char *signs)
{
	size_t i = 0, digits;
	while (i < c->len && strchr(" \t", c->value[i]) && c->value[i]) i++;
	if (i < c->len && c->value[i] && strchr(signs, c->value[i])) i++;
	for (digits = i; i < c->len && c->value[i] >= '0' && c->value[i] <= '9';) i++;
	return i > digits && i == c->len;
}

static bool is_uint(const struct annots_change *c)
{
	const char *p = c->value, *end = c->value + c->len;
	uint32_t v;
	return num_u32(&p, end, &v) && p == end;
}

/* What is to be done for one mailbox, or the server. */
struct doing {
	struct annot_set *set;
	struct annots_change *rows;
	size_t nrows;
	struct annots_options options;
	uint32_t show_after;
	const struct annots_change *files[4];
	size_t nfiles;
	struct buf use;                       /* the special use, spelt right */
};

static int check_use(struct doing *d, const struct mbentry *e, struct annots_change *c)
{
	struct session *s = d->set->s;
	buf_reset(&d->use);
	if (!c->len) return 0;
	if (memchr(c->value, 0, c->len)) return ERR_BADENTRY;
	int r = specialuse_parse(s->st, c->value, &d->use);
	if (r) return r;
	if (s->level == LEVEL_36 && !mbname_is_inbox(&e->parts)) {
		struct buf have = BUF_INIT;
		struct annots *look = annots_open(s->st, s->user.userid);
		bool same = specialuse_get(look, e, &have) && buf_eq(&have, buf_cstr(&d->use));
		annots_close(look);
		buf_free(&have);
		if (!e->parts.localpart || e->parts.boxes.n != 1) return ERR_SPECIALUSE;
		if (!same && (r = specialuse_unique(s->st, s->user.userid, buf_cstr(&d->use)))) return r;
	}
	c->value = arena_strdup(s->cmd, buf_cstr(&d->use));
	c->len = d->use.len;
	return 0;
}

static int check_value(struct doing *d, const struct mbentry *e, const struct annot_entry *x, struct annots_change *c)
{
	time_t t = 0;
	switch (x->type) {
	case ANNOT_INT: return !c->len || is_int(c, "+-") ? 0 : ERR_ANNOTVALUE;
	case ANNOT_UINT64: return !c->len || is_int(c, "+") ? 0 : ERR_ANNOTVALUE;
	case ANNOT_BOOL:
		if (c->len == 4 && !strncasecmp(c->value, "true", 4)) c->value = "true";
		if (c->len == 5 && !strncasecmp(c->value, "false", 5)) c->value = "false";
		return !c->len || is(c, "true") || is(c, "false") ? 0 : ERR_ANNOTVALUE;
	case ANNOT_UINT: return !c->len || is_uint(c) ? 0 : ERR_ANNOTVALUE;
	case ANNOT_OPTION:
		if (c->len && !is(c, "true") && !is(c, "false")) return ERR_ANNOTVALUE;
		if (x->bit == MBOXOPT_POP3_NEW_UIDL) return 0;      /* all UIDLs are new ones */
		if (c->len && is(c, "true")) d->options.set |= x->bit, d->options.clear &= ~x->bit;
		else d->options.clear |= x->bit, d->options.set &= ~x->bit;
		return 0;
	case ANNOT_DATE:
		if (c->len && (date_parse_imap(c->value, c->len, &t) || t < 0)) return ERR_PARAMETERS;
		d->show_after = (uint32_t)t;
		d->options.pop3_show_after = &d->show_after;
		return 0;
	case ANNOT_USE: return check_use(d, e, c);
	default: return 0;
	}
}

/* ------------------------------------------------------------------------------------------------ rights */

static int check_right(struct session *s, const struct mbentry *e, uint32_t rights, const struct annot_entry *x,
	const struct annots_change *c)
{
	bool undefined = !x && conf_bool(s->conf, OPT_ANNOTATION_ALLOW_UNDEFINED) && c->entry[0] == '/' && c->entry[1]
		&& !strpbrk(c->entry, "*%");
	if (!x && !undefined) return ERR_PERM;
	if (x && (x->type == ANNOT_READONLY || (c->shared ? x->no_shared : !x->set_private))) return ERR_PERM;
	if (x && x->type == ANNOT_USE && c->shared) return ERR_PERM;
	if (s->user.isadmin) return 0;
	if (!e) return c->shared ? ERR_PERM : 0;
	uint32_t need = !c->shared ? ACL_LOOKUP : ACL_LOOKUP | ACL_READ | ACL_WRITE | (x ? x->needs : 0);
	return (rights & need) == need ? 0 : ERR_PERM;
}

/* ------------------------------------------------------------------------------------------------ doing it */

static int write_file(const struct session *s, const struct annots_change *c)
{
	char *dir = mem_printf("%s/msg", conf_dir(s->conf)), *path = mem_printf("%s%s", dir, strrchr(c->entry, '/'));
	struct buf text = BUF_INIT;
	int r = 0;
	buf_append(&text, c->value ? c->value : "", c->len);
	buf_putc(&text, '\n');
	if (c->len ? file_mkdirs(dir, 0755) < 0 || newfile_write(path, 0644, text.s, text.len) < 0 : sys_unlink(path) < 0
		&& errno != ENOENT) {
		log_msg(LOG_ERR, "IOERROR: cannot write %s: %m", path);
		r = ERR_IO;
	}
	buf_free(&text);
	free(path);
	free(dir);
	return r;
}

static int prepare(struct doing *d, const struct mbentry *e, uint32_t rights)
{
	struct annot_set *set = d->set;
	int r = 0;
	for (size_t i = 0; i < set->n && !r; i++) {
		struct annots_change c = set->v[i];
		const struct annot_entry *x = annot_entry(set->s, !e, c.entry);
		r = check_right(set->s, e, rights, x, &c);
		if (!r && x) r = check_value(d, e, x, &c);
		if (r) break;
		if (x && x->type == ANNOT_FILE) {
			if (d->nfiles == sizeof d->files / sizeof *d->files) r = ERR_PARAMETERS;      /* one of them named again and again */
			else d->files[d->nfiles++] = &set->v[i];
		} else if (!x || (x->type != ANNOT_OPTION && x->type != ANNOT_DATE)) {
			d->rows[d->nrows++] = c;
		}
	}
	return r;
}

static int set_one(void *arg, const struct mbentry *e, const char *ext, uint32_t rights)
{
	struct doing d = { .set = arg };
	struct session *s = d.set->s;
	(void)ext;
	d.rows = mem_array(NULL, d.set->n + 1, sizeof *d.rows);
	int r = prepare(&d, e, rights);
	if (!r && (d.nrows || e)) r = annots_set(s->st, s->user.userid, e, d.rows, d.nrows, &d.options);
	for (size_t i = 0; i < d.nfiles && !r; i++) r = write_file(s, d.files[i]);
	free(d.rows);
	buf_free(&d.use);
	return r;
}

int annot_set_run(struct annot_set *set, const char *mailbox) { return annot_mailboxes(set->s, mailbox, set_one, set); }
