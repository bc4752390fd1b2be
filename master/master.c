/* master.c - the supervisor's main(): options, descriptors, pid file, START, sockets, and the loop until it is over. The
 * order of the steps is an interface (spec/master.md 3.1). */
#include "base/log.h"
#include "base/mem.h"
#include "conf/program.h"
#include "master/check.h"
#include "master/master.h"
#include "master/pidfile.h"
#include "master/signals.h"
#include "sys/clock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define FD_SCAN_MAX 65536

static int options_read(struct options *o, int argc, char **argv)
{
	int c;
	while ((c = getopt(argc, argv, "C:M:p:l:Ddj:vVTr:L:P:x:")) != -1)
		switch (c) {
		case 'C': o->conf_file = optarg; break;
		case 'M': o->cyrus_file = optarg; break;
		case 'p': o->pid_file = optarg; break;
		case 'r': o->ready_file = optarg; break;
		case 'L': o->log_file = optarg; break;
		case 'l': o->backlog = atoi(optarg); break;
		case 'j': o->janitor = atoi(optarg); break;
		case 'd': o->daemonize = true; break;
		case 'D': o->keep_stdio = true; break;
		case 'v': o->verbose++; break;
		case 'V': o->version = true; break;
		case 'T': o->test = true; break;
		default: break;                    /* -P, -x, and letters of other times: start-up scripts pass them */
		}
	if (o->janitor < 1) {
		fprintf(stderr, "fatal error: the janitor period must be at least 1 per second\n");
		return EX_CONFIG;
	}
	if (o->daemonize && o->keep_stdio) {
		fprintf(stderr, "fatal error: -d and -D cannot be combined\n");
		return EX_CONFIG;
	}
	return 0;
}

static int say_version(const char *conf_file)
{
	struct conf *c = NULL;
	struct conf_error err;
	bool old = conf_file && conf_load(&c, conf_file, "master", false, &err) == 0 && conf_level_wanted(c) == LEVEL_25;
	printf("cyrus-imapd %s-cambyses-%s\n", old ? "2.5.7" : "3.6.1", PACKAGE_VERSION);
	conf_free(c);
	return 0;
}

/* fd 3 and 4 belong to children: nothing of ours may land there. What else we were given ends at the next exec. */
static int reserve_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return 2;
	if (dup2(0, 3) < 0 || dup2(0, 4) < 0) return 2;
	long max = sysconf(_SC_OPEN_MAX);
	for (int fd = 5; fd < (max > 0 && max < FD_SCAN_MAX ? max : FD_SCAN_MAX); fd++) {
		int flags = fcntl(fd, F_GETFD);
		if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
	}
	return 0;
}

/* As many as the hard limit allows; the children get back what we were given. */
static void raise_files(struct master *m)
{
	if (getrlimit(RLIMIT_NOFILE, &m->files_given) < 0) return;
	struct rlimit rl = m->files_given;
	rl.rlim_cur = rl.rlim_max;
	m->files_mine = setrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_max : m->files_given.rlim_cur;
	if (m->opt.verbose > 1) log_msg(LOG_DEBUG, "descriptors: limit %llu", (unsigned long long)m->files_mine);
}

static int point_stdio(const struct options *o)
{
	int null = sys_open("/dev/null", O_RDWR, 0), log = -1;
	if (null < 0) return 2;
	if (o->log_file && (log = sys_open(o->log_file, O_WRONLY | O_CREAT | O_APPEND, 0666)) < 0) {
		log_msg(LOG_ERR, "can't open %s: %s", o->log_file, strerror(errno));
		return 2;
	}
	if (log >= 0 || !o->keep_stdio) {
		int out = log >= 0 ? log : null;
		if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || dup2(0, 3) < 0 || dup2(0, 4) < 0) return 2;
	}
	sys_close(null);
	if (log >= 0) sys_close(log);
	return 0;
}

static void tell_idle(const struct conf *c)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (conf_is_set(c, (enum conf_opt)i) && conf_is_idle((enum conf_opt)i))
			log_msg(LOG_WARNING, "%s: option %s has no effect in this version", conf_path(c), conf_row((enum conf_opt)i)->name);
}

static int load_conf(struct master *m)
{
	struct conf_error err;
	if (conf_load(&m->conf, m->opt.conf_file, "master", false, &err)) {
		fprintf(stderr, "fatal error: %s\n", err.text);
		log_msg(LOG_ERR, "%s", err.text);
		return EX_CONFIG;
	}
	program_log(m->conf, "master", SYSLOG_FACILITY, 0);
	tell_idle(m->conf);
	if (!m->opt.pid_file && conf_is_set(m->conf, OPT_MASTER_PID_FILE)) m->opt.pid_file = conf_str(m->conf, OPT_MASTER_PID_FILE);
	if (!m->opt.pid_file) m->opt.pid_file = MASTER_PIDFILE;
	if (!m->opt.ready_file && conf_is_set(m->conf, OPT_MASTER_READY_FILE))
		m->opt.ready_file = conf_str(m->conf, OPT_MASTER_READY_FILE);
	return 0;
}

/* $CYRUS_PREFIX plus the path is tried first. */
static char *cyrus_path(const char *given)
{
	const char *prefix = getenv("CYRUS_PREFIX"), *path = given ? given : SYSCONFDIR "/cyrus.conf";
	if (prefix && *prefix) {
		char *there = mem_printf("%s%s%s", prefix, *path == '/' ? "" : "/", path);
		if (access(there, F_OK) == 0) return there;
		free(there);
	}
	return mem_strdup(path);
}

/* A relative path must survive the chdir of -d: reload opens it again. */
static char *absolute(char *path)
{
	char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	if (!cwd) return path;
	char *full = mem_printf("%s/%s", cwd, path);
	free(cwd);
	free(path);
	return full;
}

static int test(const struct options *o)
{
	char *path = cyrus_path(o->cyrus_file);
	int r = check_files(o->conf_file, path, stdout);
	free(path);
	return r;
}

static int configure(struct master *m)
{
	struct cyrusconf c;
	if (master_read(m, &c, false)) return EX_CONFIG;
	int r = start_commands(m, &c);
	if (!r && master_check(&c)) r = EX_CONFIG;
	if (!r) r = master_apply(m, &c, false);
	cyrusconf_free(&c);
	return r;
}

static int run(struct master *m)
{
	log_msg(LOG_DEBUG, "process started");
	int r = configure(m);
	if (r) return r;
	if (program_become_cyrus(m->conf) < 0) return 1;
	watch_open(m);
	r = start_wait_daemons(m);
	if (!r && m->opt.ready_file && !signal_flags.term) r = readyfile_create(m->opt.ready_file);
	if (r) return r;
	log_msg(LOG_DEBUG, "ready for work");
	m->now = clock_mono();
	manager_ready(m);
	while (!m->done) master_pass(m);
	if (m->opt.ready_file) readyfile_remove(m->opt.ready_file);
	log_msg(LOG_NOTICE, "exiting");
	return 0;
}

static int start(struct master *m)
{
	struct handshake h = HANDSHAKE_INIT;
	int parent = 0, r = reserve_fds();
	if (!r) {
		program_log_early("master", SYSLOG_FACILITY, 0);
		loglimit_on(m);
		r = load_conf(m);
	}
	if (!r) m->cyrus_path = absolute(cyrus_path(m->opt.cyrus_file));
	if (!r) r = point_stdio(&m->opt);
	if (!r && m->opt.daemonize) r = daemonize(&h, m->opt.pid_file, conf_dir(m->conf), &parent);
	if (r || parent) return r;
	notify_init(&m->notify, clock_mono());
	r = pidfile_claim(m->opt.pid_file);
	handshake_tell(&h, r);
	if (r) return r;
	signals_block(&m->waitmask);
	signals_install();
	raise_files(m);
	return run(m);
}

int main(int argc, char **argv)
{
	const char *verbose = getenv("CYRUS_VERBOSE");
	struct master *m = mem_alloc(sizeof *m);
	master_init(m, &kernel_real);
	if (verbose) m->opt.verbose = atoi(verbose) + 1;
	int r = options_read(&m->opt, argc, argv);
	if (!r) r = m->opt.version ? say_version(m->opt.conf_file) : m->opt.test ? test(&m->opt) : start(m);
	notify_free(&m->notify);
	loglimit_off(m);
	master_free(m);
	free(m);
	return r;
}
