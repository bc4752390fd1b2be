/* cyr_buildinfo.c - what this build can do, as JSON, for test suites and packagers (spec/tools.md 7). False where a part does not
 * exist here, whether or not the originals have it. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_BDB
#define WITH_BDB true
#else
#define WITH_BDB false
#endif
#ifdef HAVE_SQLITE
#define WITH_SQLITE true
#else
#define WITH_SQLITE false
#endif
#ifdef HAVE_PGSQL
#define WITH_PGSQL true
#else
#define WITH_PGSQL false
#endif
#ifdef HAVE_LIBWRAP
#define WITH_WRAP true
#else
#define WITH_WRAP false
#endif

/* Rows of one group follow one another. Who adds a part changes its row. */
static const struct { const char *group, *name; bool there; } parts[] = {
	{ "component", "event_notification", false },
	{ "component", "gssapi", false },
	{ "component", "autocreate", false },
	{ "component", "idled", false },
	{ "component", "httpd", false },
	{ "component", "kerberos_v4", false },
	{ "component", "murder", false },
	{ "component", "nntpd", false },
	{ "component", "replication", false },
	{ "component", "sieve", false },
	{ "component", "calalarmd", false },
	{ "component", "jmap", false },
	{ "component", "objectstore", false },
	{ "component", "backup", false },
	{ "dependency", "ldap", false },
	{ "dependency", "openssl", true },
	{ "dependency", "zlib", true },
	{ "dependency", "icu", true },
	{ "dependency", "pcre", false },
	{ "dependency", "clamav", false },
	{ "dependency", "cld2", false },
	{ "dependency", "wslay", false },
	{ "dependency", "nghttp2", false },
	{ "dependency", "brotli", false },
	{ "dependency", "xml2", false },
	{ "dependency", "ical", false },
	{ "dependency", "tcpwrappers", WITH_WRAP },
	{ "database", "berkeley", WITH_BDB },
	{ "database", "mysql", false },
	{ "database", "pgsql", WITH_PGSQL },
	{ "database", "sqlite", WITH_SQLITE },
	{ "search", "squat", false },
	{ "search", "xapian", false },
	{ "search", "xapian_cjk_tokens", false },
	{ "hardware", "ssse3", false },
};
enum { PARTS = sizeof parts / sizeof *parts };

static void print_json(bool pretty)
{
	const char *nl = pretty ? "\n" : "", *in1 = pretty ? "  " : "", *in2 = pretty ? "    " : "", *colon = pretty ? ": " : ":";
	printf("{%s", nl);
	for (int i = 0; i < PARTS; i++) {
		bool first = !i || strcmp(parts[i].group, parts[i - 1].group);
		bool last = i + 1 == PARTS || strcmp(parts[i].group, parts[i + 1].group);
		if (first) printf("%s\"%s\"%s{%s", in1, parts[i].group, colon, nl);
		printf("%s\"%s\"%s%s%s%s", in2, parts[i].name, colon, parts[i].there ? "true" : "false", last ? "" : ",", nl);
		if (last) printf("%s}%s%s", in1, i + 1 == PARTS ? "" : ",", nl);
	}
	puts("}");
}

static void print_flat(void)
{
	for (int i = 0; i < PARTS; i++) printf("%s.%s=%s\n", parts[i].group, parts[i].name, parts[i].there ? "true" : "false");
}

static int usage(const char *name)
{
	fprintf(stderr, "Usage: %s [-C altconfig] [format]\n\nFormats: pretty (default), dense, flat\n", name);
	return 64;
}

int main(int argc, char **argv)
{
	int opt;
	while ((opt = getopt(argc, argv, "C:")) != -1)
		if (opt != 'C') return usage(argv[0]);           /* the build is the same whatever the configuration */
	const char *format = optind < argc ? argv[optind] : "pretty";
	if (!strcmp(format, "pretty") || !strcmp(format, "dense")) print_json(*format == 'p');
	else if (!strcmp(format, "flat")) print_flat();
	else return usage(argv[0]);
	return fflush(stdout) ? 74 : 0;
}
