/* tlsserver.c - see tlsserver.h. */
#include "proto/tlsserver.h"
#include "base/log.h"
#include "base/strarray.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool tlsserver_enabled(const struct conf *c)
{
	const char *cert = conf_str(c, OPT_TLS_SERVER_CERT), *key = conf_str(c, OPT_TLS_SERVER_KEY);
	return cert && key && *cert && *key && strcasecmp(cert, "disabled") && strcasecmp(key, "disabled");
}

static void log_openssl(const char *what)
{
	char text[256];
	unsigned long e = ERR_get_error();
	ERR_error_string_n(e, text, sizeof text);
	log_msg(LOG_ERR, "TLS server engine: %s: %s", what, text);
	ERR_clear_error();
}

static void set_versions(SSL_CTX *ctx, const struct conf *c)
{
	static const struct { const char *word; long no; } versions[] = {
		{ "tls1_0", SSL_OP_NO_TLSv1 }, { "tls1_1", SSL_OP_NO_TLSv1_1 }, { "tls1_2", SSL_OP_NO_TLSv1_2 }, { "tls1_3", SSL_OP_NO_TLSv1_3 },
	};
	const char *all = conf_str(c, OPT_TLS_VERSIONS);
	struct strarray words = STRARRAY_INIT;
	char *shown = conf_show(c, OPT_TLS_VERSIONS);
	strarray_split(&words, shown ? shown : all ? all : "", " \t");
	for (size_t i = 0; words.n && i < sizeof versions / sizeof *versions; i++)
		if (strarray_findcase(&words, versions[i].word) < 0) SSL_CTX_set_options(ctx, (unsigned long)versions[i].no);
	strarray_free(&words);
	free(shown);
}

SSL_CTX *tlsserver_ctx(const struct conf *c)
{
	const char *cert = conf_str(c, OPT_TLS_SERVER_CERT), *key = conf_str(c, OPT_TLS_SERVER_KEY), *ciphers = conf_str(c, OPT_TLS_CIPHERS);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx) {
		log_openssl("cannot make a context");
		return NULL;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	if (conf_bool(c, OPT_TLS_PREFER_SERVER_CIPHERS)) SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	set_versions(ctx, c);
	bool ok = SSL_CTX_use_certificate_chain_file(ctx, cert) == 1 && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1
		&& SSL_CTX_check_private_key(ctx) == 1;
	if (!ok) log_openssl("cannot use certificate and key");
	if (ok && ciphers && strcasecmp(ciphers, "DEFAULT") && SSL_CTX_set_cipher_list(ctx, ciphers) != 1) {
		log_openssl("cannot use tls_ciphers");
		ok = false;
	}
	if (ok) return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

int tlsserver_start(struct prot *p, SSL_CTX *ctx, const char *client, unsigned *ssf)
{
	SSL *ssl = SSL_new(ctx);
	if (!ssl || prot_starttls(p, ssl, true, 180) < 0) {
		log_msg(LOG_NOTICE, "TLS negotiation failed: %s", client);
		return -1;
	}
	int total = 0, bits = SSL_get_cipher_bits(ssl, &total);
	*ssf = (unsigned)bits;
	log_msg(LOG_NOTICE, "starttls: %s with cipher %s (%d/%d bits %s) no authentication", SSL_get_version(ssl), SSL_get_cipher_name(ssl), bits,
		total, SSL_session_reused(ssl) ? "reused" : "new");
	return 0;
}
