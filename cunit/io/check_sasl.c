/* check_sasl.c - a stream under a SASL layer. */
#include "base/mem.h"
#include "cunit/io/prottest.h"
#include "cunit/io/suites.h"
#include "io/prot.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char sasl_db[] = "/tmp/check_prot.XXXXXX/db";

static int option(void *ctx, const char *plugin, const char *name, const char **value, unsigned *len)
{
	(void)ctx, (void)plugin;
	*value = !strcmp(name, "sasldb_path") ? sasl_db : !strcmp(name, "auxprop_plugin") ? "sasldb" : NULL;
	if (*value && len) *len = (unsigned)strlen(*value);
	return *value ? SASL_OK : SASL_FAIL;
}

static int simple(void *ctx, int id, const char **value, unsigned *len)
{
	(void)ctx, (void)id;
	*value = "fred";
	if (len) *len = 4;
	return SASL_OK;
}

static sasl_secret_t *password;
static int secret(sasl_conn_t *conn, void *ctx, int id, sasl_secret_t **s)
{
	(void)conn, (void)ctx, (void)id;
	*s = password;
	return SASL_OK;
}

static int get_realm(void *ctx, int id, const char **realms, const char **value)
{
	(void)ctx, (void)id, (void)realms;
	*value = "localhost";
	return SASL_OK;
}

typedef int (*any_cb)(void);
#define CB(id, fn) { id, (any_cb)(void *)(fn), NULL }

/* Both ends in this process; false when the machine has no DIGEST-MD5 or no sasldb plugin. `maxbuf` is what the client can
 * take. */
static bool negotiate(sasl_conn_t **server, sasl_conn_t **client, unsigned maxbuf)
{
	static sasl_callback_t scb[] = { CB(SASL_CB_GETOPT, option), { SASL_CB_LIST_END, NULL, NULL } };
	static sasl_callback_t ccb[] = { CB(SASL_CB_USER, simple), CB(SASL_CB_AUTHNAME, simple), CB(SASL_CB_PASS, secret),
		CB(SASL_CB_GETREALM, get_realm), { SASL_CB_LIST_END, NULL, NULL } };
	sasl_security_properties_t props = { .min_ssf = 1, .max_ssf = 256, .maxbufsize = maxbuf },
		sprops = { .min_ssf = 1, .max_ssf = 256, .maxbufsize = 4096 };
	const char *out, *in, *mech;
	unsigned olen, ilen;
	password = mem_zalloc(sizeof *password + 8);
	password->len = 6;
	memcpy(password->data, "secret", 6);
	ck_assert_int_eq(sasl_server_init(scb, "check_prot"), SASL_OK);
	ck_assert_int_eq(sasl_client_init(ccb), SASL_OK);
	ck_assert_int_eq(sasl_server_new("imap", "localhost", "localhost", NULL, NULL, NULL, 0, server), SASL_OK);
	ck_assert_int_eq(sasl_client_new("imap", "localhost", NULL, NULL, NULL, 0, client), SASL_OK);
	sasl_setprop(*server, SASL_SEC_PROPS, &sprops);
	sasl_setprop(*client, SASL_SEC_PROPS, &props);
	if (sasl_setpass(*server, "fred", "secret", 6, NULL, 0, SASL_SET_CREATE) != SASL_OK) return false;
	if (sasl_client_start(*client, "DIGEST-MD5", NULL, &out, &olen, &mech) != SASL_CONTINUE) return false;
	int r = sasl_server_start(*server, "DIGEST-MD5", out, olen, &in, &ilen), rc = SASL_CONTINUE;
	if (r == SASL_NOMECH) return false;
	while (r == SASL_CONTINUE && (rc = sasl_client_step(*client, in, ilen, NULL, &out, &olen)) >= 0)
		r = sasl_server_step(*server, out, olen, &in, &ilen);
	if (r == SASL_OK && rc == SASL_CONTINUE && in) rc = sasl_client_step(*client, in, ilen, NULL, &out, &olen);
	ck_assert_msg(r == SASL_OK && rc == SASL_OK, "server %d client %d: %s", r, rc, sasl_errdetail(*server));
	return true;
}

static sasl_conn_t *sasl_server, *sasl_client;

/* The plugin of some releases keeps an OpenSSL library context for ever: no leak of ours. Present only with the sanitizer. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static bool sasl_setup(unsigned maxbuf)
{
	char dir[] = "/tmp/check_prot.XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memcpy(sasl_db, dir, strlen(dir));
	if (__lsan_disable) __lsan_disable();
	bool ok = negotiate(&sasl_server, &sasl_client, maxbuf);
	if (__lsan_enable) __lsan_enable();
	if (ok) return true;
	fputs("skipped: no DIGEST-MD5 with sasldb here: the SASL layer is not tested\n", stderr);
	return false;
}

static void sasl_teardown(void)
{
	sasl_dispose(&sasl_server);
	sasl_dispose(&sasl_client);
	sasl_done();
	free(password);
	unlink(sasl_db);
	*strrchr(sasl_db, '/') = 0;
	rmdir(sasl_db);
}

/* Blocks larger than the peer can decode go out in pieces it can; and nothing goes out in the clear. */
START_TEST(sasl_layer_both_ways)
{
	if (sasl_setup(1024)) {
		struct prot *q = prot_new(theirs, theirs);
		struct buf b = BUF_INIT, raw = BUF_INIT;
		prot_set_sasl(p, sasl_server);
		prot_set_sasl(q, sasl_client);
		for (int round = 1; round < 30; round++) {
			for (int i = 0; i < round * 40; i++) prot_puts(p, "plaintext ");
			prot_putc(p, '\n');
			ck_assert_int_eq(prot_flush(p), 0);
			char wire[2000];
			ssize_t n = recv(theirs, wire, sizeof wire, MSG_PEEK);
			ck_assert_ptr_null(memmem(wire, (size_t)n, "plaintext", 9));
			buf_reset(&b);
			ck_assert_msg(prot_getline(q, &b, 100000), "%s", prot_error(q));
			ck_assert_uint_eq(b.len, (size_t)round * 400 + 1);
			prot_write(q, b.s, b.len);
			ck_assert_int_eq(prot_flush(q), 0);
			buf_reset(&raw);
			ck_assert_msg(prot_getline(p, &raw, 100000), "%s", prot_error(p));
			ck_assert_int_eq(buf_cmp(&raw, &b), 0);
		}
		prot_free(q);
		buf_free(&b);
		buf_free(&raw);
	}
	sasl_teardown();
}
END_TEST

START_TEST(sasl_layer_with_deflate_on_top)
{
	if (sasl_setup(4096)) {
		struct prot *q = prot_new(theirs, theirs);
		struct buf b = BUF_INIT;
		prot_set_sasl(p, sasl_server);
		prot_set_sasl(q, sasl_client);
		ck_assert_int_eq(prot_set_deflate(p), 0);
		ck_assert_int_eq(prot_set_deflate(q), 0);
		for (int i = 0; i < 5000; i++) prot_puts(q, "again ");
		prot_putc(q, '\n');
		ck_assert_int_eq(prot_flush(q), 0);
		ck_assert_msg(prot_getline(p, &b, 100000), "%s", prot_error(p));
		ck_assert_uint_eq(b.len, 30001);
		prot_free(q);
		buf_free(&b);
	}
	sasl_teardown();
}
END_TEST

START_TEST(sasl_layer_refuses_what_was_tampered_with)
{
	if (sasl_setup(4096)) {
		const char *enc;
		unsigned len;
		char bad[200];
		prot_set_sasl(p, sasl_server);
		ck_assert_int_eq(sasl_encode(sasl_client, "DELETE all\r\n", 12, &enc, &len), SASL_OK);
		ck_assert_uint_lt(len, sizeof bad);
		memcpy(bad, enc, len);
		bad[6] = (char)(bad[6] ^ 1);
		send_them(bad, len);
		ck_assert_int_eq(prot_getc(p), PROT_EOF);
		ck_assert_str_eq(prot_error(p), "SASL decoding failed");
	}
	sasl_teardown();
}
END_TEST

TCase *case_sasl(void)
{
	TCase *t = tcase_create("SASL");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, prottest_setup, prottest_teardown);
	tcase_add_test(t, sasl_layer_both_ways);
	tcase_add_test(t, sasl_layer_with_deflate_on_top);
	tcase_add_test(t, sasl_layer_refuses_what_was_tampered_with);
	return t;
}
