/* worker.c - the smallest service there is: speaks the status protocol itself, so that what is timed is master's part and not a
 * service's. It serves as many clients as its argument says: a banner, whatever the client says, good-bye.
 *
 *   bench_worker CLIENTS [CRASH]      one process in CRASH aborts behind its first client
 *   bench_worker flood                never accepts; reports a connection again and again, as fast as the pipe takes it
 *   bench_worker crash                exits 1 as soon as it has reported its client */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STATUS_FD = 3, LISTEN_FD = 4, AVAILABLE = 1, UNAVAILABLE, CONNECTION };

static volatile sig_atomic_t told_to_go;

static void on_hup(int sig) { told_to_go = sig; }

static void tell(int what)
{
	int32_t message[2] = { what, (int32_t)getpid() };
	if (write(STATUS_FD, message, sizeof message) != (ssize_t)sizeof message) _exit(71);
}

static void serve(int fd)
{
	static const char banner[] = "* OK worker\r\n";
	char line[256];
	if (send(fd, banner, sizeof banner - 1, MSG_NOSIGNAL) > 0)
		while (recv(fd, line, sizeof line, 0) > 0) {}
	close(fd);
}

static void __attribute__((noreturn)) flood(void)
{
	for (;;) tell(CONNECTION);
}

/* The client, or -1 when master shut the socket down or we are told to go. */
static int next_client(void)
{
	int fd = -1;
	while (!told_to_go && (fd = accept(LISTEN_FD, NULL, NULL)) < 0 && errno == ECONNABORTED) {}
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_hup };
	const char *how = argc > 1 ? argv[1] : "1";
	int clients = atoi(how), crash = argc > 2 ? atoi(argv[2]) : 0;
	sigaction(SIGHUP, &sa, NULL);          /* no SA_RESTART: accept() ends */
	if (!strcmp(how, "flood")) flood();
	for (int i = 0; i < clients || !clients; i++) {
		int fd = next_client();
		if (fd < 0) return 0;
		tell(UNAVAILABLE);
		tell(CONNECTION);
		if (!clients) return 1;
		serve(fd);
		if (crash && getpid() % crash == 0) abort();
		if (told_to_go) return 0;
		if (i + 1 < clients) tell(AVAILABLE);
	}
	return 0;
}
