/* tlscache.c - see tlscache.h. OpenSSL's own cache is not used: a process must not resume what another has removed. */
#include "proto/tlscache.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/dbconf.h"
#include "store/tlssession.h"
#include "sys/clock.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000, SESSION_BYTES = 1 << 16 };      /* for a lock; a session with a chain of certificates is some KiB */

struct tlscache {
	const struct conf *conf;
	struct cyrusdb_env *env;                     /* of its own: a client does not wait long for this file */
	char *path;
};

/* NULL, logged: there is none for now. Opened for each use: full handshakes are few, and the file may be replaced any time. */
static struct cyrusdb *open_db(struct tlscache *t, int flags)
{
	struct cyrusdb *db;
	if (!flags && access(t->path, F_OK) < 0) return NULL;
	int rc = cyrusdb_open(t->env, conf_word(t->conf, OPT_TLS_SESSIONS_DB), t->path, flags, &db);
	if (!rc) return db;
	log_msg(LOG_ERR, "DBERROR: opening %s: %s", t->path, cyrusdb_strerror(rc));
	return NULL;
}

static void done(struct tlscache *t, struct cyrusdb *db, int rc, const char *what)
{
	if (rc) log_msg(LOG_ERR, "DBERROR: %s: cannot %s a TLS session: %s", t->path, what, cyrusdb_strerror(rc));
	cyrusdb_close(db);
}

static void drop(struct tlscache *t, const unsigned char *id, size_t len)
{
	struct cyrusdb *db = len ? open_db(t, 0) : NULL;
	if (db) done(t, db, cyrusdb_delete(db, id, len, NULL, true), "remove");
}

/* OpenSSL asks whether we keep a reference: never. Sessions in tickets are the client's to keep. */
static int keep(SSL *ssl, SSL_SESSION *s)
{
	struct tlscache *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	unsigned idlen;
	const unsigned char *id = SSL_SESSION_get_id(s, &idlen);
	int n = i2d_SSL_SESSION(s, NULL);
	if (!idlen || n <= 0 || n > SESSION_BYTES || SSL_SESSION_has_ticket(s) || SSL_version(ssl) >= TLS1_3_VERSION) return 0;
	struct cyrusdb *db = open_db(t, CYRUSDB_CREATE);
	if (!db) return 0;
	unsigned char *der = mem_alloc((size_t)n), *end = der;
	i2d_SSL_SESSION(s, &end);
	struct tlssession row = { (int64_t)SSL_SESSION_get_time(s) + SSL_SESSION_get_timeout(s), (char *)der, (size_t)n };
	struct buf b = BUF_INIT;
	tlssession_print(&row, &b);
	done(t, db, cyrusdb_store(db, id, idlen, b.s, b.len, NULL), "keep");
	buf_free(&b);
	free(der);
	return 0;
}

/* NULL: the record is over, or nobody can read it. */
static SSL_SESSION *decode(const char *p, size_t n)
{
	struct tlssession row;
	if (tlssession_parse(p, n, &row) || row.expires < clock_now() || row.len > SESSION_BYTES) return NULL;
	const unsigned char *der = (const unsigned char *)row.der;
	SSL_SESSION *s = d2i_SSL_SESSION(NULL, &der, (long)row.len);
	ERR_clear_error();
	return s;
}

static SSL_SESSION *find(SSL *ssl, const unsigned char *id, int idlen, int *copy)
{
	struct tlscache *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct cyrusdb *db = idlen > 0 ? open_db(t, 0) : NULL;
	const char *val;
	size_t n;
	*copy = 0;                                   /* what is returned is theirs */
	if (!db) return NULL;
	int rc = cyrusdb_fetch(db, id, (size_t)idlen, &val, &n, NULL);
	SSL_SESSION *s = rc ? NULL : decode(val, n);
	if (!rc && !s) rc = cyrusdb_delete(db, id, (size_t)idlen, NULL, true);
	done(t, db, rc == CYRUSDB_NOTFOUND ? 0 : rc, "find");
	return s;
}

static void forget(SSL_CTX *ctx, SSL_SESSION *s)
{
	struct tlscache *t = SSL_CTX_get_app_data(ctx);
	unsigned n;
	const unsigned char *id = SSL_SESSION_get_id(s, &n);
	if (t && !SSL_SESSION_has_ticket(s) && SSL_SESSION_get_protocol_version(s) < TLS1_3_VERSION) drop(t, id, n);
}

void tlscache_attach(SSL_CTX *ctx, const struct conf *c)
{
	const char *given = conf_str(c, OPT_TLS_SESSIONS_DB_PATH);
	struct tlscache *t = mem_alloc(sizeof *t);
	*t = (struct tlscache){ c, dbconf_env(c, false),
		given && *given ? mem_strdup(given) : mem_printf("%s/tls_sessions.db", conf_dir(c)) };
	cyrusdb_env_patience(t->env, PATIENCE_MS);
	SSL_CTX_set_app_data(ctx, t);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep);
	SSL_CTX_sess_set_get_cb(ctx, find);
	SSL_CTX_sess_set_remove_cb(ctx, forget);
}

void tlscache_detach(SSL_CTX *ctx)
{
	struct tlscache *t = ctx ? SSL_CTX_get_app_data(ctx) : NULL;
	if (!t) return;
	SSL_CTX_set_app_data(ctx, NULL);
	SSL_CTX_sess_set_new_cb(ctx, NULL);
	SSL_CTX_sess_set_get_cb(ctx, NULL);
	SSL_CTX_sess_set_remove_cb(ctx, NULL);
	cyrusdb_env_free(t->env);
	free(t->path);
	free(t);
}
