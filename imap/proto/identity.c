/* identity.c - see identity.h. */
#include "proto/identity.h"
#include "base/mem.h"
#include "sys/clock.h"

#include <netdb.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#error config.h is needed
#endif

const char *identity_version(const struct conf *c)
{
	return conf_level(c) == LEVEL_25 ? "2.5.7-cambyses-" PACKAGE_VERSION : "3.6.1-cambyses-" PACKAGE_VERSION;
}

char *identity_session(const struct conf *c, unsigned seq)
{
	const char *prefix = conf_str(c, OPT_SYSLOG_PREFIX);
	uint64_t r = 0;
	RAND_bytes((unsigned char *)&r, sizeof r);
	if (!prefix || !*prefix) prefix = conf_servername(c);
	if (conf_level(c) == LEVEL_25)
		return mem_printf("%s-%ld-%lld-%u", prefix, (long)getpid(), (long long)clock_now(), seq);
	return mem_printf("%s-%lld-%ld-%u-%llu", prefix, (long long)clock_now(), (long)getpid(), seq, (unsigned long long)r);
}

/* The reverse name counts only if it leads back to the address. */
static bool name_matches(const char *name, const struct sockaddr *sa, socklen_t len)
{
	struct addrinfo hints = { .ai_family = sa->sa_family, .ai_socktype = SOCK_STREAM }, *list = NULL;
	bool ok = false;
	char want[NI_MAXHOST], have[NI_MAXHOST];
	if (getnameinfo(sa, len, want, sizeof want, NULL, 0, NI_NUMERICHOST) || getaddrinfo(name, NULL, &hints, &list)) return false;
	for (struct addrinfo *a = list; a && !ok; a = a->ai_next)
		ok = !getnameinfo(a->ai_addr, a->ai_addrlen, have, sizeof have, NULL, 0, NI_NUMERICHOST) && !strcmp(want, have);
	freeaddrinfo(list);
	return ok;
}

char *identity_client(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	char ip[NI_MAXHOST], name[NI_MAXHOST];
	if (getpeername(fd, (struct sockaddr *)&ss, &len) < 0) return mem_strdup("[local]");
	if (ss.ss_family == AF_UNIX) return mem_strdup("[unix socket]");
	if (getnameinfo((struct sockaddr *)&ss, len, ip, sizeof ip, NULL, 0, NI_NUMERICHOST)) return mem_strdup("[unknown]");
	if (!getnameinfo((struct sockaddr *)&ss, len, name, sizeof name, NULL, 0, NI_NAMEREQD)
	    && name_matches(name, (struct sockaddr *)&ss, len)) return mem_printf("%s [%s]", name, ip);
	return mem_printf("[%s]", ip);
}
