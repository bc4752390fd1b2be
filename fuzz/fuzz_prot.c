/* fuzz_prot.c - any bytes from a client: lines and literals, as plain bytes and as DEFLATE, all at once and one byte at a time.
 * However they come, the same is read. */
#include "replay.h"
#include "base/buf.h"
#include "io/literal.h"
#include "io/prot.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_LIMIT = 200, LITERAL_LIMIT = 4096 };

static void require(bool ok)
{
	if (!ok) __builtin_trap();
}

struct script {
	const uint8_t *p;
	size_t n, step;
	int fd;
};

static int feed(void *arg, int fd, int timeout_ms)
{
	struct script *s = arg;
	size_t k = s->n < s->step ? s->n : s->step;
	(void)fd, (void)timeout_ms;
	if (!k) shutdown(s->fd, SHUT_WR);
	else require(write(s->fd, s->p, k) == (ssize_t)k);
	s->p += k;
	s->n -= k;
	return 1;
}

/* A command line as the servers read it: bytes, and at each brace maybe a literal; then a line. What was read goes to `out`. */
static bool read_some(struct prot *p, struct buf *out)
{
	struct literal l;
	int c, before = 0, n = 0;
	for (; n < LINE_LIMIT && (c = prot_getc(p)) != PROT_EOF && c != '\n'; before = c, n++) {
		buf_putc(out, c);
		if (c != '{') continue;
		if (!literal_parse(p, before == '~', &l)) {
			int next = prot_getc(p);
			buf_printf(out, "[no %d]", next);
			prot_ungetc(p, next);
			continue;
		}
		buf_printf(out, "[%llu%s%s]", (unsigned long long)l.size, l.nosync ? "+" : "", l.binary ? "~" : "");
		literal_go_ahead(p, &l);
		size_t start = out->len;
		bool ok = l.size <= LITERAL_LIMIT ? literal_read(p, &l, out) : literal_discard(p, &l);
		require(l.size > LITERAL_LIMIT || (ok ? out->len - start == l.size : out->len - start < l.size));
	}
	buf_puts(out, "[line]");
	bool got = prot_getline(p, out, LINE_LIMIT);
	return got && !prot_error(p);
}

static void read_all(const uint8_t *data, size_t size, size_t step, bool packed, struct buf *out)
{
	int fds[2];
	char sink[4096];
	require(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	struct script s = { data, size, step, fds[1] };
	struct prot *p = prot_new(fds[0], fds[0]);
	prot_set_wait(p, feed, &s);
	if (packed) require(!prot_set_deflate(p));
	while (out->len < 1 << 20 && read_some(p, out))
		while (recv(fds[1], sink, sizeof sink, MSG_DONTWAIT) > 0) ;
	buf_printf(out, "[%s%s]", prot_error(p) ? prot_error(p) : "", prot_eof(p) ? " eof" : "");
	prot_free(p);
	close(fds[0]);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 60000) return 0;                      /* what a socket holds */
	for (int packed = 0; packed < 2; packed++) {
		struct buf whole = BUF_INIT, pieces = BUF_INIT;
		read_all(data, size, size + 1, packed, &whole);
		read_all(data, size, packed ? 3 : 1, packed, &pieces);
		/* where junk begins is zlib's to say */
		if (!packed || whole.s[whole.len - 2] == 'f') require(buf_cmp(&whole, &pieces) == 0);
		buf_free(&whole);
		buf_free(&pieces);
	}
	return 0;
}

const struct replay replay = { "prot", 8, "{}+~0\r\n", 400, 1 };
