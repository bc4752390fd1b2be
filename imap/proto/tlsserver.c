/* tlsserver.c - see tlsserver.h. */
#include "proto/tlsserver.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/tlscache.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CLIENT_CERTS_OFF, CLIENT_CERTS_OPTIONAL, CLIENT_CERTS_REQUIRE };        /* the words of tls_client_certs */
enum { VERIFY_DEPTH = 5, SESSION_MAX = 1440 * 60, HANDSHAKE_TIMEOUT = 180 };

/* A file or name that is set: not absent, not empty. */
static const char *named(const struct conf *c, enum conf_opt o)
{
	const char *s = conf_str(c, o);
	return s && *s ? s : NULL;
}

bool tlsserver_enabled(const struct conf *c)
{
	const char *cert = named(c, OPT_TLS_SERVER_CERT), *key = named(c, OPT_TLS_SERVER_KEY);
	return cert && key && strcasecmp(cert, "disabled") && strcasecmp(key, "disabled");
}

bool tlsserver_starttls_allowed(const struct conf *c)
{
	return tlsserver_enabled(c) && (!conf_is_set(c, OPT_ALLOWSTARTTLS) || conf_bool(c, OPT_ALLOWSTARTTLS));
}

bool tlsserver_starttls_offered(struct tlsserver *t, const struct conf *c)
{
	return tlsserver_starttls_allowed(c) && tlsserver_ready(t, c);
}

/* ------------------------------------------------------------------------------------------------ what can go wrong, said */

/* "TLS server engine: WHAT 'NAME': REASON". Always false, for the steps below. */
static bool failed(const char *what, const char *name)
{
	char text[256] = "";
	unsigned long e = ERR_peek_last_error();
	if (e) ERR_error_string_n(e, text, sizeof text);
	log_msg(LOG_ERR, "TLS server engine: %s '%s'%s%s", what, name, e ? ": " : "", text);
	ERR_clear_error();
	return false;
}

/* ------------------------------------------------------------------------------------------------ steps of making a context */

static bool set_versions(SSL_CTX *ctx, const struct conf *c)
{
	static const struct { const char *word; unsigned long no; } versions[] = {
		{ "tls1_0", SSL_OP_NO_TLSv1 }, { "tls1_1", SSL_OP_NO_TLSv1_1 }, { "tls1_2", SSL_OP_NO_TLSv1_2 },
		{ "tls1_3", SSL_OP_NO_TLSv1_3 },
	};
	const char *all = named(c, OPT_TLS_VERSIONS);
	if (!all) return true;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (!strcasestr(all, versions[i].word)) SSL_CTX_set_options(ctx, versions[i].no);
	return true;
}

static bool set_certificate(SSL_CTX *ctx, const struct conf *c)
{
	const char *cert = named(c, OPT_TLS_SERVER_CERT), *key = named(c, OPT_TLS_SERVER_KEY);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) return failed("unable to get certificate from", cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		unsigned long e = ERR_peek_last_error();
		if (ERR_GET_LIB(e) != ERR_LIB_X509 || ERR_GET_REASON(e) != X509_R_KEY_VALUES_MISMATCH)
			return failed("unable to get private key from", key);
		ERR_clear_error();
	} else if (SSL_CTX_check_private_key(ctx) == 1) return true;
	log_msg(LOG_ERR, "TLS server engine: Private key '%s' does not match public key '%s'", key, cert);
	ERR_clear_error();
	return false;
}

static bool set_ciphers(SSL_CTX *ctx, const struct conf *c)
{
	const char *ciphers = named(c, OPT_TLS_CIPHERS);
	if (conf_bool(c, OPT_TLS_PREFER_SERVER_CIPHERS)) SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	if (!ciphers || !strcasecmp(ciphers, "DEFAULT") || SSL_CTX_set_cipher_list(ctx, ciphers) == 1) return true;
	return failed("cannot use tls_ciphers", ciphers);
}

/* A curve that is written is the only one. Unwritten, the library's list stands: it holds the default, and better. */
static bool set_curve(SSL_CTX *ctx, const struct conf *c)
{
	const char *curve = named(c, OPT_TLS_ECCURVE);
	if (!curve || !conf_is_set(c, OPT_TLS_ECCURVE) || SSL_CTX_set1_groups_list(ctx, curve) == 1) return true;
	return failed("cannot use tls_eccurve", curve);
}

static bool use_dh(SSL_CTX *ctx, BIO *in)
{
	bool ok = false;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	EVP_PKEY *dh = PEM_read_bio_Parameters(in, NULL);
	ok = dh && (EVP_PKEY_is_a(dh, "DH") || EVP_PKEY_is_a(dh, "DHX")) && SSL_CTX_set0_tmp_dh_pkey(ctx, dh) == 1;
	if (!ok) EVP_PKEY_free(dh);
#else
	DH *dh = PEM_read_bio_DHparams(in, NULL, NULL, NULL);
	ok = dh && SSL_CTX_set_tmp_dh(ctx, dh) == 1;
	DH_free(dh);
#endif
	return ok;
}

static bool use_dh_file(SSL_CTX *ctx, const char *file)
{
	BIO *in = BIO_new_file(file, "r");
	bool ok = in && use_dh(ctx, in);
	BIO_free(in);
	return ok;
}

/* The file that is named; else what the key's or the certificate's file may hold besides; else what suits the key. */
static bool set_dh(SSL_CTX *ctx, const struct conf *c)
{
	const char *file = named(c, OPT_TLS_SERVER_DHPARAM);
	if (file) return use_dh_file(ctx, file) || failed("unable to get DH parameters from", file);
	if (!use_dh_file(ctx, named(c, OPT_TLS_SERVER_KEY)) && !use_dh_file(ctx, named(c, OPT_TLS_SERVER_CERT)))
		SSL_CTX_set_dh_auto(ctx, 1);
	ERR_clear_error();
	return true;
}

static bool set_sessions(SSL_CTX *ctx, const struct conf *c)
{
	int64_t life = conf_seconds(c, OPT_TLS_SESSION_TIMEOUT);
	const char *ident = conf_ident(c);
	size_t n = strlen(ident);
	/* without a context id a session of a client that showed a certificate cannot be taken up again */
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)ident,
		(unsigned)(n < SSL_MAX_SID_CTX_LENGTH ? n : SSL_MAX_SID_CTX_LENGTH));
	if (life > 0) {
		SSL_CTX_set_timeout(ctx, (long)(life < SESSION_MAX ? life : SESSION_MAX));
		tlscache_attach(ctx, c);
		return true;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);           /* which are a cache too, at the client's */
	SSL_CTX_set_num_tickets(ctx, 0);
	return true;
}

/* ------------------------------------------------------------------------------------------------ client certificates */

static bool load_ca(SSL_CTX *ctx, const char *file, const char *dir)
{
	if (file) {
		STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
		if (!names || SSL_CTX_load_verify_locations(ctx, file, NULL) != 1) {
			sk_X509_NAME_pop_free(names, X509_NAME_free);
			return failed("unable to get client CA from tls_client_ca_file", file);
		}
		SSL_CTX_set_client_CA_list(ctx, names);           /* takes them */
	}
	if (dir) {
		DIR *d = opendir(dir);                            /* OpenSSL looks only when it needs a certificate */
		if (!d) {
			log_msg(LOG_ERR, "TLS server engine: unable to read tls_client_ca_dir '%s': %s", dir, strerror(errno));
			return false;
		}
		closedir(d);
		if (SSL_CTX_load_verify_locations(ctx, NULL, dir) != 1) return failed("unable to use tls_client_ca_dir", dir);
	}
	return true;
}

static bool load_crl(SSL_CTX *ctx, const char *file)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) < 1)
		return failed("unable to get revocation list from tls_crl_file", file);
	return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1 || failed("unable to use tls_crl_file", file);
}

/* The files are read, and must be good, even when no certificate is asked for: they are configured. */
static bool set_clients(SSL_CTX *ctx, const struct conf *c)
{
	const char *file = named(c, OPT_TLS_CLIENT_CA_FILE), *dir = named(c, OPT_TLS_CLIENT_CA_DIR),
		*crl = named(c, OPT_TLS_CRL_FILE);
	int want = conf_enum(c, OPT_TLS_CLIENT_CERTS);
	if (!load_ca(ctx, file, dir) || (crl && !load_crl(ctx, crl))) return false;
	if (want == CLIENT_CERTS_OFF) return true;
	if (!file && !dir) {
		if (want != CLIENT_CERTS_REQUIRE) return true;
		log_msg(LOG_ERR,
			"TLS server engine: tls_client_certs is 'require', but neither tls_client_ca_file nor tls_client_ca_dir is set");
		return false;
	}
	SSL_CTX_set_verify_depth(ctx, VERIFY_DEPTH);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE
		| (want == CLIENT_CERTS_REQUIRE ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	return true;
}

/* A key that needs one is no good: else OpenSSL would ask at the terminal and wait. */
static int no_password(char *out, int size, int writing, void *arg)
{
	(void)out, (void)size, (void)writing, (void)arg;
	return -1;
}

SSL_CTX *tlsserver_ctx(const struct conf *c)
{
	static bool (*const steps[])(SSL_CTX *, const struct conf *) = {
		set_versions, set_certificate, set_ciphers, set_curve, set_dh, set_sessions, set_clients,
	};
	ERR_clear_error();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx) {
		failed("cannot make a context for", conf_ident(c));
		return NULL;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (!steps[i](ctx, c)) {
			tlsserver_free(ctx);
			return NULL;
		}
	return ctx;
}

void tlsserver_free(SSL_CTX *ctx)
{
	tlscache_detach(ctx);
	SSL_CTX_free(ctx);
}

SSL_CTX *tlsserver_ready(struct tlsserver *t, const struct conf *c)
{
	if (!t->ctx && !t->bad) t->bad = !(t->ctx = tlsserver_ctx(c));
	return t->ctx;
}

/* ------------------------------------------------------------------------------------------------ handshake */

/* The subject's common name, when there is exactly one and it can be a name. */
static char *common_name(X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return NULL;
	unsigned char *s = NULL;
	int n = ASN1_STRING_to_UTF8(&s, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	bool ok = n > 0;
	/* NUL and its kin: another name to each reader */
	for (int i = 0; i < n; i++) ok = ok && s[i] >= ' ' && s[i] != 0x7f;
	char *name = ok ? mem_dup(s, (size_t)n) : NULL;
	OPENSSL_free(s);
	return name;
}

/* The client's certificate, referenced; NULL: none was asked for, or none shown. */
static X509 *peer_certificate(const SSL *ssl)
{
	return SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER ? SSL_get_peer_certificate(ssl) : NULL;
}

static void log_refusal(const char *client)
{
	char text[256] = "";
	unsigned long e = ERR_peek_last_error();
	if (e) ERR_error_string_n(e, text, sizeof text);
	log_msg(LOG_NOTICE, "TLS server engine: %s: handshake failed%s%s", client, e ? ": " : "", text);
	ERR_clear_error();
}

int tlsserver_start(struct prot *p, SSL_CTX *ctx, const char *client, unsigned *ssf, char **authid)
{
	*authid = NULL;
	ERR_clear_error();
	SSL *ssl = SSL_new(ctx);
	if (!ssl || prot_starttls(p, ssl, true, HANDSHAKE_TIMEOUT) < 0) {
		log_refusal(client);
		return -1;
	}
	/* The handshake has seen to this. Seen to again, because a session taken up again brings its certificate from before. */
	X509 *cert = peer_certificate(ssl);
	bool lacking = !cert && SSL_get_verify_mode(ssl) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (lacking || (cert && SSL_get_verify_result(ssl) != X509_V_OK)) {
		X509_free(cert);
		prot_fail(p, "no valid client certificate");
		log_msg(LOG_NOTICE, "TLS server engine: %s: no valid client certificate", client);
		return -1;
	}
	if (cert) *authid = common_name(cert);
	X509_free(cert);
	int total = 0, bits = SSL_get_cipher_bits(ssl, &total);
	*ssf = (unsigned)bits;
	log_msg(LOG_NOTICE, "starttls: %s with cipher %s (%d/%d bits %s) %s%s", SSL_get_version(ssl), SSL_get_cipher_name(ssl), bits,
		total,
		SSL_session_reused(ssl) ? "reused" : "new", *authid ? "authenticated as " : "no authentication", *authid ? *authid : "");
	return 0;
}
