/* logins.c - see logins.h. Counted are the proc files of living processes that serve a logged-in client (spec/master.md 19). */
#include "imapd/logins.h"
#include "base/log.h"
#include "conf/procfile.h"
#include "imapd/respond.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct count {
	const struct session *s;
	const char *userid;
	long host, user;
};

/* The address alone: whether its name could be looked up may change from one connection to the next. */
static const char *address(const char *host)
{
	const char *p = strrchr(host, '[');
	return p ? p : host;
}

/* cyrus.conf names its services as it likes: ours counts whatever it is called, others by the usual names. */
static bool mail_reader(const struct session *s, const char *service)
{
	return !strcmp(service, s->service) || !strncasecmp(service, "imap", 4) || !strncasecmp(service, "pop3", 4);
}

static int count_one(void *arg, const struct procfile *p)
{
	struct count *n = arg;
	if (p->pid == getpid() || !*p->user || !mail_reader(n->s, p->service)) return 0;
	if (kill(p->pid, 0) < 0 && errno == ESRCH) return 0;            /* it died and left its file */
	n->host += !strcmp(address(p->host), address(n->s->client));
	n->user += !strcmp(p->user, n->userid);
	return 0;
}

static void refuse(struct session *s, const struct count *n, long per_host, long per_user)
{
	struct buf b = BUF_INIT;
	if (per_host) buf_printf(&b, "%ld of %ld from %s", n->host, per_host, s->client);
	if (per_user) buf_printf(&b, "%s%ld of %ld for %s", b.len ? ", " : "", n->user, per_user, n->userid);
	log_msg(LOG_ERR, "Too many open connections (%s)", buf_cstr(&b));
	respond_no(s, "Too many open connections (%s)", buf_cstr(&b));
	buf_free(&b);
}

bool logins_allow(struct session *s, const char *userid)
{
	struct count n = { s, userid, 0, 0 };
	long per_host = conf_int(s->conf, OPT_MAXLOGINS_PER_HOST), per_user = conf_int(s->conf, OPT_MAXLOGINS_PER_USER);
	if (per_host <= 0 && per_user <= 0) return true;
	if (proc_register(s->conf, s->service, s->client, userid, NULL, s->name) < 0 || procfile_each(s->conf, count_one, &n) < 0) {
		log_msg(LOG_ERR, "cannot count logins: proc files: %m");
		return true;
	}
	if (per_host <= 0 || n.host < per_host) per_host = 0;
	if (per_user <= 0 || n.user < per_user) per_user = 0;
	if (!per_host && !per_user) return true;
	proc_register(s->conf, s->service, s->client, NULL, NULL, s->name);
	refuse(s, &n, per_host, per_user);
	return false;
}
