/* deliver.c - a message from standard input to the local LMTP socket (spec/tools.md, services.md 1.5). The exit code is what mail
 * transports act on: 0 delivered, 65 refused for good, 75 try again, 64 wrong use. */
#include "base/buf.h"
#include "base/mem.h"
#include "conf/program.h"
#include "io/prot.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { TIMEOUT_SECONDS = 600, LINE_MAX_BYTES = 8192 };

struct options {
	const char *conf, *from, *mailbox, *auth;
	bool ignorequota, proxy;
	char **users;
	int nusers;
};

static int usage(void)
{
	fputs("421-4.3.0 usage: deliver [-C <alt_config>] [-m <mailbox>] [-a <authid>] [-f <from>] [-q] [-l] [<user>]...\r\n",
		stdout);
	fputs("421 4.3.0 " PACKAGE_VERSION "\r\n", stdout);
	return EX_USAGE;
}

static int parse(struct options *o, int argc, char **argv)
{
	int c;
	*o = (struct options){ 0 };
	while ((c = getopt(argc, argv, "C:df:r:m:a:F:eE:lqD")) != -1) {
		switch (c) {
		case 'C': o->conf = optarg; break;
		case 'f':
		case 'r': o->from = optarg; break;
		case 'm': o->mailbox = optarg; break;
		case 'a': o->auth = optarg; break;
		case 'q': o->ignorequota = true; break;
		case 'l': o->proxy = true; break;
		case 'd':                                /* every message goes by LMTP */
		case 'D': break;
		case 'F':
		case 'e':
		case 'E':
			fprintf(stderr, "deliver: '%c' option no longer supported\n", c);
			return EX_USAGE;
		default: return usage();
		}
	}
	o->users = argv + optind;
	o->nusers = argc - optind;
	if (!o->proxy && !o->nusers && !o->mailbox) return usage();
	return 0;
}

static int connect_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof a.sun_path) {
		fprintf(stderr, "deliver: %s: path too long\n", path);
		return -1;
	}
	strcpy(a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
	fprintf(stderr, "deliver: connect to %s: %s\n", path, strerror(errno));
	if (fd >= 0) close(fd);
	return -1;
}

/* ------------------------------------------------------------------------------------------------ -l */

static bool copy(int from, int to)
{
	char b[16384];
	ssize_t n = read(from, b, sizeof b);
	for (ssize_t done = 0; done < n;) {
		ssize_t w = write(to, b + done, (size_t)(n - done));
		if (w < 0 && errno != EINTR) return false;
		if (w > 0) done += w;
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Standard input and output are the client of the socket. */
static int proxy(int fd)
{
	struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	for (;;) {
		if (poll(p, 2, TIMEOUT_SECONDS * 1000) <= 0 && errno != EINTR) return EX_TEMPFAIL;
		if (p[1].revents && !copy(fd, 1)) return 0;
		if (p[0].revents && !copy(0, fd)) {
			p[0].fd = -1;
			shutdown(fd, SHUT_WR);
		}
	}
}

/* ------------------------------------------------------------------------------------------------ delivering */

/* One reply: its code, and its last line in text. 0: the connection failed. */
static int read_reply(struct prot *p, struct buf *text)
{
	for (;;) {
		buf_reset(text);
		if (!prot_getline(p, text, LINE_MAX_BYTES) || text->len < 4) return 0;
		while (text->len && (text->s[text->len - 1] == '\n' || text->s[text->len - 1] == '\r')) text->len--;
		if (text->len < 4 || buf_cstr(text)[3] != '-') return atoi(buf_cstr(text));
	}
}

static int command(struct prot *p, struct buf *text, const char *line)
{
	prot_puts(p, line);
	prot_puts(p, "\r\n");
	return read_reply(p, text);
}

static int exit_code(int reply)
{
	return reply / 100 == 2 ? 0 : reply / 100 == 5 ? EX_DATAERR : EX_TEMPFAIL;
}

/* The worse of two results; "try again" beats "refused": the transport may then deliver twice, but loses nothing. */
static int worse(int a, int b)
{
	return a == EX_TEMPFAIL || b == EX_TEMPFAIL ? EX_TEMPFAIL : a ? a : b;
}

/* An envelope local part, quoted when it needs to be. */
static void put_local(struct buf *b, const char *s, size_t n)
{
	bool plain = n > 0;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f || strchr("<>()[]\\,;:\"@", s[i])) plain = false;
	if (!plain) buf_putc(b, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r' || s[i] == '\n') continue;
		if (!plain && (s[i] == '"' || s[i] == '\\')) buf_putc(b, '\\');
		buf_putc(b, s[i]);
	}
	if (!plain) buf_putc(b, '"');
}

/* user[@domain], with +mailbox between them. */
static void put_recipient(struct buf *b, const char *user, const char *mailbox)
{
	struct buf local = BUF_INIT;
	const char *at = strrchr(user, '@');
	buf_append(&local, user, at ? (size_t)(at - user) : strlen(user));
	if (mailbox) buf_printf(&local, "+%s", mailbox);
	put_local(b, local.s ? local.s : "", local.len);
	for (; at && *at; at++)
		if (*at > ' ' && *at != '>') buf_putc(b, *at);
	buf_free(&local);
}

static void put_mail(struct buf *b, const struct options *o)
{
	const char *from = o->from ? o->from : "", *at = strrchr(from, '@');
	size_t skip = *from == '<';
	char *bare = mem_strdup(from + skip);
	bare[strcspn(bare, ">")] = 0;
	at = strrchr(bare, '@');
	buf_puts(b, "MAIL FROM:<");
	if (*bare) put_local(b, bare, at ? (size_t)(at - bare) : strlen(bare));
	if (at) buf_puts(b, at);
	buf_putc(b, '>');
	if (o->auth) {
		buf_puts(b, " AUTH=");
		for (const unsigned char *p = (const unsigned char *)o->auth; *p; p++)
			if (*p <= ' ' || *p >= 0x7f || *p == '+' || *p == '=') buf_printf(b, "+%02X", *p);
			else buf_putc(b, *p);
	}
	free(bare);
}

/* The message, with CRLF line ends and dots stuffed. false: standard input failed. */
static bool send_message(struct prot *p)
{
	char b[16384];
	size_t n;
	bool start = true, cr = false;
	while ((n = fread(b, 1, sizeof b, stdin)) > 0) {
		for (size_t i = 0; i < n; i++) {
			bool lf = b[i] == '\n';
			if (start && b[i] == '.') prot_putc(p, '.');
			if (lf && !cr) prot_putc(p, '\r');
			prot_putc(p, (unsigned char)b[i]);
			start = lf;
			cr = b[i] == '\r';
		}
	}
	if (!start) prot_puts(p, cr ? "\n" : "\r\n");
	return !ferror(stdin);
}

static void complain(const char *user, int code, const char *text)
{
	bool unknown = code == 550 && strstr(text, "5.1.1");
	fprintf(stderr, "%s: %s\n", user, unknown ? "Mailbox does not exist" : text);
}

static int recipients(struct prot *p, const struct options *o, struct buf *text, const char **accepted, int *naccepted)
{
	static char *nobody[] = { (char *)(uintptr_t)"" };
	char **users = o->nusers ? o->users : nobody;
	int rc = 0, n = o->nusers ? o->nusers : 1;
	for (int i = 0; i < n; i++) {
		struct buf line = BUF_INIT;
		buf_puts(&line, "RCPT TO:<");
		put_recipient(&line, users[i], o->mailbox);
		buf_puts(&line, o->ignorequota ? "> IGNOREQUOTA" : ">");
		int code = command(p, text, buf_cstr(&line));
		buf_free(&line);
		if (!code) return EX_TEMPFAIL;
		if (code / 100 == 2) {
			accepted[(*naccepted)++] = users[i];
			continue;
		}
		complain(*users[i] ? users[i] : o->mailbox, code, buf_cstr(text));
		rc = worse(rc, exit_code(code));
	}
	return rc;
}

static int converse(struct prot *p, const struct options *o, struct buf *text)
{
	const char **accepted = mem_array(NULL, (size_t)o->nusers + 1, sizeof *accepted);
	struct buf mail = BUF_INIT;
	int n = 0, rc;
	put_mail(&mail, o);
	rc = exit_code(read_reply(p, text));
	if (!rc) rc = exit_code(command(p, text, "LHLO localhost"));
	if (!rc) rc = exit_code(command(p, text, buf_cstr(&mail)));
	if (rc) fprintf(stderr, "deliver: %s\n", buf_cstr(text));
	else rc = recipients(p, o, text, accepted, &n);
	if (n && command(p, text, "DATA") != 354) {
		fprintf(stderr, "deliver: %s\n", buf_cstr(text));
		rc = EX_TEMPFAIL;
		n = 0;
	}
	if (n && !send_message(p)) {               /* without the final dot nothing is delivered */
		fprintf(stderr, "deliver: cannot read the message\n");
		rc = EX_TEMPFAIL;
		n = 0;
	} else if (n) {
		prot_puts(p, ".\r\n");
	}
	for (int i = 0; i < n; i++) {
		int code = read_reply(p, text);
		if (exit_code(code)) complain(accepted[i], code, buf_cstr(text));
		rc = worse(rc, exit_code(code));
	}
	free(accepted);
	buf_free(&mail);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	struct conf *conf;
	struct buf text = BUF_INIT;
	int rc = parse(&o, argc, argv);
	if (rc) return rc;
	rc = program_init(&conf, o.conf, "deliver", PROGRAM_KEEP_USER);
	if (rc) return rc;
	signal(SIGPIPE, SIG_IGN);
	int fd = connect_socket(conf_str(conf, OPT_LMTPSOCKET));
	if (fd < 0) rc = EX_TEMPFAIL;
	else if (o.proxy) rc = proxy(fd);
	else {
		struct prot *p = prot_new(fd, fd);
		prot_set_timeout(p, TIMEOUT_SECONDS);
		rc = converse(p, &o, &text);
		if (!rc) command(p, &text, "QUIT");
		prot_free(p);
	}
	if (fd >= 0) close(fd);
	buf_free(&text);
	conf_free(conf);
	return rc;
}
