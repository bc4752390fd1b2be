/* cmd_list.c - LIST, LSUB, XLIST, RLIST, RLSUB. See list.h. */
#include "base/err.h"
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/list.h"
#include "imapd/respond.h"
#include "sys/clock.h"

static void list(struct session *s, const struct list_request *q)
{
	struct listing l = { .s = s, .q = q };
	int64_t start = clock_mono();
	unsigned calls = 0;
	int r = list_collect(&l);
	if (!r) r = list_answer(&l, &calls);
	double took = (double)(clock_mono() - start) / NSEC_PER_SEC;
	if (r) respond_err(s, r);
	else if (calls) respond_ok(s, "Completed (%.3f secs %u calls)", took, calls);
	else respond_ok(s, "Completed (%.3f secs)", took);
	log_msg(LOG_DEBUG, "list: looked at %llu records of the mailbox list", (unsigned long long)l.rows);
	list_free(&l);
}

static void list_command(struct session *s, enum list_kind kind)
{
	struct list_request *q = arena_alloc(s->cmd, sizeof *q);
	if (!list_parse(s, kind, q)) return;
	if (q->npatterns) {
		list(s, q);
		return;
	}
	if (!q->lsub && !q->extended) respond(s, "%s (\\Noselect) \"%c\" \"\"", q->verb, s->ns.sep);
	respond_ok(s, "Completed (0.000 secs)");
}

void cmd_list(struct session *s) { list_command(s, LIST_LIST); }
void cmd_lsub(struct session *s) { list_command(s, LIST_LSUB); }
void cmd_xlist(struct session *s) { list_command(s, LIST_XLIST); }
void cmd_rlist(struct session *s) { list_command(s, LIST_RLIST); }
void cmd_rlsub(struct session *s) { list_command(s, LIST_RLSUB); }
