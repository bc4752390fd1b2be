/* queue.c - how many clients wait in a listening socket. Linux tells it of a TCP socket in TCP_INFO, and of a UNIX socket
 * through the socket diagnostics (sock_diag(7)); elsewhere nobody knows. */
#include "master/kernel.h"

#ifdef __linux__
#include "sys/sys.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int tcp_queue(int fd)
{
	struct tcp_info info;
	socklen_t n = sizeof info;
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 ? (int)info.tcpi_unacked : -1;
}

/* The answer is one message with the attribute asked for, or an error. */
static int read_answer(const struct nlmsghdr *h, size_t n)
{
	if (n < NLMSG_LENGTH(sizeof(struct unix_diag_msg)) || h->nlmsg_len > n || h->nlmsg_type != SOCK_DIAG_BY_FAMILY) return -1;
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a = (const struct rtattr *)(m + 1);
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof *m);
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		struct unix_diag_rqlen q;
		if (a->rta_type != UNIX_DIAG_RQLEN || RTA_PAYLOAD(a) < sizeof q) continue;
		memcpy(&q, RTA_DATA(a), sizeof q);
		return (int)q.udiag_rqueue;
	}
	return -1;
}

static int ask(int nl, ino_t ino)
{
	union {
		struct nlmsghdr head;
		char bytes[512];
	} answer;
	struct {
		struct nlmsghdr head;
		struct unix_diag_req ask;
	} q;
	memset(&q, 0, sizeof q);
	q.head = (struct nlmsghdr){ .nlmsg_len = sizeof q, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST };
	q.ask = (struct unix_diag_req){ .sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_ino = (__u32)ino,
		.udiag_show = UDIAG_SHOW_RQLEN, .udiag_cookie = { ~0u, ~0u } };
	if (send(nl, &q, sizeof q, 0) != (ssize_t)sizeof q) return -1;
	ssize_t n = recv(nl, &answer, sizeof answer, MSG_DONTWAIT);            /* the kernel answers inside send() */
	return n < 0 ? -1 : read_answer(&answer.head, (size_t)n);
}

static int unix_queue(int fd)
{
	struct stat st;
	int nl = fstat(fd, &st) == 0 ? socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG) : -1;
	if (nl < 0) return -1;
	int n = ask(nl, st.st_ino);
	sys_close(nl);
	return n;
}

int queue_length(int fd)
{
	int family;
	socklen_t n = sizeof family;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) < 0) return -1;
	return family == AF_UNIX ? unix_queue(fd) : tcp_queue(fd);
}
#else
int queue_length(int fd) { return (void)fd, -1; }
#endif
