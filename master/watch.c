/* watch.c - the socket that `cyr_info master` asks. Whoever may connect (the Cyrus user and root) gets the table and the end
 * of the stream; nothing is read from him, and a slow reader is not waited for. doc/decisions/0007 says why it is a socket. */
#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "master/watch.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCH_BACKLOG 8
#define WATCH_MAX 4                    /* answered in a pass */

static int listen_at(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	unlink(un->sun_path);
	mode_t old = umask(0177);
	int r = bind(fd, (const struct sockaddr *)un, sizeof *un);
	umask(old);
	if (r == 0 && listen(fd, WATCH_BACKLOG) == 0) return fd;
	int e = errno;
	sys_close(fd);
	errno = e;
	return -1;
}

void watch_open(struct master *m)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char *path = mem_printf("%s/" WATCH_SOCKET, conf_dir(m->conf));
	size_t n = strlen(path);
	errno = ENAMETOOLONG;
	if (n < sizeof un.sun_path) {
		memcpy(un.sun_path, path, n + 1);
		m->watch = listen_at(&un);
	}
	if (m->watch >= 0) {
		fdset_add(&m->services.want, m->watch);
		fdset_add(&m->services.urgent, m->watch);
	} else log_msg(LOG_WARNING, "cannot make %s, so cyr_info master will not work: %s", path, strerror(errno));
	free(path);
}

void watch_close(struct master *m)
{
	if (m->watch < 0) return;
	fdset_remove(&m->services.want, m->watch);
	fdset_remove(&m->services.urgent, m->watch);
	char *path = mem_printf("%s/" WATCH_SOCKET, conf_dir(m->conf));
	unlink(path);
	free(path);
	sys_close(m->watch);
	m->watch = -1;
}

/* What does not fit into the socket's buffer is not sent: the reader sees that the end is missing. */
static void tell(int fd, const struct buf *text)
{
	int size = (int)(2 * text->len);
	if (size > 0) (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	for (size_t sent = 0; sent < text->len;) {
		ssize_t n = send(fd, text->s + sent, text->len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR) return;
		if (n > 0) sent += (size_t)n;
	}
}

void watch_phase(struct master *m)
{
	if (m->watch < 0 || !fdset_has(&m->ready, m->watch)) return;
	struct buf text = BUF_INIT;
	for (int i = 0; i < WATCH_MAX; i++) {
		int fd = accept4(m->watch, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) break;
		if (!text.len) {
			metrics_table(m, &text);
			buf_puts(&text, WATCH_END);
		}
		tell(fd, &text);
		sys_close(fd);
	}
	buf_free(&text);
}
