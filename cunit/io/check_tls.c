/* check_tls.c - a stream under TLS. */
#include "base/mem.h"
#include "cunit/io/prottest.h"
#include "cunit/io/suites.h"
#include "io/prot.h"

#include <check.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sys/socket.h>

static SSL_CTX *server_ctx(void)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *k = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	ck_assert(k && EVP_PKEY_keygen_init(k) == 1 && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(k, NID_X9_62_prime256v1) == 1);
	ck_assert_int_eq(EVP_PKEY_keygen(k, &key), 1);
	EVP_PKEY_CTX_free(k);
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, name);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	ck_assert(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
	X509_free(x);
	EVP_PKEY_free(key);
	return ctx;
}

struct tls_peer {
	SSL_CTX *ctx;
	int fd;
	bool rude;                            /* ends without close_notify */
	int r;
	struct buf got;
	size_t echo;                          /* bytes to send back before the end */
};

/* A client on a blocking descriptor, without prot: what it receives up to LF is kept, and then sent back `echo` times over. */
static void *tls_client(void *arg)
{
	struct tls_peer *t = arg;
	SSL *ssl = SSL_new(t->ctx);
	char c;
	SSL_set_fd(ssl, t->fd);
	t->r = SSL_connect(ssl);
	while (t->r == 1 && SSL_read(ssl, &c, 1) == 1) {
		buf_putc(&t->got, c);
		if (c == '\n') break;
	}
	for (size_t i = 0; t->r == 1 && i < t->echo; i++)
		if (SSL_write(ssl, t->got.s, (int)t->got.len) <= 0) t->r = -2;
	if (t->r == 1 && !t->rude) SSL_shutdown(ssl);
	SSL_free(ssl);
	shutdown(t->fd, SHUT_RDWR);
	return NULL;
}

static struct tls_peer peer;
static pthread_t peer_thread;
static SSL_CTX *tls;

static void start_client(size_t echo, bool rude)
{
	tls = server_ctx();
	peer = (struct tls_peer){ SSL_CTX_new(TLS_client_method()), theirs, rude, 0, BUF_INIT, echo };
	ck_assert_int_eq(pthread_create(&peer_thread, NULL, tls_client, &peer), 0);
}

static void end_client(void)
{
	pthread_join(peer_thread, NULL);
	ck_assert_int_eq(peer.r, 1);
	SSL_CTX_free(peer.ctx);
	SSL_CTX_free(tls);
	buf_free(&peer.got);
}

/* Whether the peer says good-bye or just closes, as many clients do, it is the end of the stream and no fault. */
START_TEST(tls_both_ways)
{
	struct buf b = BUF_INIT;
	start_client(3000, _i == 1);
	ck_assert_ptr_null(prot_ssl(p));
	ck_assert_int_eq(prot_starttls(p, SSL_new(tls), true, 30), 0);
	ck_assert_ptr_nonnull(prot_ssl(p));
	prot_puts(p, "twenty bytes of text\n");
	for (int i = 0; i < 3000; i++) {
		buf_reset(&b);
		ck_assert(prot_getline(p, &b, 100));
		ck_assert(buf_eq(&b, "twenty bytes of text\n"));
	}
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert_msg(prot_eof(p), "%s", prot_error(p));
	end_client();
	buf_free(&b);
}
END_TEST

/* Bytes buffered before TLS are never seen after it. */
START_TEST(tls_drops_what_was_injected_before)
{
	send_them("STARTTLS\r\nevil LOGIN a b\r\n", 26);
	struct buf b = BUF_INIT;
	ck_assert(prot_getline(p, &b, 100));
	ck_assert(prot_input_waiting(p, 0));
	prot_puts(p, "OK\r\n");                              /* goes out in the clear before the handshake */
	prot_flush(p);
	char buf[16];
	arrived(buf, sizeof buf);
	ck_assert_str_eq(buf, "OK\r\n");
	start_client(1, false);
	ck_assert_int_eq(prot_starttls(p, SSL_new(tls), true, 30), 0);
	prot_puts(p, "hello\n");
	buf_reset(&b);
	ck_assert(prot_getline(p, &b, 100));
	ck_assert(buf_eq(&b, "hello\n"));
	end_client();
	buf_free(&b);
}
END_TEST

START_TEST(tls_handshake_with_something_else)
{
	tls = server_ctx();
	send_them("a001 LOGIN me secret\r\n\r\n\r\n\r\n", 28);
	ck_assert_int_eq(prot_starttls(p, SSL_new(tls), true, 30), -1);
	ck_assert_ptr_nonnull(prot_error(p));
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	SSL_CTX_free(tls);
}
END_TEST

START_TEST(tls_handshake_without_a_peer)
{
	tls = server_ctx();
	hang_up();
	ck_assert_int_eq(prot_starttls(p, SSL_new(tls), true, 30), -1);
	ck_assert_ptr_nonnull(prot_error(p));
	SSL_CTX_free(tls);
}
END_TEST

START_TEST(tls_handshake_that_never_comes)
{
	int asked = 0;
	tls = server_ctx();
	waits_left = 0;
	prot_set_timeout(p, 1800);
	prot_set_wait(p, time_out, &asked);
	ck_assert_int_eq(prot_starttls(p, SSL_new(tls), true, 45), -1);
	ck_assert_int_eq(asked, 45000);
	ck_assert(prot_timed_out(p));
	SSL_CTX_free(tls);
}
END_TEST

/* A failed stream must not leak the SSL it was given. */
START_TEST(tls_on_a_failed_stream)
{
	tls = server_ctx();
	prot_fail(p, "gone");
	ck_assert_int_eq(prot_starttls(p, SSL_new(tls), true, 45), -1);
	SSL_CTX_free(tls);
}
END_TEST

TCase *case_tls(void)
{
	TCase *t = tcase_create("TLS");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, prottest_setup, prottest_teardown);
	tcase_add_loop_test(t, tls_both_ways, 0, 2);
	tcase_add_test(t, tls_drops_what_was_injected_before);
	tcase_add_test(t, tls_handshake_with_something_else);
	tcase_add_test(t, tls_handshake_without_a_peer);
	tcase_add_test(t, tls_handshake_that_never_comes);
	tcase_add_test(t, tls_on_a_failed_stream);
	return t;
}
