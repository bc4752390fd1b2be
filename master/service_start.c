/* service_start.c - what a service does once, before its first client, and the small chores of each connection. */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "conf/program.h"
#include "master/service_priv.h"
#include "sys/sys.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#ifdef HAVE_LIBWRAP
#include <tcpd.h>
int allow_severity = LOG_DEBUG, deny_severity = LOG_ERR;       /* libwrap wants to find them */
#endif

static int at_least_0(const char *text)
{
	long n = strtol(text, NULL, 10);
	return n < 0 ? 0 : n > INT_MAX ? INT_MAX : (int)n;
}

static int merged(const char *word)
{
	log_msg(LOG_ERR, "options and arguments MUST be separated by whitespace: %s", word);
	return EX_USAGE;
}

int service_options(struct service_options *o, const char *ours, int *argc, char **argv)
{
	int kept = 1;
	*o = (struct service_options){ .max_uses = 250, .idle = 60 };
	for (int i = 1; i < *argc; i++) {
		char *word = argv[i], *value = i + 1 < *argc ? argv[i + 1] : NULL;
		int letter = word[0] == '-' ? word[1] : 0;
		if (!strcmp(word, "--")) {
			while (++i < *argc) argv[kept++] = argv[i];
			break;
		}
		if (letter && word[2] && strchr(ours, 'U')) return merged(word);       /* threaded ones do not mind */
		bool taken = letter && !word[2] && strchr(ours, letter);
		if (taken && strchr("CUT", letter) && !value) {
			log_msg(LOG_ERR, "option %s needs an argument", word);
			return EX_USAGE;
		}
		switch (taken ? letter : 0) {
		case 'C': o->conf_file = value; i++; break;
		case 'U': o->max_uses = at_least_0(value); i++; break;
		case 'T': o->idle = at_least_0(value); i++; break;
		case 'D': o->debug = true; break;
		case 'X': o->once = true; break;
		default:                               /* the service's own, with the word that may belong to it */
			argv[kept++] = word;
			if (letter && value && value[0] != '-') argv[kept++] = argv[++i];
			break;
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int find_socket(struct service_context *ctx)
{
	int type;
	socklen_t len = sizeof type;
	struct sockaddr_storage sa;
	if (fcntl(SERVICE_STATUS_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(SERVICE_LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0
		|| getsockopt(SERVICE_LISTEN_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		log_msg(LOG_ERR, "no listening socket or status pipe: %s", strerror(errno));
		return 1;
	}
	ctx->stream = type == SOCK_STREAM;
	len = sizeof sa;
	ctx->family = getsockname(SERVICE_LISTEN_FD, (struct sockaddr *)&sa, &len) == 0 ? sa.ss_family : AF_UNSPEC;
	return 0;
}

int service_start(struct service_context *ctx, const struct service_options *o, int argc, char **argv)
{
	const char *name = getenv("CYRUS_SERVICE"), *id = getenv("CYRUS_ID"), *verbose = getenv("CYRUS_VERBOSE");
	uint32_t number = 0;
	*ctx = (struct service_context){ .argc = argc, .argv = argv, .name = name, .stream = true, .family = AF_UNSPEC };
	if (o->once) {
		ctx->name = name && *name ? name : base_name(argv[0]);
	} else if (!name || !id || !num_str_u32(id, &number)) {
		log_msg(LOG_ERR, "could not get CYRUS_SERVICE or CYRUS_ID: this program is started by master");
		return EX_SOFTWARE;
	}
	ctx->id = number;
	unsigned flags = o->need_partitions ? PROGRAM_NEED_DATA : 0;
	if (geteuid()) flags |= PROGRAM_KEEP_USER;     /* only root becomes somebody else */
	int r = program_init(&ctx->conf, o->conf_file, ctx->name, flags);
	if (r) return r;
	ctx->name = conf_ident(ctx->conf);             /* what it came from gives way to the process title */
	if (verbose && atoi(verbose) + 1 > 30) sleep(15);      /* time to attach a debugger */
	optind = 1;
	return o->once ? 0 : find_socket(ctx);
}

void service_tell(const struct service_context *ctx, enum service_message what)
{
	unsigned char message[8];
	int32_t code = (int32_t)what, pid = (int32_t)getpid();
	memcpy(message, &code, 4);
	memcpy(message + 4, &pid, 4);
	log_msg(LOG_DEBUG, "telling master %d", (int)what);
	if (sys_write_all(SERVICE_STATUS_FD, message, sizeof message) < 0)
		log_msg(LOG_ERR, "unable to tell master %d for %s: %s", (int)what, ctx->name, strerror(errno));
}

bool service_allowed(const struct service_context *ctx, int fd)
{
#ifdef HAVE_LIBWRAP
	struct request_info req;
	if (ctx->family == AF_UNIX) return true;
	char *daemon = mem_strdup(ctx->name);
	request_init(&req, RQ_DAEMON, daemon, RQ_FILE, fd, 0);
	fromhost(&req);
	bool ok = hosts_access(&req);
	if (!ok) log_msg(LOG_ERR, "refused connection from %s", eval_client(&req));
	free(daemon);
	return ok;
#else
	(void)ctx, (void)fd;
	return true;
#endif
}

void service_tcp_options(const struct service_context *ctx, int fd)
{
	int on = 1, v;
	if (ctx->family != AF_INET && ctx->family != AF_INET6) return;
	/* The streams collect what they send: the kernel's waiting for more would only hold the end of an answer back. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
		log_msg(LOG_ERR, "unable to set TCP_NODELAY: %s", strerror(errno));
	if (!conf_bool(ctx->conf, OPT_TCP_KEEPALIVE)) return;
	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0)
		log_msg(LOG_ERR, "unable to set SO_KEEPALIVE: %s", strerror(errno));
	if ((v = (int)conf_int(ctx->conf, OPT_TCP_KEEPALIVE_CNT)) && setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &v, sizeof v) < 0)
		log_msg(LOG_ERR, "unable to set TCP_KEEPCNT: %s", strerror(errno));
	if ((v = (int)conf_seconds(ctx->conf, OPT_TCP_KEEPALIVE_IDLE)) && setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof v) < 0)
		log_msg(LOG_ERR, "unable to set TCP_KEEPIDLE: %s", strerror(errno));
	if ((v = (int)conf_seconds(ctx->conf, OPT_TCP_KEEPALIVE_INTVL))
		&& setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &v, sizeof v) < 0)
		log_msg(LOG_ERR, "unable to set TCP_KEEPINTVL: %s", strerror(errno));
}

bool service_accept_retry(int err)
{
	static const int again[] = { EINTR, EAGAIN, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
		ENETUNREACH, ECONNABORTED };
	for (size_t i = 0; i < sizeof again / sizeof *again; i++)
		if (err == again[i]) return true;
	return false;
}

/* argv[0] may be a name in the directory of a master that is not ours; then the kernel knows the file. */
static char *running_program(const char *argv0)
{
	char target[PATH_MAX];
	struct stat st;
	char *path = program_path(argv0);
	if (stat(path, &st) == 0) return path;
	ssize_t n = readlink("/proc/self/exe", target, sizeof target - 1);
	if (n <= 0) return path;
	free(path);
	target[n] = '\0';
	return mem_strdup(target);
}

void program_file_note(struct program_file *f, const char *argv0)
{
	struct stat st = { 0 };
	f->path = running_program(argv0);
	if (stat(f->path, &st) < 0) log_msg(LOG_ERR, "cannot stat %s: %s", f->path, strerror(errno));
	f->ino = st.st_ino;
	f->size = st.st_size;
	f->mtime = st.st_mtim;
}

enum program_change program_file_check(const struct program_file *f)
{
	struct stat st;
	if (stat(f->path, &st) < 0) return PROGRAM_GONE;
	return st.st_ino == f->ino && st.st_size == f->size && st.st_mtim.tv_sec == f->mtime.tv_sec
		&& st.st_mtim.tv_nsec == f->mtime.tv_nsec ? PROGRAM_SAME : PROGRAM_CHANGED;
}
