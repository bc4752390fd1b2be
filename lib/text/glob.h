/* glob.h - mailbox patterns of LIST and LSUB (RFC 3501 6.3.8). `*` matches anything, `%` anything without a separator.
 * All states are followed at once: time is at most the length of the name times twice that of the shorter of name and pattern. */
#ifndef CAMB_GLOB_H
#define CAMB_GLOB_H
#include <stdbool.h>
#include <stddef.h>

struct glob;

enum { GLOB_INBOX = 1 };         /* a leading "inbox" of the pattern matches INBOX in any case */

/* sep: the separator of names as the pattern's author writes them. Copies the pattern. */
struct glob *glob_new(const char *pattern, char sep, unsigned flags);
void glob_free(struct glob *g);  /* NULL is allowed */

bool glob_match(struct glob *g, const char *name);       /* the whole name */
/* Which of the name and its proper ancestors match? An ancestor is a prefix that ends right before a separator.
 * Returns the length of the longest one that is >= minlen, or -1. strlen(name) means that the name itself matches. */
long glob_match_prefix(struct glob *g, const char *name, size_t minlen);
/* The lengths of all of them, ascending, at most `max`; returns how many there are. */
size_t glob_match_all(struct glob *g, const char *name, size_t *lens, size_t max);
/* Could the name or anything below it match? A scan may skip the subtree when not. */
bool glob_may_match_below(struct glob *g, const char *name);
/* The length of the shortest of the name and its ancestors below which (strictly) nothing can match; GLOB_ALIVE: there is
 * none. */
#define GLOB_ALIVE ((size_t)-1)
size_t glob_dead_below(struct glob *g, const char *name);
/* The literal text every match begins with (length; the text is the pattern's own). INBOX and case are not considered:
 * 0 when GLOB_INBOX is set and the pattern begins with "inbox". */
size_t glob_literal_prefix(const struct glob *g);
#endif
