/* listen.c - "listen" and "proto" to sockets: parse, resolve, create, in the order of spec/master.md 5. */
#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "sys/sys.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
	const char *name;
	int family;
	bool stream;
} protos[] = {
	{ "tcp", AF_UNSPEC, true }, { "tcp4", AF_INET, true }, { "tcp6", AF_INET6, true },
	{ "udp", AF_UNSPEC, false }, { "udp4", AF_INET, false }, { "udp6", AF_INET6, false },
};

static const struct {
	const char *name;
	unsigned char byte;
} tos[] = {
	{ "cs0", 0x00 }, { "cs1", 0x20 }, { "cs2", 0x40 }, { "cs3", 0x60 }, { "cs4", 0x80 }, { "cs5", 0xa0 }, { "cs6", 0xc0 },
	{ "cs7", 0xe0 }, { "af11", 0x28 }, { "af12", 0x30 }, { "af13", 0x38 }, { "af21", 0x48 }, { "af22", 0x50 }, { "af23", 0x58 },
	{ "af31", 0x68 }, { "af32", 0x70 }, { "af33", 0x78 }, { "af41", 0x88 }, { "af42", 0x90 }, { "af43", 0x98 }, { "ef", 0xb8 },
};

int listen_tos(const char *name)
{
	for (size_t i = 0; name && i < sizeof tos / sizeof *tos; i++)
		if (!strcmp(name, tos[i].name)) return tos[i].byte;
	return -1;
}

void listen_spec_free(struct listen_spec *l)
{
	free(l->host);
	free(l->port);
	*l = (struct listen_spec){ 0 };
}

enum listen_error listen_parse(struct listen_spec *out, const char *text, const char *proto)
{
	size_t i = 0;
	*out = (struct listen_spec){ 0 };
	if (*text == '/') {
		out->unix_path = true;
		out->family = AF_UNIX;
		out->stream = !strcmp(proto, "tcp");       /* anything else is a datagram socket, "tcp4" too */
		return LISTEN_OK;
	}
	while (i < sizeof protos / sizeof *protos && strcmp(proto, protos[i].name) != 0) i++;
	if (i == sizeof protos / sizeof *protos) return LISTEN_BAD_PROTO;
	out->family = protos[i].family;
	out->stream = protos[i].stream;
	const char *end = strrchr(text, ':'), *close = NULL;
	if (*text == '[') {
		close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':')) return LISTEN_BAD_ADDRESS;
		end = close[1] ? close + 1 : NULL;
		if (close > text + 1) out->host = mem_dup(text + 1, (size_t)(close - text - 1));
	} else if (end && end > text) {
		out->host = mem_dup(text, (size_t)(end - text));
	}
	if (end && !end[1]) {
		listen_spec_free(out);
		return LISTEN_BAD_ADDRESS;
	}
	if (end) out->port = mem_strdup(end + 1);
	else if (!close) out->port = mem_strdup(text);
	if (out->host && !strcmp(out->host, "*")) {
		free(out->host);
		out->host = NULL;
	}
	return LISTEN_OK;
}

/* Running out of descriptors is told once for all (listen_summary), not for each of hundreds of addresses. */
static int refuse(struct master *m, const struct service *s, const char *what, int err)
{
	if (err == EMFILE || err == ENFILE) m->out_of_files++;
	else log_msg(LOG_ERR, "unable to create %s listener socket: %s (%s)", s->name, strerror(err), what);
	return -1;
}

static int set_options(const struct master *m, const struct service *s, int fd)
{
	int on = 1, byte = m->conf ? listen_tos(conf_word(m->conf, OPT_QOSMARKING)) : -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		log_msg(LOG_ERR, "unable to set SO_REUSEADDR for %s: %s", s->label, strerror(errno));
	if (s->addrfamily == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
		log_msg(LOG_ERR, "unable to set IPV6_V6ONLY for %s: %s", s->label, strerror(errno));
	if (byte >= 0 && s->addrfamily != AF_UNIX && setsockopt(fd, IPPROTO_IP, IP_TOS, &byte, sizeof byte) < 0)
		log_msg(LOG_WARNING, "unable to set IP_TOS for %s: %s", s->label, strerror(errno));
	return fd;
}

static int bind_socket(struct master *m, const struct service *s, int fd)
{
	mode_t old = umask(0);
	int r = bind(fd, (const struct sockaddr *)&s->addr, s->addrlen);
	int e = errno;
	umask(old);
	if (r < 0) return refuse(m, s, "bind", e);
	if (s->addrfamily == AF_UNIX) chmod(((const struct sockaddr_un *)&s->addr)->sun_path, 0777);
	/* A UNIX address with tcp4 or tcp6 is a datagram socket, on which this fails: such a service does not run. */
	if ((!s->dgram || !strncmp(s->proto, "tcp", 3)) && listen(fd, m->opt.backlog) < 0) return refuse(m, s, "listen", errno);
	return 0;
}

/* The last few descriptors are kept: a reload has to open a file, and so has whatever else master does. */
static bool out_of_reach(const struct master *m, int fd) { return m->files_mine && (rlim_t)fd + FILES_KEPT >= m->files_mine; }

static int open_socket(struct master *m, struct service *s)
{
	if (s->addrfamily == AF_UNIX) unlink(((const struct sockaddr_un *)&s->addr)->sun_path);
	int fd = socket(s->addrfamily, (s->dgram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0) return refuse(m, s, "socket", errno);
	if (out_of_reach(m, fd)) {
		sys_close(fd);
		return refuse(m, s, "socket", EMFILE);
	}
	if (bind_socket(m, s, set_options(m, s, fd)) < 0) {
		sys_close(fd);
		return -1;
	}
	s->sock = fd;
	service_own(s, fd);
	return 0;
}

static int open_status(struct master *m, struct service *s)
{
	int fd[2];
	if (s->status[0] >= 0) return 0;
	if (pipe2(fd, O_CLOEXEC) < 0) return refuse(m, s, "status pipe", errno);
	if (out_of_reach(m, fd[0]) || out_of_reach(m, fd[1]) || fcntl(fd[0], F_SETFL, O_NONBLOCK) < 0) {
		int e = out_of_reach(m, fd[1]) ? EMFILE : errno;
		sys_close(fd[0]);
		sys_close(fd[1]);
		return refuse(m, s, "status pipe", e);
	}
	s->status[0] = fd[0];
	s->status[1] = fd[1];
	s->npartial = 0;
	service_own(s, fd[0]);
	return 0;
}

void listen_summary(struct master *m)
{
	if (m->out_of_files)
		log_msg(LOG_ERR,
			"out of descriptors: %u addresses are disabled until next SIGHUP; the limit is %llu (RLIMIT_NOFILE), and each"
			" address takes three", m->out_of_files, (unsigned long long)m->files_mine);
	m->out_of_files = 0;
}

static const char *family_name(int family)
{
	return family == AF_UNIX ? "unix" : family == AF_INET6 ? "ipv6" : "ipv4";
}

static bool same_entry(const struct service *s, const struct cyrusconf_entry *e)
{
	return !s->daemon && !strcmp(s->name, e->name) && !strcmp(s->listen, e->listen) && !strcmp(s->proto, e->proto);
}

static struct service *slot_for(struct master *m, const struct cyrusconf_entry *e, const struct sockaddr *sa, socklen_t len)
{
	for (struct service *s = services_named(&m->services, e->name); s; s = s->namesake)
		if (same_entry(s, e) && s->addrlen == len && !memcmp(&s->addr, sa, len)) return s;
	return service_new(&m->services, e, family_name(sa->sa_family));
}

static int open_address(struct master *m, const struct cyrusconf_entry *e, const struct sockaddr *sa, socklen_t len, bool stream)
{
	struct service *s = slot_for(m, e, sa, len);
	memcpy(&s->addr, sa, len);
	s->addrlen = len;
	s->addrfamily = sa->sa_family;
	s->dgram = !stream;
	service_configure(s, e);
	if (s->sock >= 0) return 0;
	if (open_status(m, s) == 0 && open_socket(m, s) == 0) return 0;
	s->failed = true;
	return 1;
}

static int open_unix(struct master *m, const struct cyrusconf_entry *e, bool stream)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	if (strlen(e->listen) >= sizeof un.sun_path) {
		log_msg(LOG_ERR, "unable to create %s listener socket: path too long: %s", e->name, e->listen);
		return 1;
	}
	memcpy(un.sun_path, e->listen, strlen(e->listen) + 1);
	return open_address(m, e, (const struct sockaddr *)&un, sizeof un, stream);
}

static int open_inet(struct master *m, const struct cyrusconf_entry *e, const struct listen_spec *l)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_family = l->family,
		.ai_socktype = l->stream ? SOCK_STREAM : SOCK_DGRAM }, *res, *a;
	int bad = 0, r = getaddrinfo(l->host, l->port ? l->port : "0", &hints, &res);
	if (r) {
		log_msg(LOG_INFO, "%s, disabling %s", gai_strerror(r), e->name);
		return 1;
	}
	for (a = res; a; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6) bad += open_address(m, e, a->ai_addr, a->ai_addrlen, l->stream);
	freeaddrinfo(res);
	return bad;
}

int listen_entry(struct master *m, const struct cyrusconf_entry *e)
{
	struct listen_spec l;
	enum listen_error bad = listen_parse(&l, e->listen, e->proto);
	if (bad) {
		log_msg(LOG_ERR, bad == LISTEN_BAD_PROTO ? "invalid proto '%s', disabling %s" : "invalid listen '%s', disabling %s",
			bad == LISTEN_BAD_PROTO ? e->proto : e->listen, e->name);
		return 1;
	}
	/* A name that no longer resolves keeps the addresses it has. */
	for (struct service *s = services_named(&m->services, e->name); s; s = s->namesake)
		if (same_entry(s, e) && s->sock >= 0) service_configure(s, e);
	int n = l.unix_path ? open_unix(m, e, l.stream) : open_inet(m, e, &l);
	listen_spec_free(&l);
	return n;
}
