/* fdset.h - a set of descriptors for select() that does not end at FD_SETSIZE. An fd_set is a row of longs, bit by bit, and
 * the kernel reads as many of them as its first argument says; only the C library's type is of fixed size (select(2)). */
#ifndef CAMB_MASTER_FDSET_H
#define CAMB_MASTER_FDSET_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/select.h>

struct fdset {
	unsigned long *bits;
	size_t words;                      /* never fewer than an fd_set has, once anything was added */
	int n;                             /* no member is this or above: the first argument of select() */
};
#define FDSET_INIT { NULL, 0, 0 }

void fdset_free(struct fdset *s);
void fdset_add(struct fdset *s, int fd);         /* fd >= 0 */
void fdset_remove(struct fdset *s, int fd);      /* not being a member is well; so is a negative fd */
bool fdset_has(const struct fdset *s, int fd);
void fdset_clear(struct fdset *s);
void fdset_copy(struct fdset *to, const struct fdset *from);
int fdset_next(const struct fdset *s, int fd);   /* the first member at or above fd; -1: none */
fd_set *fdset_raw(struct fdset *s);              /* for select(); NULL while nothing was ever added */
#endif
