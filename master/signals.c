/* signals.c - see signals.h. Never SIG_IGN: an ignored signal stays ignored across exec and would leak into children. */
#include "master/signals.h"

#include <stddef.h>

struct signal_flags signal_flags;                  /* handlers have nowhere else to write */

static void on_term(int sig) { signal_flags.term = sig; }
static void on_hup(int sig) { signal_flags.hup = sig; }
static void on_chld(int sig) { signal_flags.chld = sig; }
static void on_other(int sig) { (void)sig; }       /* only interrupts the wait, and keeps the default from killing us */

static const struct {
	int sig;
	void (*fn)(int);
	int blocked;
} table[] = {
	{ SIGTERM, on_term, 1 }, { SIGINT, on_term, 1 }, { SIGQUIT, on_term, 1 },
	{ SIGHUP, on_hup, 1 }, { SIGCHLD, on_chld, 1 }, { SIGALRM, on_other, 1 },
	{ SIGUSR1, on_other, 0 }, { SIGUSR2, on_other, 0 }, { SIGPIPE, on_other, 0 },
};
#define ROWS (sizeof table / sizeof *table)

void signals_block(sigset_t *before)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ROWS; i++)
		if (table[i].blocked) sigaddset(&set, table[i].sig);
	sigprocmask(SIG_BLOCK, &set, before);
	for (size_t i = 0; i < ROWS; i++) sigdelset(before, table[i].sig);     /* whoever started us may have blocked them */
}

/* Whoever started us may have ignored some: nohup does. */
static void ignore_none(void)
{
	struct sigaction now, standard = { .sa_handler = SIG_DFL };
	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN) sigaction(sig, &standard, NULL);
}

void signals_install(void)
{
	ignore_none();
	for (size_t i = 0; i < ROWS; i++) {
		struct sigaction sa = { .sa_handler = table[i].fn, .sa_flags = SA_RESTART };
		if (table[i].sig == SIGCHLD) sa.sa_flags |= SA_NOCLDSTOP;
		sigemptyset(&sa.sa_mask);
		sigaction(table[i].sig, &sa, NULL);
	}
}

void signals_window(const sigset_t *waitmask)
{
	sigset_t blocked;
	sigprocmask(SIG_SETMASK, waitmask, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void signals_handled(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < ROWS; i++) sigaddset(set, table[i].sig);
}
