/* cyr_df.c - how full the partitions are (spec/tools.md 3). Asks the file systems; reads no directory. */
#include "base/mem.h"
#include "conf/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

struct df {
	const char *prefix;                   /* of the options that name the roots */
	int status;
};

static void row(void *arg, const char *key, const char *value)
{
	struct df *d = arg;
	struct statvfs v;
	if (strncmp(key, d->prefix, strlen(d->prefix))) return;
	if (statvfs(value, &v) < 0) {
		fprintf(stderr, "cyr_df: %s: %s\n", value, strerror(errno));
		d->status = EX_TEMPFAIL;
		return;
	}
	double unit = (double)v.f_frsize / 1024, used = (double)(v.f_blocks - v.f_bfree), might = used + (double)v.f_bavail;
	printf("%-12s%13.0f%13.0f%13.0f%4.0f%% %s\n", key + strlen(d->prefix), (double)v.f_blocks * unit, used * unit,
		(double)v.f_bavail * unit, might > 0 ? used * 100 / might : 0, value);
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	struct df d = { .prefix = "partition-" };
	struct conf *c;
	int opt;
	while ((opt = getopt(argc, argv, "C:m")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'm': d.prefix = "metapartition-"; break;
	default:
		fprintf(stderr, "usage: cyr_df [-C <alt_config>] [-m]\n");
		return EX_USAGE;
	}
	int rc = program_init(&c, alt, "cyr_df", PROGRAM_NEED_DATA);
	if (rc) return rc;
	puts("Partition       1k-blocks         Used    Available Use% Location");
	conf_each_overflow(c, row, &d);
	conf_free(c);
	return d.status;
}
