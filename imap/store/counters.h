/* counters.h - USER.counters: the modseq and UIDVALIDITY high marks of an account of 3.x with conversations; one fixed record,
 * not a database (spec/databases.md 15.1). Written in the version found. */
#ifndef CAMB_COUNTERS_H
#define CAMB_COUNTERS_H
#include "base/buf.h"

enum { COUNTERS = 35, COUNTERS_VERSION = 9 };

struct counters {
	uint32_t version, generation;
	uint64_t modseq[COUNTERS];       /* those the version lacks are 0 */
	uint32_t uidvalidity;
};
extern const char *const counters_names[COUNTERS];
size_t counters_size(uint32_t version);                                      /* of the file; 0: unknown version */
/* ERR_BADFORMAT: no length of any version, or another one than its version has; ERR_CRC (filled all the same). */
int counters_parse(const char *p, size_t len, struct counters *c);
void counters_print(const struct counters *c, struct buf *out);              /* the caller has raised generation */
#endif
