/* commands.h - the handlers, one family a file: cmd_*.c. Each answers with exactly one tagged line. */
#ifndef CAMB_COMMANDS_H
#define CAMB_COMMANDS_H
#include "imapd/session.h"

cmd_fn cmd_append;
cmd_fn cmd_authenticate;
cmd_fn cmd_capability;
cmd_fn cmd_check;
cmd_fn cmd_close;
cmd_fn cmd_copy;
cmd_fn cmd_create;
cmd_fn cmd_delete;
cmd_fn cmd_deleteacl;
cmd_fn cmd_enable;
cmd_fn cmd_examine;
cmd_fn cmd_expunge;
cmd_fn cmd_fetch;
cmd_fn cmd_getacl;
cmd_fn cmd_getannotation;
cmd_fn cmd_getmetadata; cmd_fn cmd_getannotation, cmd_getmetadata, cmd_setannotation, cmd_setmetadata;
cmd_fn cmd_getquota;
cmd_fn cmd_getquotaroot;
cmd_fn cmd_id;
cmd_fn cmd_idle;
cmd_fn cmd_list;
cmd_fn cmd_listrights;
cmd_fn cmd_login;
cmd_fn cmd_logout;
cmd_fn cmd_lsub;
cmd_fn cmd_myrights;
cmd_fn cmd_namespace;
cmd_fn cmd_noop;
cmd_fn cmd_rename;
cmd_fn cmd_rlist;
cmd_fn cmd_rlsub;
cmd_fn cmd_search;
cmd_fn cmd_select;
cmd_fn cmd_setacl;
cmd_fn cmd_setannotation;
cmd_fn cmd_setmetadata;
cmd_fn cmd_setquota;
cmd_fn cmd_starttls;
cmd_fn cmd_status;
cmd_fn cmd_store;
cmd_fn cmd_subscribe;
cmd_fn cmd_unselect;
cmd_fn cmd_unsubscribe;
cmd_fn cmd_xlist;

/* CAPABILITY words as they are true now; full: with what is only shown after login. */
void capability_put(struct session *s, bool full);
#endif
