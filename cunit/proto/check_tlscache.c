/* check_tlscache.c - TLS sessions kept in tls_sessions.db: two contexts, as two processes have them, share one; records that are
 * over or damaged are no session, and go. */
#include "proto/tlscache.h"
#include "cunit/store/storetest.h"
#include "store/tlssession.h"
#include "sys/clock.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct storetest t;
static SSL_CTX *one, *two, *client;

static SSL_CTX *server(void)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	ck_assert(EVP_PKEY_keygen_init(make) == 1 && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(make, NID_X9_62_prime256v1) == 1);
	ck_assert_int_eq(EVP_PKEY_keygen(make, &key), 1);
	EVP_PKEY_CTX_free(make);
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -1000);
	X509_gmtime_adj(X509_getm_notAfter(cert), 100000);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	ck_assert(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
	tlscache_attach(ctx, t.conf);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static void setup(void)
{
	storetest_new(&t, "3.6", "");
	one = server();
	two = server();
	client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	SSL_CTX_set_options(client, SSL_OP_NO_TICKET);
}

static void teardown(void)
{
	tlscache_detach(one);
	tlscache_detach(two);
	tlscache_detach(client);                         /* none there */
	tlscache_detach(NULL);
	SSL_CTX_free(one);
	SSL_CTX_free(two);
	SSL_CTX_free(client);
	storetest_remove(&t);
}

/* A handshake in memory. *session: taken up if there is one; then the one there is, the caller's. True: it was taken up. */
static bool shake(SSL_CTX *ctx, SSL_SESSION **session)
{
	SSL *s = SSL_new(ctx), *c = SSL_new(client);
	BIO *a, *b;
	ck_assert_int_eq(BIO_new_bio_pair(&a, 1 << 16, &b, 1 << 16), 1);
	SSL_set_bio(s, a, a);
	SSL_set_bio(c, b, b);
	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	if (*session) SSL_set_session(c, *session);
	for (int i = 0; i < 20 && (!SSL_is_init_finished(s) || !SSL_is_init_finished(c)); i++) SSL_do_handshake(i % 2 ? s : c);
	ck_assert(SSL_is_init_finished(s) && SSL_is_init_finished(c));
	bool reused = SSL_session_reused(c);
	ck_assert_int_eq(reused, SSL_session_reused(s));
	SSL_SESSION_free(*session);
	for (int i = 0; i < 2; i++) {
		SSL_set_quiet_shutdown(i ? s : c, 1);
		SSL_shutdown(i ? s : c);
	}
	*session = SSL_get1_session(c);
	SSL_free(s);
	SSL_free(c);
	return reused;
}

/* ---- the records */

struct look { unsigned n; int64_t expires; };

static int look(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct look *l = arg;
	struct tlssession row;
	(void)key;
	ck_assert_uint_eq(keylen, 32);
	ck_assert_int_eq(tlssession_parse(val, vallen, &row), 0);
	l->n++;
	l->expires = row.expires;
	return 0;
}

static struct cyrusdb *open_rows(void)
{
	struct cyrusdb *db;
	char *path = mem_printf("%s/conf/tls_sessions.db", t.dir);
	ck_assert_int_eq(cyrusdb_open(t.st->dbs, "twoskip", path, 0, &db), 0);
	free(path);
	return db;
}

static struct look rows(void)
{
	struct look l = { 0 };
	struct cyrusdb *db = open_rows();
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, look, &l, NULL), 0);
	cyrusdb_close(db);
	return l;
}

/* What is done to every record. */
enum damage { EXPIRED, NO_DER, SHORT, LONG, NO_SESSION, EMPTY, DAMAGES };
struct spoil { struct cyrusdb *db; enum damage how; };

static int spoil(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct spoil *x = arg;
	struct buf b = BUF_INIT;
	int64_t past = clock_now() - 10;
	buf_append(&b, val, vallen);
	switch (x->how) {
	case EXPIRED: memcpy(b.s, &past, sizeof past); break;
	case NO_DER: buf_truncate(&b, 8); break;
	case SHORT: buf_truncate(&b, vallen - 1); break;
	case LONG: buf_putc(&b, 'x'); break;
	case NO_SESSION: memset(b.s + 12, 0x55, vallen - 12); break;
	default: buf_truncate(&b, 3); break;
	}
	ck_assert_int_eq(cyrusdb_store(x->db, key, keylen, b.s, b.len, NULL), 0);
	buf_free(&b);
	return 0;
}

START_TEST(shared)
{
	SSL_SESSION *s = NULL;
	ck_assert(!shake(one, &s));
	struct look l = rows();
	ck_assert_uint_eq(l.n, 1);
	ck_assert_int_eq(l.expires, (int64_t)SSL_SESSION_get_time(s) + SSL_CTX_get_timeout(one));
	ck_assert(shake(two, &s) && shake(one, &s));
	ck_assert_uint_eq(rows().n, 1);
	SSL_CTX_remove_session(two, s);                  /* bad, says one of them: so it is for the other */
	ck_assert_uint_eq(rows().n, 0);
	ck_assert(!shake(one, &s));
	SSL_SESSION_free(s);
}
END_TEST

START_TEST(no_session_any_more)
{
	SSL_SESSION *s = NULL;
	struct spoil x = { .how = (enum damage)_i };
	shake(one, &s);
	x.db = open_rows();
	ck_assert_int_eq(cyrusdb_foreach(x.db, "", 0, NULL, spoil, &x, NULL), 0);
	cyrusdb_close(x.db);
	ck_assert(!shake(two, &s));
	ck_assert_uint_eq(rows().n, 1);                  /* the new one; what was there is gone */
	ck_assert(shake(one, &s));
	SSL_SESSION_free(s);
}
END_TEST

START_TEST(none_for_tickets)
{
	SSL_SESSION *s = NULL;
	SSL_CTX_clear_options(client, SSL_OP_NO_TICKET);
	if (_i) SSL_CTX_set_max_proto_version(client, TLS1_3_VERSION);
	shake(one, &s);
	char *path = mem_printf("%s/conf/tls_sessions.db", t.dir);
	ck_assert_int_ne(access(path, F_OK), 0);
	free(path);
	SSL_SESSION_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tlscache");
	TCase *tc = tcase_create("tlscache");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, shared);
	tcase_add_loop_test(tc, no_session_any_more, 0, DAMAGES);
	tcase_add_loop_test(tc, none_for_tickets, 0, 2);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
