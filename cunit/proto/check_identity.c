/* check_identity.c - who we say we are, who logs in as whom, and who is kept out (spec/tools.md 7, names.md 7, databases.md
 * 12). */
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "cunit/scratch.h"
#include "cunit/suite.h"
#include "db/cyrusdb.h"
#include "proto/identity.h"
#include "proto/saslserver.h"
#include "proto/tlsserver.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <sasl/saslutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char last_error[256];               /* the last line of LOG_ERR */

static void keep_error(void *arg, int priority, const char *line)
{
	(void)arg;
	if (priority == LOG_ERR) snprintf(last_error, sizeof last_error, "%s", line);
}

static void setup(void)
{
	scratch_setup();
	log_hook(keep_error, NULL);
}

static struct conf *load(const char *more)
{
	return scratch_conf("imap", false, "configdirectory: %s\nservername: mail.example.com\n%s", scratch_dir, more);
}

/* ------------------------------------------------------------------------------------------------ ourselves and the peer */

START_TEST(versions_parse_as_the_release_they_stand_for)
{
	struct conf *c = load(_i ? "compatibility_level: 2.5\n" : "compatibility_level: 3.6\n");
	ck_assert_int_eq(strncmp(identity_version(c), _i ? "2.5.7-cambyses-" : "3.6.1-cambyses-", 15), 0);
	ck_assert_uint_gt(strlen(identity_version(c)), 15);
	conf_free(c);
}
END_TEST

START_TEST(session_ids)
{
	struct conf *old = load("compatibility_level: 2.5\n"), *c = load("syslog_prefix: front1\n");
	char *a = identity_session(old, 1), *b = identity_session(c, 2), *again = identity_session(c, 2);
	long pid;
	long long when;
	unsigned seq;
	ck_assert_int_eq(sscanf(a, "mail.example.com-%ld-%lld-%u", &pid, &when, &seq), 3);
	ck_assert(pid == getpid() && when > 1000000000 && seq == 1);
	unsigned long long random;
	ck_assert_int_eq(sscanf(b, "front1-%lld-%ld-%u-%llu", &when, &pid, &seq, &random), 4);
	ck_assert(pid == getpid() && when > 1000000000 && seq == 2);
	ck_assert_str_ne(b, again);                          /* nobody can guess the next one */
	free(a);
	free(b);
	free(again);
	conf_free(old);
	conf_free(c);
}
END_TEST

START_TEST(peers)
{
	int pair[2], listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	char *s = identity_client(pair[0]);
	ck_assert_str_eq(s, "[unix socket]");
	free(s);
	s = identity_client(-1);
	ck_assert_str_eq(s, "[local]");
	free(s);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(connect(out, (struct sockaddr *)&sin, len), 0);
	int in = accept(listener, NULL, NULL);
	s = identity_client(in);
	size_t n = strlen(s);
	ck_assert_msg(n >= 11 && !strcmp(s + n - 11, "[127.0.0.1]"), "%s", s);     /* with a name before it or without */
	ck_assert(n == 11 || s[n - 12] == ' ');
	free(s);
	close(in);
	close(out);
	close(listener);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ logging in */

#define BASE "sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_mech_list: PLAIN LOGIN\n" \
	"admins: cyrus root@x.org\nproxyservers: front\n"

static struct conf *conf;
static struct saslserver server;
static struct prot *stream;
static int theirs;

/* A connection whose users all have the password "secret". Every test is a process of its own, as saslserver_init() wants it. */
static void connect_with(const char *more, const char *const *users, size_t n)
{
	int pair[2];
	char *text = mem_printf(BASE "sasl_sasldb_path: %s/sasldb\n%s%s", scratch_dir,
		strstr(more, "allowplaintext") ? "" : "allowplaintext: yes\n", more);
	conf = load(text);
	free(text);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	theirs = pair[1];
	stream = prot_new(pair[0], pair[0]);
	ck_assert_int_eq(saslserver_init(conf), 0);
	ck_assert_int_eq(saslserver_new(&server, conf, "imap", "imap", -1, 0), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sasl_setpass(server.conn, users[i], "secret", 6, NULL, 0, SASL_SET_CREATE), SASL_OK);
}

static void disconnect(void)
{
	int fd = prot_fd(stream);
	prot_free(stream);
	close(fd);
	close(theirs);
	saslserver_free(&server);
	sasl_done();
	conf_free(conf);
}

/* base64 of authorisation NUL authentication NUL password */
static const char *plain(const char *authz, const char *authc, const char *pass)
{
	static char enc[1024];
	struct buf b = BUF_INIT;
	unsigned n;
	buf_puts(&b, authz);
	buf_putc(&b, 0);
	buf_puts(&b, authc);
	buf_putc(&b, 0);
	buf_puts(&b, pass);
	ck_assert_int_eq(sasl_encode64(b.s, (unsigned)b.len, enc, sizeof enc, &n), SASL_OK);
	buf_free(&b);
	return enc;
}

static const char *const users[] = { "fred", "joe@x.org", "cyrus", "front", "root@x.org" };

static const struct { const char *conf, *authz, *authc, *pass; const char *userid; } logins[] = {
	/* refused */
	{ "", "", "fred", "wrong", NULL }, { "", "", "nobody", "secret", NULL }, { "", "", "", "secret", NULL },
	{ "", "", "fred", "", NULL },
	{ "", "joe", "fred", "secret", NULL }, { "", "cyrus", "fred", "secret", NULL }, { "", "cyrus", "front", "secret", NULL },
	{ "", "bad/name", "cyrus", "secret", NULL }, { "", "", "fr*ed", "secret", NULL }, { "", "", "fred/../x", "secret", NULL },
	{ "username_tolower: no\n", "", "FRED", "secret", NULL }, { "username_tolower: no\n", "Fred", "fred", "secret", NULL },
	{ "virtdomains: userid\n", "joe", "joe@x.org", "secret", NULL },
	{ "virtdomains: userid\n", "joe@y.org", "joe@x.org", "secret", NULL },
	/* as oneself */
	{ "", "", "fred", "secret", "fred" }, { "", "fred", "fred", "secret", "fred" }, { "", "", "FRED", "secret", "fred" },
	{ "", "FRED", "fred", "secret", "fred" },
	{ "virtdomains: userid\n", "", "joe@x.org", "secret", "joe@x.org" },
	{ "virtdomains: userid\n", "", "JOE%X.org", "secret", "joe@x.org" },
	/* as somebody else: administrators as anybody, proxy servers as anybody but administrators */
	{ "", "fred", "cyrus", "secret", "fred" }, { "", "Fred.Smith", "cyrus", "secret", "fred.smith" },
	{ "", "fred", "front", "secret", "fred" },
	{ "virtdomains: userid\n", "ann@y.org", "root@x.org", "secret", "ann@y.org" },
	{ "virtdomains: userid\ndefaultdomain: y.org\n", "ann@Y.org", "cyrus", "secret", "ann" },
};

START_TEST(who_logs_in_as_whom)
{
	const char *userid, *last;
	connect_with(logins[_i].conf, users, COUNT(users));
	int r = saslserver_authenticate(&server, stream, "PLAIN", plain(logins[_i].authz, logins[_i].authc, logins[_i].pass), "+ ",
		&userid, &last);
	if (logins[_i].userid) ck_assert_msg(r == SASL_OK, "%d: %s", r, sasl_errdetail(server.conn));
	else ck_assert_int_ne(r, SASL_OK);
	ck_assert_pstr_eq(userid, logins[_i].userid);
	disconnect();
}
END_TEST

static void answer(const char *lines)
{
	ck_assert_int_eq(write(theirs, lines, strlen(lines)), (ssize_t)strlen(lines));
	shutdown(theirs, SHUT_WR);
}

static const struct { const char *initial, *lines; int r; const char *challenges; } exchanges[] = {
	{ NULL, "", SASLSERVER_EOF, "+ \r\n" }, { NULL, "*\r\n", SASLSERVER_CANCELLED, "+ \r\n" },
	{ NULL, "*\n", SASLSERVER_CANCELLED, "+ \r\n" },
	{ NULL, "!!!\r\n", SASLSERVER_BADBASE64, "+ \r\n" }, { NULL, "AGZy", SASLSERVER_EOF, "+ \r\n" },
	{ "!!!", "", SASLSERVER_BADBASE64, "" },
	{ "AGZyZWQAc2VjcmV", "", SASLSERVER_BADBASE64, "" }, { NULL, "AGZyZWQAc2VjcmV0\r\n", SASL_OK, "+ \r\n" },
	{ "AGZyZWQAc2VjcmV0", "", SASL_OK, "" },
};

START_TEST(exchanges_with_odd_clients)
{
	const char *userid, *last;
	char got[100];
	connect_with("", users, 1);
	answer(exchanges[_i].lines);
	ck_assert_int_eq(saslserver_authenticate(&server, stream, "PLAIN", exchanges[_i].initial, "+ ", &userid, &last),
		exchanges[_i].r);
	ck_assert_pstr_eq(userid, exchanges[_i].r == SASL_OK ? "fred" : NULL);
	ssize_t n = recv(theirs, got, sizeof got - 1, MSG_DONTWAIT);
	got[n > 0 ? n : 0] = 0;
	ck_assert_str_eq(got, exchanges[_i].challenges);
	disconnect();
}
END_TEST

/* "=" is the empty initial response: not the same as none. */
START_TEST(exchange_with_an_empty_initial_response)
{
	const char *userid, *last;
	connect_with("", users, 1);
	answer("");
	int r = saslserver_authenticate(&server, stream, "PLAIN", "=", "+ ", &userid, &last);
	ck_assert(r != SASL_OK && r != SASLSERVER_EOF);
	ck_assert_ptr_null(userid);
	disconnect();
}
END_TEST

START_TEST(mechanisms_offered)
{
	connect_with("", users, 0);
	const char *s = saslserver_mechs(&server, "AUTH=", " AUTH=", "");
	ck_assert_ptr_nonnull(s);
	ck_assert_msg(strstr(s, "AUTH=PLAIN") && strstr(s, "AUTH=LOGIN") && !strstr(s, "CRAM"), "%s", s);
	disconnect();
}
END_TEST

/* Without TLS no mechanism that shows the password, and after it has begun there is one. */
START_TEST(mechanisms_wait_for_tls)
{
	const char *userid, *last;
	connect_with("allowplaintext: no\n", users, 1);
	ck_assert_ptr_null(saslserver_mechs(&server, "", " ", ""));
	ck_assert_int_ne(saslserver_authenticate(&server, stream, "PLAIN", plain("", "fred", "secret"), "+ ", &userid, &last),
		SASL_OK);
	saslserver_tls(&server, 256, NULL);
	ck_assert_ptr_nonnull(saslserver_mechs(&server, "", " ", ""));
	ck_assert_int_eq(saslserver_authenticate(&server, stream, "PLAIN", plain("", "fred", "secret"), "+ ", &userid, &last),
		SASL_OK);
	ck_assert_str_eq(userid, "fred");
	disconnect();
}
END_TEST

/* ------------------------------------------------------------------------------------------------ user_deny.db */

static const struct { const char *row, *service, *why; } denials[] = {
	{ "", "imap", NULL }, { "imap", "imap", NULL }, { "3\timap", "imap", NULL }, { "1\timap\ttext", "imap", NULL },
	{ "x\t*", "imap", NULL },
	{ "2\t", "imap", NULL }, { "2\t,,,", "imap", NULL }, { "2\tpop3", "imap", NULL }, { "2\timaps", "imap", NULL },
	{ "2\tima", "imap", NULL },
	{ "2\t imap", "imap", NULL }, { "2\t!imap,*", "imap", NULL }, { "2\t!", "imap", NULL }, { "2\ti?p", "imap", NULL },
	{ "1\timap", "imap", "Access to this service has been blocked" },
	{ "2\timap", "imap", "Access to this service has been blocked" },
	{ "2\timap\t", "imap", "Access to this service has been blocked" }, { "2\timap\tgo away", "imap", "go away" },
	{ "2\tpop3,,imap\tx", "imap", "x" },
	{ "2\t*\tx", "imap", "x" }, { "2\ti*\tx", "imap", "x" }, { "2\ti*p\tx", "imap", "x" }, { "2\t*a*\tx", "imap", "x" },
	{ "2\tim??\tx", "imap", "x" },
	{ "2\t!imap,*\tx", "pop3", "x" }, { "2\t*,!imap\tx", "imap", "x" }, { "2\t*a*a*p\tx", "imaap", "x" },
};

START_TEST(users_kept_out)
{
	struct conf *c = load("userdeny_db: flat\n");
	struct cyrusdb_env *env = cyrusdb_env_new(scratch_dir, false);
	struct cyrusdb *db;
	char *path = mem_printf("%s/user_deny.db", scratch_dir), *why;
	ck_assert(!user_denied(c, "imap", "fred", &why));    /* no file: nobody */
	ck_assert_int_eq(cyrusdb_open(env, "flat", path, CYRUSDB_CREATE, &db), 0);
	ck_assert_int_eq(cyrusdb_store(db, "fred", 4, denials[_i].row, strlen(denials[_i].row), NULL), 0);
	cyrusdb_close(db);
	ck_assert_int_eq(user_denied(c, denials[_i].service, "fred", &why), denials[_i].why != NULL);
	ck_assert_pstr_eq(why, denials[_i].why);
	free(why);
	ck_assert(!user_denied(c, denials[_i].service, "fre", &why));
	cyrusdb_env_free(env);
	free(path);
	conf_free(c);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ TLS configuration */

START_TEST(tls_is_offered_only_when_it_can_be)
{
	static const struct { const char *conf; bool on; } t[] = {
		{ "", false }, { "tls_server_cert: /c\n", false }, { "tls_server_key: /k\n", false },
		{ "tls_server_cert: /c\ntls_server_key: disabled\n", false },
		{ "tls_server_cert: disabled\ntls_server_key: /k\n", false },
		{ "tls_server_cert: /c\ntls_server_key: /k\n", true },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct conf *c = load(t[i].conf);
		ck_assert_msg(tlsserver_enabled(c) == t[i].on, "row %zu", i);
		if (t[i].on) ck_assert_ptr_null(tlsserver_ctx(c));       /* files that are not there */
		conf_free(c);
	}
}
END_TEST

/* A self-signed certificate and its key in one file. */
static char *own_certificate(void)
{
	char *path = mem_printf("%s/own.pem", scratch_dir);
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *k = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	ck_assert(k && EVP_PKEY_keygen_init(k) == 1 && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(k, NID_X9_62_prime256v1) == 1);
	ck_assert_int_eq(EVP_PKEY_keygen(k, &key), 1);
	EVP_PKEY_CTX_free(k);
	X509 *x = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	FILE *f = fopen(path, "w");
	ck_assert(f && PEM_write_X509(f, x) == 1 && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && !fclose(f));
	X509_free(x);
	EVP_PKEY_free(key);
	return path;
}

static const struct { const char *conf, *said; } bad_tls[] = {
	{ "", NULL },
	{ "tls_server_cert: /none/x\n", "unable to get certificate from '/none/x'" },
	{ "tls_server_key: /none/x\n", "unable to get private key from '/none/x'" },
	{ "tls_client_ca_file: /none/x\n", "tls_client_ca_file '/none/x'" },
	{ "tls_client_ca_file: /dev/null\n", "tls_client_ca_file '/dev/null'" },
	{ "tls_ca_file: /none/x\n", "tls_client_ca_file '/none/x'" },
	{ "tls_client_ca_dir: /none/x\n", "tls_client_ca_dir '/none/x'" },
	{ "tls_ca_path: /none/x\n", "tls_client_ca_dir '/none/x'" },
	{ "tls_crl_file: /none/x\n", "tls_crl_file '/none/x'" },
	{ "tls_crl_file: /dev/null\n", "tls_crl_file '/dev/null'" },
	{ "tls_server_dhparam: /none/x\n", "DH parameters from '/none/x'" },
	{ "tls_server_dhparam: /dev/null\n", "DH parameters from '/dev/null'" },
	{ "tls_eccurve: nonesuch\n", "tls_eccurve 'nonesuch'" },
	{ "tls_ciphers: NONESUCH\n", "tls_ciphers 'NONESUCH'" },
	{ "tls_client_certs: require\n", "neither tls_client_ca_file nor tls_client_ca_dir" },
	{ "tls_client_certs: off\ntls_client_ca_file: /none/x\n", "tls_client_ca_file '/none/x'" },
};

START_TEST(a_bad_tls_file_is_named_and_tls_not_offered)
{
	const char *row = bad_tls[_i].conf;
	char *own = own_certificate();
	char *cert = strstr(row, "server_cert") ? mem_strdup("") : mem_printf("tls_server_cert: %s\n", own);
	char *key = strstr(row, "server_key") ? mem_strdup("") : mem_printf("tls_server_key: %s\n", own);
	char *text = mem_printf("%s%s%s", cert, key, row);
	struct conf *c = load(text);
	struct tlsserver t = { 0 };
	*last_error = 0;
	ck_assert(tlsserver_starttls_allowed(c));
	ck_assert_int_eq(tlsserver_starttls_offered(&t, c), !bad_tls[_i].said);
	ck_assert_msg(bad_tls[_i].said ? strstr(last_error, bad_tls[_i].said) != NULL : !*last_error, "row %d: %s", _i, last_error);
	*last_error = 0;
	ck_assert_ptr_eq(tlsserver_ready(&t, c), t.ctx);
	ck_assert_str_eq(last_error, "");                     /* said once in a session, not at each CAPABILITY */
	tlsserver_free(t.ctx);
	conf_free(c);
	free(text);
	free(key);
	free(cert);
	free(own);
}
END_TEST

/* Has this machine SASL's plugins for PLAIN and for a password file? Asked in a process of its own: the library starts once. */
static bool can_log_in(void)
{
	int status = -1;
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		struct conf_error err;                       /* and without Check, which asserts only inside tests */
		char path[] = "/tmp/check_identity.XXXXXX", command[64];
		int fd = mkstemp(path);
		dprintf(fd, BASE "allowplaintext: yes\nconfigdirectory: /nonexistent\nsasl_sasldb_path: %s.db\n", path);
		bool ok = !conf_load(&conf, path, "imap", false, &err) && !saslserver_init(conf)
			&& !saslserver_new(&server, conf, "imap", "imap", -1, 0) && saslserver_mechs(&server, "", "", "")
			&& sasl_setpass(server.conn, "fred", "secret", 6, NULL, 0, SASL_SET_CREATE) == SASL_OK;
		snprintf(command, sizeof command, "rm -f %s %s.db", path, path);
		_exit(system(command) || !ok);
	}
	waitpid(pid, &status, 0);
	if (status) fputs("skipped: SASL has no PLAIN or no sasldb here: logins are not tested\n", stderr);
	return !status;
}

int main(void)
{
	TCase *t = tcase_create("identity");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, scratch_teardown);
	tcase_add_loop_test(t, versions_parse_as_the_release_they_stand_for, 0, 2);
	tcase_add_test(t, session_ids);
	tcase_add_test(t, peers);
	if (can_log_in()) {
		tcase_add_loop_test(t, who_logs_in_as_whom, 0, COUNT(logins));
		tcase_add_loop_test(t, exchanges_with_odd_clients, 0, COUNT(exchanges));
		tcase_add_test(t, exchange_with_an_empty_initial_response);
		tcase_add_test(t, mechanisms_offered);
		tcase_add_test(t, mechanisms_wait_for_tls);
	}
	tcase_add_loop_test(t, users_kept_out, 0, COUNT(denials));
	tcase_add_test(t, tls_is_offered_only_when_it_can_be);
	tcase_add_loop_test(t, a_bad_tls_file_is_named_and_tls_not_offered, 0, COUNT(bad_tls));
	return suite_run("identity", (TCase *[]){ t, NULL });
}
