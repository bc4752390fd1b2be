/* procfile.c - see procfile.h. A new file is written as PID.new and renamed, so that a reader never sees half a line. Later lines
 * are written over it by one write: what readers decide by - service, host, user - comes first and does not move. */
#include "conf/procfile.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "conf/conf_priv.h"
#include "sys/dirwalk.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCFILE_MAX 65536

char *procfile_dir(const struct conf *c)
{
	const char *p = conf_str(c, OPT_PROC_PATH);
	if (p && p[0] == '/' && p[1]) return mem_strdup(p);
	return mem_printf("%s/proc", conf_dir(c));
}

static char *path_of(const struct conf *c, pid_t pid, const char *suffix)
{
	char *dir = procfile_dir(c), *path = mem_printf("%s/%ld%s", dir, (long)pid, suffix);
	free(dir);
	return path;
}

static void put_field(struct buf *b, const char *text, char end)
{
	for (; text && *text; text++) buf_putc(b, *text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text);
	buf_putc(b, end);
}

static int write_over(const char *path, const struct buf *line)
{
	int fd = sys_open(path, O_WRONLY | O_NOFOLLOW, 0);
	if (fd < 0) return -1;
	int r = sys_pwrite_all(fd, line->s, line->len, 0);
	if (r == 0) r = sys_ftruncate(fd, (off_t)line->len);
	sys_close(fd);
	return r;
}

static int write_new(const char *path, const char *fresh, const struct buf *line)
{
	int fd = file_create(fresh, O_WRONLY | O_TRUNC | O_NOFOLLOW, 0644);
	if (fd < 0) return -1;
	int r = sys_write_all(fd, line->s, line->len);
	sys_close(fd);
	return r == 0 ? sys_rename(fresh, path) : r;
}

int procfile_write(const struct conf *c, pid_t pid, const char *service, const char *host, const char *user,
	const char *mailbox, const char *command)
{
	struct buf line = BUF_INIT;
	char *path = path_of(c, pid, ""), *fresh = path_of(c, pid, ".new");
	put_field(&line, service, '\t');
	put_field(&line, host, '\t');
	put_field(&line, user, '\t');
	put_field(&line, mailbox, '\t');
	put_field(&line, command, '\n');
	int r = write_over(path, &line);
	if (r < 0) r = write_new(path, fresh, &line);
	if (r < 0) log_msg(LOG_ERR, "IOERROR: cannot write proc file %s: %m", path);
	buf_free(&line);
	free(path);
	free(fresh);
	return r;
}

void procfile_remove(const struct conf *c, pid_t pid)
{
	char *path = path_of(c, pid, "");
	sys_unlink(path);
	free(path);
}

void proc_title(struct conf *c, char *area, size_t size)
{
	c->title = size ? area : NULL;
	c->title_size = size;
}

/* "SERVICE: HOST USER MAILBOX COMMAND", of what there is; the rest of the area is cleared. */
static void show_title(const struct conf *c, const char *service, const char *const fields[], size_t n)
{
	struct buf title = BUF_INIT;
	if (!c->title) return;
	buf_printf(&title, "%s:", service);
	for (size_t i = 0; i < n; i++)
		if (fields[i] && *fields[i]) buf_printf(&title, " %s", fields[i]);
	size_t len = title.len < c->title_size - 1 ? title.len : c->title_size - 1;
	memcpy(c->title, title.s, len);
	memset(c->title + len, 0, c->title_size - len);
	buf_free(&title);
}

int proc_register(const struct conf *c, const char *service, const char *host, const char *user, const char *mailbox,
	const char *command)
{
	show_title(c, service, (const char *const[]){ host, user, mailbox, command }, 4);
	return procfile_write(c, getpid(), service, host, user, mailbox, command);
}

void proc_cleanup(const struct conf *c)
{
	show_title(c, conf_ident(c), (const char *const[]){ "idle" }, 1);
	procfile_remove(c, getpid());
}

/* Cuts one field off; a missing tail gives empty fields. */
static const char *cut(char **p)
{
	char *start = *p, *tab = start + strcspn(start, "\t\n");
	*p = *tab ? tab + 1 : tab;
	*tab = '\0';
	return start;
}

struct reading {
	const char *dir;
	int (*fn)(void *arg, const struct procfile *p);
	void *arg;
};

static int read_one(const struct reading *x, const char *name, bool is_file)
{
	struct procfile p;
	struct buf text = BUF_INIT;
	uint32_t pid;
	size_t n = strlen(name);
	if (*name == '.' || (n > 4 && !strcmp(name + n - 4, ".new"))) return 0;
	if (!num_str_u32(name, &pid) || !is_file) {
		log_msg(LOG_NOTICE, "%s/%s is no proc file", x->dir, name);
		return 0;
	}
	char *path = mem_printf("%s/%s", x->dir, name);
	int r = file_read(path, PROCFILE_MAX, &text);
	free(path);
	if (r == 0) {
		char *at = (char *)(uintptr_t)buf_cstr(&text);
		p.pid = (pid_t)pid;
		p.service = cut(&at);
		p.host = cut(&at);
		p.user = cut(&at);
		p.mailbox = cut(&at);
		p.command = cut(&at);
		r = x->fn(x->arg, &p);
	} else {
		r = 0;
	}
	buf_free(&text);
	return r;
}

static int visit(void *arg, const struct dirwalk_entry *e)
{
	return read_one(arg, e->name, e->kind == DIRWALK_FILE);
}

/* proc_path may name a link: administrators put such files on a file system in memory. */
int procfile_each(const struct conf *c, int (*fn)(void *, const struct procfile *), void *arg)
{
	char *dir = procfile_dir(c);
	struct reading x = { dir, fn, arg };
	int r = dirwalk_list(dir, DIRWALK_ROOT_LINK, visit, &x), err = errno;
	free(dir);
	errno = err;
	return r;
}
