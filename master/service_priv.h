/* service_priv.h - the harness's parts. */
#ifndef CAMB_SERVICE_PRIV_H
#define CAMB_SERVICE_PRIV_H
#include "master/service.h"
#include "master/service_signals.h"

#include <sys/types.h>

enum service_message { SERVICE_AVAILABLE = 1, SERVICE_UNAVAILABLE, SERVICE_CONNECTION, SERVICE_CONNECTION_MULTI };

struct service_options {
	const char *conf_file;
	int max_uses, idle;            /* 250, 60; 0 idle: never */
	bool debug, once, need_partitions;
};

/* Bytes from argv[0] on in which the kernel put arguments and environment: to be asked for before either is changed. */
size_t service_title_size(int argc, char **argv);
/* Moves what is left of the arguments, but argv[0], and the environment elsewhere. Pointers to either are stale then. */
void service_title_free(int argc, char **argv);

/* Takes the options named in `ours` (of "CUTDX") out of *argc and argv, in place, order kept. 0, or the exit code; logged. */
int service_options(struct service_options *o, const char *ours, int *argc, char **argv);
/* Environment, configuration, user, log, descriptors: spec 17.2 steps 1 to 3. 0 or the exit code. */
int service_start(struct service_context *ctx, const struct service_options *o, int argc, char **argv);
/* The loops, each until the process is to end: the code to leave with. */
int service_clients(struct service_context *ctx, const struct service_options *o);     /* one client after another */
int service_threads(struct service_context *ctx);                                      /* all at once */
void service_debug_command(const struct service_context *ctx, const char *program);
void service_tell(const struct service_context *ctx, enum service_message what);       /* on the status pipe */
bool service_allowed(const struct service_context *ctx, int fd);       /* TCP wrappers; logs a refusal */
void service_tcp_options(const struct service_context *ctx, int fd);
bool service_accept_retry(int err);            /* errors of accept() that are the client's, not ours */

struct program_file {                          /* the service's own program, to notice its replacement */
	char *path;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};
enum program_change { PROGRAM_SAME, PROGRAM_CHANGED, PROGRAM_GONE };
void program_file_note(struct program_file *f, const char *argv0);
enum program_change program_file_check(const struct program_file *f);
#endif
