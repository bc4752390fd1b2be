/* search_priv.h - the evaluator's state for one message; see search.h. */
#ifndef CAMB_SEARCH_PRIV_H
#define CAMB_SEARCH_PRIV_H
#include "store/search.h"

struct search_eval {
	const struct search_message *m;
	time_t now;
	bool asked, mapped;              /* map() was called; it worked */
	const char *msg;
	size_t len;
	struct arena *arena;             /* of `mime` */
	struct mime_message *mime;
};

bool search_eval(struct search_eval *e, const struct searchkey *k);
bool search_eval_text(struct search_eval *e, const struct searchkey *k);
void search_eval_end(struct search_eval *e);
#endif
