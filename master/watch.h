/* watch.h - the socket on which master tells the state of its services, for `cyr_info master`. Whoever connects gets a table
 * (metrics.c: one line about master, one with the columns' names, one for each address) and then the last line. */
#ifndef CAMB_MASTER_WATCH_H
#define CAMB_MASTER_WATCH_H

#define WATCH_SOCKET "socket/master.status"     /* below configdirectory; only the Cyrus user and root may connect */
#define WATCH_END "end\n"                       /* the last line: all was said */
#endif
