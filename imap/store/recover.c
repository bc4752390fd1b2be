/* recover.c - see recover.h. */
#include "store/recover.h"

#include "base/err.h"
#include "base/log.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/racl.h"
#include "store/racl_file.h"

static int remove_reserved(void *arg, const struct mbentry *e)
{
	if (!(e->flags & MBENTRY_RESERVED)) return 0;
	int r = mboxlist_bury(arg, e);
	if (r) log_msg(LOG_ERR, "could not remove reserved mailbox '%s'", e->name);
	else log_msg(LOG_NOTICE, "removed reserved mailbox '%s'", e->name);
	return r;
}

int store_recover(struct store *st)
{
	size_t missing, stale;
	enum conf_level level;
	if (layout_prove(st->mboxlist, &level) == ERR_BADFORMAT) {
		store_half_upgraded();
		return ERR_BADFORMAT;
	}
	bool keep = conf_bool(st->conf, OPT_REVERSEACLS);
	int r = mboxlist_each(st, NULL, MBOXLIST_ALL, remove_reserved, st);
	if (!r) r = racl_settle(st, keep, &missing, &stale);
	if (!r && (missing || stale)) log_msg(LOG_NOTICE, "reverse ACL rows: %zu added, %zu removed", missing, stale);
	if (!r) racl_file_settle(st);            /* so that no user has to wait for it; LIST works without it too */
	return r;
}
