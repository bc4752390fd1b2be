/* args.h - the arguments of one IMAP command, in memory: pure parsing, no I/O, every read bounded by `end` (RFC 3501 section 9).
 *
 * Literals stand in the text as they came: "{5}CRLFbytes". Strings are returned from the arena, NUL-terminated; a string that
 * holds a NUL is refused. A function that fails leaves `p` at the offending byte. */
#ifndef CAMB_ARGS_H
#define CAMB_ARGS_H
#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args {
	struct arena *arena;
	const char *p, *end;
};

bool args_end(const struct args *a);                       /* nothing left */
bool args_char(struct args *a, char c);                    /* takes it if it is next */
int args_peek(const struct args *a);                       /* next byte or -1 */
bool args_space(struct args *a);                           /* exactly one SP */
bool args_atom(struct args *a, char **out);                /* atom characters; `]` included */
bool args_word(struct args *a, char **out);                /* letters, digits, '.', '-', '_': attribute and criteria names */
bool args_astring(struct args *a, char **out);
bool args_string(struct args *a, char **out);              /* quoted or literal */
bool args_string_n(struct args *a, char **out, size_t *len);      /* NULs allowed */
bool args_nstring(struct args *a, char **out);             /* *out NULL for NIL */
bool args_list_mailbox(struct args *a, char **out);        /* astring or list wildcards */
bool args_number(struct args *a, uint64_t *v);
bool args_seqset(struct args *a, char **out);              /* the text of a sequence set; checked by seqset_parse() */
bool args_flag(struct args *a, char **out);                /* "\\Name" or an atom */
#endif
