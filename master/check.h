/* check.h - master -T: everything that is wrong with cyrus.conf and the imapd.conf files its programs read.
 *
 * Reads files, asks the resolver and the account database, and does nothing else: no listening socket, no pid file, no log
 * line, no child; a master may be running. One line for each problem, by file and line:
 *
 *     FILE:LINE: error|warning|note: TEXT
 *
 * Line 0 is the file as a whole. error: master would not start, or something would not run as written. */
#ifndef CAMB_MASTER_CHECK_H
#define CAMB_MASTER_CHECK_H
#include <stdio.h>

/* imapd_conf: what -C gave, or NULL for the built-in path; cyrus_conf: the path to open. 0, or EX_CONFIG when there was
 * an error. */
int check_files(const char *imapd_conf, const char *cyrus_conf, FILE *out);
#endif
