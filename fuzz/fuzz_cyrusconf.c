/* fuzz_cyrusconf.c - any bytes as cyrus.conf: entries or an error with a line, nothing else. Also the cron lines and
 * addresses found in it. */
#include "replay.h"
#include "base/buf.h"
#include "base/err.h"
#include "master/conf_cyrus.h"
#include "master/events.h"
#include "master/master.h"
#include "sys/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void check(const struct cyrusconf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct cyrusconf_entry *e = &c->entries[i];
		struct cron cron;
		struct listen_spec l;
		if (!e->argv.n || !e->line || (e->section == SECTION_SERVICES) != !!e->listen) abort();
		if (e->cron) cron_parse(&cron, e->cron);
		if (e->listen && listen_parse(&l, e->listen, e->proto) == LISTEN_OK) listen_spec_free(&l);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyrusconf c;
	unsigned errors = cyrusconf_check(&c, data, size, NULL, NULL);
	cyrusconf_free(&c);
	for (int lenient = 0; lenient < 2; lenient++) {
		struct cyrusconf_error err = { 0, "" };
		int r = cyrusconf_parse(&c, data, size, lenient, NULL, NULL, &err);
		if (r ? c.n != 0 || !err.line : err.line != 0) abort();
		if (r && !errors) abort();             /* a checker that finds nothing promises that master starts */
		check(&c);
		cyrusconf_free(&c);
	}
	return 0;
}

const struct replay replay = { "cyrusconf", 3, "{}=\"#\\\n a0", 1000, 1 };
