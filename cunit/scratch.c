/* scratch.c - see scratch.h. */
#include "cunit/scratch.h"

#include "base/log.h"
#include "base/mem.h"
#include "sys/newfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char scratch_dir[64];
struct buf scratch_log = BUF_INIT;
static bool entered;

static void keep(void *arg, int priority, const char *line)
{
	(void)arg;
	if (priority < LOG_DEBUG) buf_printf(&scratch_log, "%s\n", line);
}

void scratch_hook(void) { log_hook(keep, NULL); }

void scratch_setup(void)
{
	strcpy(scratch_dir, "/tmp/cunit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_dir));
	buf_reset(&scratch_log);
	scratch_hook();
}

void scratch_enter(void)
{
	scratch_setup();
	ck_assert_int_eq(chdir(scratch_dir), 0);
	entered = true;
}

void scratch_teardown(void)
{
	char *cmd = mem_printf("chmod -R u+rwx %s; rm -rf %s", scratch_dir, scratch_dir);
	if (entered) ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(cmd), 0);
	free(cmd);
	log_hook(NULL, NULL);
	buf_free(&scratch_log);
}

const char *scratch_path(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", scratch_dir, name);
	return path;
}

const char *scratch_put(const char *name, const char *text)
{
	const char *path = scratch_path(name);
	ck_assert_int_eq(newfile_write(path, 0600, text, strlen(text)), 0);
	return path;
}

struct conf *scratch_conf(const char *ident, bool need_data, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	struct conf_error err;
	struct conf *c = NULL;
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	ck_assert_msg(!conf_load(&c, scratch_put("imapd.conf", buf_cstr(&text)), ident, need_data, &err), "%s", err.text);
	buf_free(&text);
	return c;
}
