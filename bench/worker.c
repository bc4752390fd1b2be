/* worker.c - the smallest service there is: speaks the status protocol itself, so that what is timed is master's part and not a
 * service's. It serves as many clients as its argument says: a banner, one line from the client, good-bye.
 *
 *   bench_worker CLIENTS [CRASH]      every CRASH-th process to have served somebody ends by a signal instead of going on */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STATUS_FD = 3, LISTEN_FD = 4, AVAILABLE = 1, UNAVAILABLE, CONNECTION };

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

int main(int argc, char **argv)
{
	int clients = argc > 1 ? atoi(argv[1]) : 1, crash = argc > 2 ? atoi(argv[2]) : 0;
	for (int i = 0; i < clients; i++) {
		int fd = accept(LISTEN_FD, NULL, NULL);
		if (fd < 0) return 0;                  /* master shut the socket down */
		tell(UNAVAILABLE);
		tell(CONNECTION);
		serve(fd);
		if (crash && getpid() % crash == 0) abort();
		if (i + 1 < clients) tell(AVAILABLE);
	}
	return 0;
}
