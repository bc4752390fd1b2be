/* program.c - see program.h. */
#include "conf/program.h"
#include "base/log.h"
#include "base/mem.h"
#include "sys/sys.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A client's descriptor must never land on 0, 1 or 2, where something may print to it. */
static void open_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

const char *program_user(const struct conf *c)
{
	const char *user = getenv("CYRUS_USER");
	if (!user || !*user) user = c ? conf_str(c, OPT_CYRUS_USER) : NULL;
	return user && *user ? user : CYRUS_USER;
}

static int group_id(const struct conf *c, gid_t otherwise, gid_t *gid)
{
	const char *name = getenv("CYRUS_GROUP");
	if (!name || !*name) name = c ? conf_str(c, OPT_CYRUS_GROUP) : NULL;
	*gid = otherwise;
	if (!name || !*name) return 0;
	const struct group *g = getgrnam(name);
	if (!g) {
		log_msg(LOG_ERR, "no entry in group database for %s", name);
		return -1;
	}
	*gid = g->gr_gid;
	return 0;
}

int program_become_cyrus(const struct conf *c)
{
	const char *name = program_user(c);
	const struct passwd *pw = getpwnam(name);
	gid_t gid;
	if (!pw) {
		log_msg(LOG_ERR, "no entry in password database for %s", name);
		return -1;
	}
	uid_t uid = pw->pw_uid;
	if (group_id(c, pw->pw_gid, &gid) < 0) return -1;
	if (getuid() == uid && geteuid() == uid && getgid() == gid && getegid() == gid) return 0;
	if (initgroups(name, gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0) {
		log_msg(LOG_ERR, "unable to become user %s: %s", name, strerror(errno));
		return -1;
	}
	return 0;
}

char *program_path(const char *word)
{
	struct stat st;
	if (*word == '/') return mem_strdup(word);
	char *path = mem_printf("%s/%s", LIBEXECDIR, word);
	if (stat(path, &st) == 0) return path;
	free(path);
	return mem_printf("%s/%s", SBINDIR, word);
}

bool program_runnable(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR);
}

unsigned program_umask(const char *text)
{
	unsigned v = 0;
	for (; text && *text; text++)
		if (*text >= '0' && *text <= '7') v = (v << 3 | (unsigned)(*text - '0')) & 07777;
	return v;
}

void program_log_early(const char *ident, int facility, unsigned flags)
{
	log_open(getenv("CYRUS_SYSLOG_PREFIX"), ident, facility < 0 ? SYSLOG_FACILITY : facility, flags & PROGRAM_PERROR);
}

void program_log(const struct conf *c, const char *ident, int facility, unsigned flags)
{
	const char *prefix = getenv("CYRUS_SYSLOG_PREFIX");
	if (!prefix) prefix = conf_str(c, OPT_SYSLOG_PREFIX);
	if (facility < 0) facility = log_facility(conf_str(c, OPT_SYSLOG_FACILITY), SYSLOG_FACILITY);
	log_open(prefix, ident, facility, flags & PROGRAM_PERROR);
	log_debug(conf_bool(c, OPT_DEBUG));
}

int program_init(struct conf **conf, const char *conf_file, const char *ident, unsigned flags)
{
	struct conf_error err;
	open_standard_fds();
	program_log_early(ident, -1, flags);
	if (conf_load(conf, conf_file, ident, flags & PROGRAM_NEED_DATA, &err)) {
		fprintf(stderr, "fatal error: %s\n", err.text);
		log_msg(LOG_ERR, "%s", err.text);
		return EX_CONFIG;
	}
	program_log(*conf, ident, -1, flags);
	umask(program_umask(conf_str(*conf, OPT_UMASK)));
	if ((flags & PROGRAM_KEEP_USER) || program_become_cyrus(*conf) == 0) return 0;
	fprintf(stderr, "fatal error: must run as the Cyrus user\n");
	conf_free(*conf);
	*conf = NULL;
	return EX_USAGE;
}
