/* fault.h - the test driver behind sys.h: makes the n-th call fail, write short, or die.
 *
 * Used by cunit only; no program installs it. Calls that change the disk (write, pwrite, fsync, fdatasync, ftruncate,
 * rename, link, unlink, unlinkat, mkdir, open with O_CREAT, futimens) are numbered from 1 in the order they are made. */
#ifndef CAMB_FAULT_H
#define CAMB_FAULT_H

enum fault_kind {
	FAULT_NONE,            /* count only */
	FAULT_ERROR,           /* call n fails with `err` (ENOSPC, EIO ...), as do all later ones if `sticky` */
	FAULT_SHORT,           /* writes from call n on write one byte at a time */
	FAULT_DIE,             /* the process ends (_exit 99) before call n is made */
	FAULT_TORN,            /* if call n writes more than a sector (512 bytes), a part that ends on the file's sector boundary
	                          reaches it, then the process ends; else as FAULT_DIE: a sector is written whole or not at all */
	FAULT_EINTR,           /* every call is interrupted once before it succeeds */
};

/* What a call does to the disk, for callers that try death at every one: before the call behind a FAULT_IDLE the disk is as it
 * was before that one, and FAULT_TORN differs from FAULT_DIE at a FAULT_BIG only. */
enum fault_effect { FAULT_CHANGE = 1, FAULT_IDLE, FAULT_BIG };

struct fault {
	enum fault_kind kind;
	unsigned long n;       /* which call, from 1 */
	int err, sticky;
};

void fault_install(const struct fault *f);    /* replaces the table of sys.h and starts counting; NULL removes it */
/* Notes the effect of call i at effects[i], as long as i is below room; NULL: no more. */
void fault_effects(unsigned char *effects, unsigned long room);
unsigned long fault_count(void);              /* calls numbered so far */
#endif
