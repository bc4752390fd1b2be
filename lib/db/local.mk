# lib/db: ordered tables of byte strings in files, one engine a file (see cyrusdb.h).
libcambyses_a_SOURCES += \
	lib/db/cyrusdb.c lib/db/cyrusdb.h lib/db/cyrusdb_open.c lib/db/db_priv.h \
	lib/db/dbconf.c lib/db/dbconf.h \
	lib/db/dumpfile.c \
	lib/db/order.c \
	lib/db/flat.c \
	lib/db/quotalegacy.c \
	lib/db/skiplist.c lib/db/skiplist_priv.h lib/db/skiplist_recover.c lib/db/skipstamp.c \
	lib/db/twoskip.c lib/db/twoskip_priv.h lib/db/twoskip_recover.c lib/db/twoskip_since.c
if BDB
libcambyses_a_SOURCES += lib/db/berkeley.c
endif
