/* signals.h - master's signals: blocked all the time, let in through a window once in a pass and while it waits, and turned
 * into flags (spec/master.md 13.1, 22.7). */
#ifndef CAMB_MASTER_SIGNALS_H
#define CAMB_MASTER_SIGNALS_H
#include <signal.h>

struct signal_flags {
	volatile sig_atomic_t term;        /* the signal that asks for shutdown: TERM, INT or QUIT */
	volatile sig_atomic_t hup, chld;
};
extern struct signal_flags signal_flags;

void signals_block(sigset_t *before);              /* *before: the mask to wait with */
void signals_install(void);                        /* and no signal is ignored from then on, or children would inherit that */
void signals_window(const sigset_t *waitmask);     /* lets pending signals in, blocks them again */
void signals_handled(sigset_t *set);               /* those with a handler: a child sets them to their default before its exec */
#endif
