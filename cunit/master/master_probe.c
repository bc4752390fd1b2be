/* master_probe.c - what a child of master starts with: writes argv, ids, descriptors, signal mask, dispositions, limits and
 * CYRUS_* to the file named by its first argument, then exits (or sleeps, with a second). For tests/master. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void print_fds(FILE *f, int self)
{
	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;
		int flags = fcntl(fd, F_GETFL);
		if (fd == self || flags < 0 || fstat(fd, &st) < 0) continue;
		const char *kind = S_ISFIFO(st.st_mode) ? "pipe" : S_ISSOCK(st.st_mode) ? "socket" : S_ISCHR(st.st_mode) ? "char"
			: "other";
		fprintf(f, "fd %d %s %s\n", fd, kind, flags & O_NONBLOCK ? "nonblock" : "block");
	}
}

static void print_signals(FILE *f)
{
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int sig = 1; sig < SIGRTMIN; sig++) {
		struct sigaction sa;
		if (sigismember(&mask, sig)) fprintf(f, "blocked %d\n", sig);
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL) fprintf(f, "handled %d\n", sig);
	}
}

int main(int argc, char **argv)
{
	char tmp[4096];
	struct rlimit rl = { 0, 0 };
	if (argc < 2) return 1;
	snprintf(tmp, sizeof tmp, "%s.tmp", argv[1]);
	FILE *f = fopen(tmp, "w");
	if (!f) return 1;
	for (int i = 0; i < argc; i++) fprintf(f, "argv %s\n", argv[i]);
	fprintf(f, "uid %d\npgid %s\n", (int)getuid(), getpgrp() == getpgid(getppid()) ? "parent" : "other");
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, "CYRUS_", 6)) fprintf(f, "env %s\n", *e);
	print_fds(f, fileno(f));
	print_signals(f);
	getrlimit(RLIMIT_NOFILE, &rl);
	fprintf(f, "nofile %llu\n", (unsigned long long)rl.rlim_cur);
	fclose(f);
	if (rename(tmp, argv[1]) < 0) return 1;
	if (argc > 2 && !strcmp(argv[2], "ok") && write(3, "ok\r\n", 4) != 4) return 1;
	if (argc > 2) pause();
	return 0;
}
