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
if UNIT_TESTS
check_PROGRAMS += check_text check_message
TESTS += check_text check_message
check_text_SOURCES = cunit/text/check_text.c
check_text_CPPFLAGS = $(AM_CPPFLAGS)
check_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_text_LDADD = $(LIB_LIBS) $(CHECK_LIBS)
check_message_SOURCES = cunit/store/check_message.c
check_message_CPPFLAGS = $(AM_CPPFLAGS)
check_message_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_message_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
endif
check_PROGRAMS += msgparse
msgparse_SOURCES = cunit/store/msgparse.c
msgparse_LDADD = $(STORE_LIBS)
TESTS += cunit/store/check_corpus.py cunit/store/check_search.py cunit/store/check_upload.py
EXTRA_DIST += cunit/store/check_corpus.py cunit/store/check_search.py cunit/store/check_upload.py cunit/golden/search.json \
	cunit/golden/search-differences.json cunit/golden/corpus cunit/golden/corpus-bad cunit/golden/corpus-nodate.json
