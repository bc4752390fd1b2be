/* service_option.c - imapd.conf for services outside of this tree: by name and as text (service.h). */
#include "base/mem.h"
#include "conf/conf.h"
#include "master/service.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

char *service_option(const struct service_context *ctx, const char *name)
{
	char *lower = mem_strdup(name);
	for (char *q = lower; *q; q++) *q = (char)tolower((unsigned char)*q);
	int o = conf_find(lower);
	const char *v = o < 0 ? conf_overflow(ctx->conf, lower) : NULL;
	free(lower);
	return o >= 0 ? conf_show(ctx->conf, (enum conf_opt)o) : v ? mem_strdup(v) : NULL;
}

bool service_option_bool(const struct service_context *ctx, const char *name, bool otherwise)
{
	char *v = service_option(ctx, name);
	if (!v) return otherwise;
	char a = v[0], b = a ? v[1] : 0;
	free(v);
	if (a == '1' || a == 'y' || a == 't' || (a == 'o' && b == 'n')) return true;
	if (a == '0' || a == 'n' || a == 'f' || (a == 'o' && b == 'f')) return false;
	return otherwise;
}

long service_option_int(const struct service_context *ctx, const char *name, long otherwise)
{
	char *v = service_option(ctx, name), *end = v;
	errno = 0;
	long n = v ? strtol(v, &end, 10) : 0;
	if (end == v || *end || errno) n = otherwise;
	free(v);
	return n;
}
