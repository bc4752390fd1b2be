/* check_listen.c - master -T: the addresses of SERVICES. Resolves them as listen.c does and binds none (spec/master.md 5). */
#include "base/mem.h"
#include "master/check_priv.h"
#include "master/master.h"

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

struct addresses {
	struct check *check;
	struct hash *taken;                /* address -> the entry that has it */
	unsigned first_free_port;          /* those below are root's */
};

/* What a socket address excludes others by. A wildcard takes its port from every address of the family. */
enum scope { SCOPE_ADDRESS, SCOPE_WILDCARD, SCOPE_ANY };
struct place {
	int scope, family, stream;
	unsigned port;
	unsigned char bytes[16];
};

static unsigned unprivileged_port(void)
{
	unsigned port = IPPORT_RESERVED;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	if (f && fscanf(f, "%u", &port) != 1) port = IPPORT_RESERVED;
	if (f) fclose(f);
	return port;
}

static bool place_of(struct place *p, const struct sockaddr *sa, bool stream)
{
	static const unsigned char none[16];
	memset(p, 0, sizeof *p);
	p->family = sa->sa_family;
	p->stream = stream;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;
		p->port = ntohs(in->sin_port);
		memcpy(p->bytes, &in->sin_addr, 4);
	} else {
		const struct sockaddr_in6 *in = (const void *)sa;
		p->port = ntohs(in->sin6_port);
		memcpy(p->bytes, &in->sin6_addr, 16);
	}
	return !memcmp(p->bytes, none, 16);
}

static const struct cyrusconf_entry *holder(const struct addresses *a, struct place p, enum scope scope)
{
	p.scope = (int)scope;
	if (scope != SCOPE_ADDRESS) memset(p.bytes, 0, sizeof p.bytes);
	return hash_get(a->taken, &p, sizeof p);
}

static void hold(struct addresses *a, struct place p, enum scope scope, const struct cyrusconf_entry *e)
{
	p.scope = (int)scope;
	if (scope != SCOPE_ADDRESS) memset(p.bytes, 0, sizeof p.bytes);
	if (!hash_get(a->taken, &p, sizeof p)) hash_put(a->taken, &p, sizeof p, (void *)(uintptr_t)e);
}

static void same_address(struct addresses *a, const struct cyrusconf_entry *e, const struct cyrusconf_entry *other)
{
	if (other && other != e)
		check_entry(a->check, PROBLEM_ERROR, e, "service %s: address %s is taken by %s in line %u", e->name,
			e->listen, other->name, other->line);
}

static void take_inet(struct addresses *a, const struct cyrusconf_entry *e, const struct sockaddr *sa, bool stream)
{
	struct place p;
	bool wild = place_of(&p, sa, stream);
	if (!p.port) return;
	const struct cyrusconf_entry *other = holder(a, p, SCOPE_ADDRESS);
	if (!other && stream) other = holder(a, p, wild ? SCOPE_ANY : SCOPE_WILDCARD);
	same_address(a, e, other);
	hold(a, p, SCOPE_ADDRESS, e);
	hold(a, p, SCOPE_ANY, e);
	if (wild) hold(a, p, SCOPE_WILDCARD, e);
	if (geteuid() != 0 && p.port < a->first_free_port)
		check_entry(a->check, PROBLEM_NOTE, e, "service %s: port %u is for a master started as root", e->name, p.port);
}

static void check_inet(struct addresses *a, const struct cyrusconf_entry *e, const struct listen_spec *l)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_family = l->family,
		.ai_socktype = l->stream ? SOCK_STREAM : SOCK_DGRAM }, *res;
	if (!l->port)
		check_entry(a->check, PROBLEM_WARNING, e, "service %s: listen=%s has no port: the kernel picks one", e->name,
			e->listen);
	int r = getaddrinfo(l->host, l->port ? l->port : "0", &hints, &res);
	if (r) {
		check_entry(a->check, PROBLEM_ERROR, e, "service %s: listen=%s: %s", e->name, e->listen,
			r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return;
	}
	for (const struct addrinfo *i = res; i; i = i->ai_next)
		if (i->ai_family == AF_INET || i->ai_family == AF_INET6) take_inet(a, e, i->ai_addr, l->stream);
	freeaddrinfo(res);
}

/* Two spellings of one path are one address. */
static void take_path(struct addresses *a, const struct cyrusconf_entry *e, const struct stat *dir, const char *name)
{
	char *key = mem_printf("%llu:%llu/%s", (unsigned long long)dir->st_dev, (unsigned long long)dir->st_ino, name);
	same_address(a, e, hash_gets(a->taken, key));
	if (!hash_gets(a->taken, key)) hash_puts(a->taken, key, (void *)(uintptr_t)e);
	free(key);
}

static void check_directory(struct addresses *a, const struct cyrusconf_entry *e)
{
	const char *slash = strrchr(e->listen, '/');
	char *dir = slash == e->listen ? mem_strdup("/") : mem_dup(e->listen, (size_t)(slash - e->listen));
	struct stat st;
	int err = stat(dir, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (err)
		check_entry(a->check, PROBLEM_ERROR, e, "service %s: socket directory %s: %s", e->name, dir, strerror(err));
	else take_path(a, e, &st, slash + 1);
	free(dir);
}

static void check_unix(struct addresses *a, const struct cyrusconf_entry *e)
{
	struct check *k = a->check;
	struct stat st;
	size_t max = sizeof ((struct sockaddr_un *)NULL)->sun_path - 1;
	if (!strcmp(e->proto, "tcp4") || !strcmp(e->proto, "tcp6"))
		check_entry(k, PROBLEM_ERROR, e, "service %s: proto=%s makes a UNIX socket that cannot listen, use tcp", e->name,
			e->proto);
	else if (strcmp(e->proto, "tcp") != 0 && strncmp(e->proto, "udp", 3) != 0)
		check_entry(k, PROBLEM_WARNING, e, "service %s: proto=%s is taken for a datagram socket", e->name, e->proto);
	if (strlen(e->listen) > max)
		check_entry(k, PROBLEM_ERROR, e, "service %s: path too long (%zu bytes, %zu are possible): %s", e->name,
			strlen(e->listen), max, e->listen);
	else check_directory(a, e);
	if (stat(e->listen, &st) < 0) return;
	if (S_ISDIR(st.st_mode)) check_entry(k, PROBLEM_ERROR, e, "service %s: %s is a directory", e->name, e->listen);
	else if (!S_ISSOCK(st.st_mode))
		check_entry(k, PROBLEM_WARNING, e, "service %s: %s is no socket, and would be removed", e->name, e->listen);
}

static void check_datagram(struct addresses *a, const struct cyrusconf_entry *e)
{
	if (e->prefork > 1 || e->maxchild > 1)
		check_entry(a->check, PROBLEM_WARNING, e, "service %s: a datagram socket has one worker at most", e->name);
}

static void check_one(struct addresses *a, const struct cyrusconf_entry *e)
{
	struct listen_spec l;
	switch (listen_parse(&l, e->listen, e->proto)) {
	case LISTEN_BAD_PROTO:
		check_entry(a->check, PROBLEM_ERROR, e, "invalid proto '%s', disabling %s", e->proto, e->name);
		return;
	case LISTEN_BAD_ADDRESS:
		check_entry(a->check, PROBLEM_ERROR, e, "invalid listen '%s', disabling %s", e->listen, e->name);
		return;
	case LISTEN_OK: break;
	}
	if (!l.stream) check_datagram(a, e);
	if (l.unix_path) check_unix(a, e);
	else check_inet(a, e, &l);
	listen_spec_free(&l);
}

void check_addresses(struct check *k, const struct cyrusconf *c)
{
	struct addresses a = { .check = k, .taken = hash_new(), .first_free_port = unprivileged_port() };
	for (size_t i = 0; i < c->n; i++)
		if (c->entries[i].section == SECTION_SERVICES && c->entries[i].listen && *c->entries[i].listen)
			check_one(&a, &c->entries[i]);
	hash_free(a.taken, NULL);
}
