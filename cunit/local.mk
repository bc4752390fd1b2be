# cunit: see the head of Makefile.am

if UNIT_TESTS
check_PROGRAMS += check_conf
TESTS += check_conf
check_conf_SOURCES = cunit/conf/check_conf.c
check_conf_CPPFLAGS = $(AM_CPPFLAGS)
check_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_conf_LDADD = $(LIB_LIBS) $(CHECK_LIBS)
endif
EXTRA_DIST += cunit/golden/conf

if UNIT_TESTS
check_PROGRAMS += check_dbformat check_dbcrash
TESTS += check_dbformat check_dbcrash
check_dbformat_SOURCES = cunit/db/check_dbformat.c cunit/db/dbtest.h
check_dbformat_CPPFLAGS = $(AM_CPPFLAGS)
check_dbformat_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_dbformat_LDADD = $(LIB_LIBS) $(CHECK_LIBS)
check_dbcrash_SOURCES = cunit/db/check_dbcrash.c cunit/db/dbtest.h
check_dbcrash_CPPFLAGS = $(AM_CPPFLAGS)
check_dbcrash_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_dbcrash_LDADD = $(LIB_LIBS) $(CHECK_LIBS)
endif
EXTRA_DIST += cunit/golden/cyrusdb
