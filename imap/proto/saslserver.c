/* saslserver.c - see saslserver.h. */
#include "proto/saslserver.h"
#include "auth/user.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/cyrusdb.h"
#include "store/userdeny.h"

#include <netdb.h>
#include <sasl/saslutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

/* ------------------------------------------------------------------------------------------------ callbacks */

static int get_option(void *ctx, const char *plugin, const char *option, const char **result, unsigned *len)
{
	struct conf *c = ctx;
	const char *v = NULL;
	char key[256];
	if (!strcmp(option, "srvtab")) {
		v = conf_str(c, OPT_SRVTAB);
		if (v && !*v) v = NULL;
	}
	if (!v && plugin) {
		snprintf(key, sizeof key, "sasl_%s_%s", plugin, option);
		v = conf_overflow(c, key);
	}
	if (!v) {
		snprintf(key, sizeof key, "sasl_%s", option);
		v = conf_overflow(c, key);
	}
	if (!v) return SASL_FAIL;
	*result = v;
	if (len) *len = (unsigned)strlen(v);
	return SASL_OK;
}

static int canon_user(sasl_conn_t *conn, void *ctx, const char *user, unsigned ulen, unsigned flags, const char *realm, char *out,
	unsigned max, unsigned *outlen)
{
	struct saslserver *s = ctx;
	(void)flags, (void)realm;
	char *name = mem_dup(user, ulen), *canon = NULL;
	if (memchr(user, 0, ulen)) {
		free(name);
		return SASL_BADAUTH;
	}
	int r = user_canon(s->conf, name, NULL, &canon);
	free(name);
	if (r || strlen(canon) >= max) {
		sasl_seterror(conn, 0, "bad userid authenticated");
		free(canon);
		return SASL_BADAUTH;
	}
	strcpy(out, canon);
	*outlen = (unsigned)strlen(canon);
	free(canon);
	return SASL_OK;
}

/* Same id: yes. Else the one who logged in must be an admin or a proxy server; a proxy server may not become an admin. */
static int proxy_policy(sasl_conn_t *conn, void *ctx, const char *user, unsigned ulen, const char *auth, unsigned alen,
	const char *realm, unsigned rlen, struct propctx *props)
{
	struct saslserver *s = ctx;
	(void)realm, (void)rlen, (void)props;
	char *u = mem_dup(user, ulen), *a = mem_dup(auth, alen);
	int r = SASL_OK;
	free(s->denied);
	s->denied = NULL;
	if (strcmp(u, a)) {
		bool admin = user_in_list(s->conf, OPT_ADMINS, a), proxy = user_in_list(s->conf, OPT_PROXYSERVERS, a);
		if (!admin && !(proxy && !user_in_list(s->conf, OPT_ADMINS, u))) {
			sasl_seterror(conn, 0, "user '%s' is not allowed to proxy", a);
			r = SASL_BADAUTH;
		}
	}
	if (r == SASL_OK && user_denied(s->conf, s->service, u, &s->denied)) {
		sasl_seterror(conn, 0, "user '%s' is denied access to service '%s'", u, s->service);
		r = SASL_NOAUTHZ;
	}
	free(u);
	free(a);
	return r;
}

typedef int (*sasl_any_cb)(void);

int saslserver_init(struct conf *conf)
{
	/* the library keeps the pointer for the life of the process */
	static sasl_callback_t global[2];
	global[0] = (sasl_callback_t){ SASL_CB_GETOPT, (sasl_any_cb)(void *)get_option, conf };
	global[1] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	int r = sasl_server_init(global, "Cyrus");
	if (r == SASL_OK) return 0;
	log_msg(LOG_ERR, "SASL failed initializing: sasl_server_init(): %s", sasl_errstring(r, NULL, NULL));
	return ERR_CONFIG;
}

/* ------------------------------------------------------------------------------------------------ connections */

/* "1.2.3.4;143" as SASL wants it; false for sockets without addresses. */
static bool address_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *), char out[NI_MAXHOST + NI_MAXSERV + 2])
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	char host[NI_MAXHOST], port[NI_MAXSERV];
	if (get(fd, (struct sockaddr *)&ss, &len) < 0 || (ss.ss_family != AF_INET && ss.ss_family != AF_INET6)) return false;
	if (getnameinfo((struct sockaddr *)&ss, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return false;
	snprintf(out, NI_MAXHOST + NI_MAXSERV + 2, "%s;%s", host, port);
	return true;
}

int saslserver_new(struct saslserver *s, struct conf *conf, const char *service, const char *deny_service, int fd,
	unsigned extssf)
{
	char local[NI_MAXHOST + NI_MAXSERV + 2], remote[NI_MAXHOST + NI_MAXSERV + 2];
	bool known = fd >= 0 && address_of(fd, getsockname, local) && address_of(fd, getpeername, remote);
	*s = (struct saslserver){ .conf = conf, .service = deny_service };
	s->callbacks[0] = (sasl_callback_t){ SASL_CB_GETOPT, (sasl_any_cb)(void *)get_option, conf };
	s->callbacks[1] = (sasl_callback_t){ SASL_CB_CANON_USER, (sasl_any_cb)(void *)canon_user, s };
	s->callbacks[2] = (sasl_callback_t){ SASL_CB_PROXY_POLICY, (sasl_any_cb)(void *)proxy_policy, s };
	s->callbacks[3] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	int r = sasl_server_new(service, conf_servername(conf), NULL, known ? local : NULL, known ? remote : NULL, s->callbacks,
		SASL_SUCCESS_DATA, &s->conn);
	if (r != SASL_OK) {
		log_msg(LOG_ERR, "SASL failed initializing: sasl_server_new(): %s", sasl_errstring(r, NULL, NULL));
		return ERR_INTERNAL;
	}
	sasl_security_properties_t props = { .maxbufsize = 16384,
		.min_ssf = (sasl_ssf_t)conf_int(conf, OPT_SASL_MINIMUM_LAYER),
		.max_ssf = (sasl_ssf_t)conf_int(conf, OPT_SASL_MAXIMUM_LAYER) };
	if (!conf_bool(conf, OPT_ALLOWPLAINTEXT)) props.security_flags |= SASL_SEC_NOPLAINTEXT;
	if (!conf_bool(conf, OPT_ALLOWANONYMOUSLOGIN)) props.security_flags |= SASL_SEC_NOANONYMOUS;
	sasl_setprop(s->conn, SASL_SEC_PROPS, &props);
	if (extssf) saslserver_tls(s, extssf, NULL);
	return 0;
}

void saslserver_free(struct saslserver *s)
{
	if (s->conn) sasl_dispose(&s->conn);
	free(s->denied);
	*s = (struct saslserver){ 0 };
}

void saslserver_tls(struct saslserver *s, unsigned ssf, const char *authid)
{
	sasl_ssf_t v = ssf;
	sasl_setprop(s->conn, SASL_SSF_EXTERNAL, &v);
	if (authid) sasl_setprop(s->conn, SASL_AUTH_EXTERNAL, authid);
}

const char *saslserver_mechs(struct saslserver *s, const char *prefix, const char *sep, const char *suffix)
{
	const char *list = NULL;
	unsigned len;
	int n = 0;
	return sasl_listmech(s->conn, NULL, prefix, sep, suffix, &list, &len, &n) == SASL_OK && n > 0 ? list : NULL;
}

/* ------------------------------------------------------------------------------------------------ the exchange */

static int decode64(const char *s, size_t n, struct buf *out)
{
	unsigned len;
	buf_reset(out);
	buf_reserve(out, n + 4);
	if (sasl_decode64(s, (unsigned)n, out->s, (unsigned)(n + 4), &len) != SASL_OK) return SASLSERVER_BADBASE64;
	out->len = len;
	return 0;
}

static void send_challenge(struct prot *p, const char *prefix, const char *data, unsigned len)
{
	size_t max = ((size_t)len + 2) / 3 * 4 + 1;
	char *enc = mem_alloc(max);
	unsigned n = 0;
	if (len) sasl_encode64(data, len, enc, (unsigned)max, &n);
	prot_puts(p, prefix);
	prot_write(p, enc, n);
	prot_puts(p, "\r\n");
	free(enc);
}

static int read_answer(struct prot *p, struct buf *line, struct buf *out)
{
	buf_reset(line);
	if (!prot_getline(p, line, LINE_MAX_BYTES)) return SASLSERVER_EOF;
	if (!line->len || line->s[line->len - 1] != '\n') {
		int c;                             /* too long: its tail must not be taken for a command */
		while ((c = prot_getc(p)) != PROT_EOF && c != '\n') ;
		return c == PROT_EOF ? SASLSERVER_EOF : SASL_BADPROT;
	}
	while (line->len && (line->s[line->len - 1] == '\n' || line->s[line->len - 1] == '\r')) line->len--;
	if (buf_eq(line, "*")) return SASLSERVER_CANCELLED;
	return decode64(line->s, line->len, out);
}

int saslserver_authenticate(struct saslserver *s, struct prot *p, const char *mech, const char *initial,
	const char *challenge_prefix, const char **userid, const char **final_challenge)
{
	struct buf line = BUF_INIT, answer = BUF_INIT;
	const char *out = NULL;
	unsigned outlen = 0;
	int r = 0;
	*userid = *final_challenge = NULL;
	if (initial) {
		if (!strcmp(initial, "=")) buf_reset(&answer);
		else r = decode64(initial, strlen(initial), &answer);
	}
	if (!r)
		r = sasl_server_start(s->conn, mech, initial ? buf_cstr(&answer) : NULL, initial ? (unsigned)answer.len : 0, &out,
			&outlen);
	for (int rounds = 0; r == SASL_CONTINUE && rounds < 32; rounds++) {
		send_challenge(p, challenge_prefix, out, outlen);
		r = read_answer(p, &line, &answer);
		if (!r) r = sasl_server_step(s->conn, buf_cstr(&answer), (unsigned)answer.len, &out, &outlen);
	}
	if (r == SASL_CONTINUE) r = SASL_FAIL;
	if (r == SASL_OK && outlen && out) {                     /* success data: as one more challenge, answered by an empty line */
		send_challenge(p, challenge_prefix, out, outlen);
		int e = read_answer(p, &line, &answer);
		if (e || answer.len) r = e ? e : SASL_BADPROT;
	}
	buf_free(&line);
	buf_free(&answer);
	if (r != SASL_OK) return r;
	const void *v = NULL;
	r = sasl_getprop(s->conn, SASL_USERNAME, &v);
	if (r == SASL_OK && v) *userid = v;
	return r == SASL_OK && !v ? SASL_FAIL : r;
}

/* ------------------------------------------------------------------------------------------------ user_deny.db */

bool user_denied(struct conf *conf, const char *service, const char *userid, char **why)
{
	const char *override = conf_str(conf, OPT_USERDENY_DB_PATH), *val;
	char *path = override ? mem_strdup(override) : mem_printf("%s/user_deny.db", conf_dir(conf));
	char *dir = mem_printf("%s/db", conf_dir(conf));
	struct cyrusdb_env *env = NULL;
	struct cyrusdb *db = NULL;
	size_t len;
	bool denied = false;
	*why = NULL;
	if (access(path, R_OK) == 0) {
		env = cyrusdb_env_new(dir, false);
		if (!cyrusdb_open(env, conf_word(conf, OPT_USERDENY_DB), path, 0, &db)
			&& !cyrusdb_fetch(db, userid, strlen(userid), &val, &len, NULL)) {
			struct userdeny d;
			if (userdeny_parse(val, len, &d)) log_msg(LOG_ERR, "DENYDB_ERROR: invalid entry for '%s'", userid);
			else denied = userdeny_applies(&d, service);
			if (denied) *why = mem_strdup(d.message && *d.message ? d.message : USERDENY_MESSAGE);
			userdeny_free(&d);
		}
		if (db) cyrusdb_close(db);
		cyrusdb_env_free(env);
	}
	free(path);
	free(dir);
	return denied;
}
