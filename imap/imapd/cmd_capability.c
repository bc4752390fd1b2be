/* cmd_capability.c - CAPABILITY names what works and nothing else; the order is Cyrus's (spec/imap.md 2). */
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "base/strarray.h"
#include "proto/tlsserver.h"

#include <string.h>

static const char *const before_login[] = { "IMAP4rev1", "LITERAL+", "ID", "ENABLE", NULL };
static const char *const before_login_minus[] = { "IMAP4rev1", "LITERAL-", "ID", "ENABLE", NULL };
static const char *const words_25[] = {
	"ACL", "RIGHTS=kxten", "QUOTA", "NAMESPACE", "UIDPLUS", "NO_ATOMIC_RENAME", "UNSELECT", "CHILDREN", "CONDSTORE",
	"ANNOTATEMORE", "METADATA", "LIST-EXTENDED", "LIST-STATUS", "LIST-MYRIGHTS", "XLIST", "SPECIAL-USE", "CREATE-SPECIAL-USE",
	NULL,
};
static const char *const words_36[] = {
	"ACL", "CHILDREN", "CONDSTORE", "CREATE-SPECIAL-USE", "LIST-EXTENDED", "LIST-MYRIGHTS", "LIST-STATUS", "METADATA",
	"NAMESPACE", "QUOTA", "RIGHTS=kxten", "SPECIAL-USE",
	"UIDPLUS", "UNSELECT", "ANNOTATEMORE", "LIST-METADATA", "NO_ATOMIC_RENAME", "XLIST", NULL,
};

/* 3.6 has the old commands only by option. */
static bool works(const struct session *s, const char *word)
{
	return s->level == LEVEL_25 || strcmp(word, "ANNOTATEMORE") || conf_bool(s->conf, OPT_ANNOTATION_ENABLE_LEGACY_COMMANDS);
}

static void put_words(struct session *s, const char *const *w, const struct strarray *suppressed)
{
	for (; *w; w++)
		if (strarray_findcase(suppressed, *w) < 0 && works(s, *w)) putfmt(s, " %s", *w);
}

static bool plaintext_ok(const struct session *s)
{
	return s->tls || s->extssf >= 2 || conf_bool(s->conf, OPT_ALLOWPLAINTEXT);
}

void capability_put(struct session *s, bool full)
{
	const char *suppress = conf_str(s->conf, OPT_SUPPRESS_CAPABILITIES);
	struct strarray off = STRARRAY_INIT;
	bool need_tls = conf_bool(s->conf, OPT_TLS_REQUIRED) && !s->tls;
	strarray_split(&off, suppress ? suppress : "", " \t");
	put(s, "CAPABILITY");
	put_words(s, conf_bool(s->conf, OPT_LITERALMINUS) ? before_login_minus : before_login, &off);
	if (full) put_words(s, s->level == LEVEL_25 ? words_25 : words_36, &off);
	if (!s->tls && !s->logged_in && tlsserver_starttls_offered(&s->engine, s->conf)) put(s, " STARTTLS");
	if (need_tls || s->logged_in || !plaintext_ok(s)) put(s, " LOGINDISABLED");
	if (!need_tls && (!s->logged_in || s->sasl_layer)) {
		const char *mechs = saslserver_mechs(&s->sasl, "AUTH=", " AUTH=", s->sasl_layer ? "" : " SASL-IR");
		if (mechs) putfmt(s, " %s", mechs);
	}
	if (full && conf_seconds(s->conf, OPT_IMAPIDLEPOLL) > 0) put(s, " IDLE");
	strarray_free(&off);
}

void cmd_capability(struct session *s)
{
	put(s, "* ");
	capability_put(s, true);
	put(s, "\r\n");
	respond_ok(s, "Completed");
}
