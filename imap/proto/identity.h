/* identity.h - what we call ourselves (spec/tools.md 7): versions that scripts and peers can parse. */
#ifndef CAMB_IDENTITY_H
#define CAMB_IDENTITY_H
#include "conf/conf.h"

const char *identity_version(const struct conf *c);      /* "3.6.1-cambyses-0.1.0", or 2.5.7 by compatibility level */

/* "PREFIX-..." as imap.md 1 has it; seq counts the sessions of this process. Caller frees. */
char *identity_session(const struct conf *c, unsigned seq);
/* Who is on the other end of the descriptor: "name [ip]", "[ip]", "[unix socket]". Caller frees. */
char *identity_client(int fd);
#endif
