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

# ---- text and messages
check_PROGRAMS += msgparse
msgparse_SOURCES = cunit/store/msgparse.c
msgparse_LDADD = $(STORE_LIBS)
TESTS += cunit/store/check_corpus.py cunit/store/check_upload.py
EXTRA_DIST += cunit/store/check_corpus.py cunit/store/check_upload.py cunit/golden/corpus cunit/golden/corpus-bad cunit/golden/corpus-nodate.json
