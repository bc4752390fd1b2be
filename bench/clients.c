/* clients.c - many clients of a line-based service at once: each connects, waits for the banner, and hangs up. Prints
 *
 *   COUNT SECONDS REFUSED LOST P50 P99 MAX
 *
 * where REFUSED could not connect, LOST got no banner within the time, and the last three are microseconds from connect() to the
 * banner.
 *
 *   bench_clients HOST PORT|PATH COUNT AT-ONCE [SECONDS]      with SECONDS: for so long, COUNT at most */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 20000000              /* microseconds */

struct one {
	int64_t began;
	int64_t heard;                     /* 0: no banner yet */
};

static struct sockaddr_storage addr;
static socklen_t addrlen;
static unsigned long refused, lost, done;
static uint32_t *took;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void resolve(const char *host, const char *port)
{
	memset(&addr, 0, sizeof addr);
	if (*port == '/') {
		struct sockaddr_un *un = (struct sockaddr_un *)&addr;
		un->sun_family = AF_UNIX;
		strncpy(un->sun_path, port, sizeof un->sun_path - 1);
		addrlen = sizeof *un;
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&addr;
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port));
		inet_pton(AF_INET, host, &in->sin_addr);
		addrlen = sizeof *in;
	}
}

static int begin(struct one *c)
{
	c->began = now();
	c->heard = 0;
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&addr, addrlen) < 0 && errno != EINPROGRESS)) {
		refused++;
		if (fd >= 0) close(fd);
		return -1;
	}
	return fd;
}

/* Is it over? */
static int go_on(struct one *c, int fd, short events)
{
	char line[512];
	if (!events) {
		if (now() - c->began < PATIENCE) return 0;
		lost++;
		return 1;
	}
	ssize_t n = recv(fd, line, sizeof line, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
	if (n < 0 && errno == ECONNREFUSED) refused++;
	else if (n <= 0) lost++;
	else took[done++] = (uint32_t)(now() - c->began);
	return 1;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	if (argc < 5) return 64;
	unsigned long count = strtoul(argv[3], NULL, 10), started = 0, at_once = strtoul(argv[4], NULL, 10), live = 0;
	int64_t began = now(), limit = argc > 5 ? (int64_t)(atof(argv[5]) * 1e6) : INT64_MAX;
	struct pollfd *p = calloc(at_once, sizeof *p);
	struct one *c = calloc(at_once, sizeof *c);
	took = calloc(count, sizeof *took);
	if (!p || !c || !took) return 71;
	resolve(argv[1], argv[2]);
	for (unsigned long i = 0; i < at_once; i++) p[i].fd = -1;
	do {
		for (unsigned long i = 0; i < at_once && started < count && now() - began < limit; i++) {
			if (p[i].fd >= 0) continue;
			started++;
			p[i] = (struct pollfd){ .fd = begin(&c[i]), .events = POLLIN };
			live += p[i].fd >= 0;
		}
		if (poll(p, at_once, 1000) < 0 && errno != EINTR) return 71;
		for (unsigned long i = 0; i < at_once; i++) {
			if (p[i].fd < 0 || !go_on(&c[i], p[i].fd, p[i].revents)) continue;
			close(p[i].fd);
			p[i].fd = -1;
			live--;
		}
	} while (live || (started < count && now() - began < limit));
	double seconds = (double)(now() - began) / 1e6;
	qsort(took, done, sizeof *took, by_size);
	printf("%lu %.6f %lu %lu %u %u %u\n", done, seconds, refused, lost, done ? took[done / 2] : 0,
		done ? took[done - 1 - done / 100] : 0, done ? took[done - 1] : 0);
	free(took);
	free(p);
	free(c);
	return 0;
}
