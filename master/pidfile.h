/* pidfile.h - master's pid file, its lock for life, the lock file and handshake of -d, the ready file (spec/master.md 3.3). */
#ifndef CAMB_PIDFILE_H
#define CAMB_PIDFILE_H

/* 0, or the exit code; logged. On success the descriptor stays open, and locked, for the life of the process. */
int pidfile_claim(const char *path);

struct handshake {                 /* between the process started with -d and the one that stays */
	int pipe, lock;                /* -1: not daemonised */
};
#define HANDSHAKE_INIT { -1, -1 }
/* Goes into the background. Returns 0 in the child only; else the code to exit with: in the parent what the child said,
 * or why it did not come to that. */
int daemonize(struct handshake *h, const char *pid_path, const char *confdir, int *parent);
void handshake_tell(struct handshake *h, int code);         /* tells the parent; harmless when there is none */

int readyfile_create(const char *path);                     /* 0 or EX_OSERR, logged */
void readyfile_remove(const char *path);
#endif
