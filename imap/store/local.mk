# imap/store: the mailbox store.
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES =

# cache records and the checks on incoming messages
libstore_a_SOURCES += \
	imap/store/cacheheader.c \
	imap/store/cacherec.c imap/store/cacherec.h imap/store/cacherec_priv.h \
	imap/store/cacherec_section.c \
	imap/store/cacherec_text.c \
	imap/store/msgcheck.c imap/store/msgcheck.h \
	imap/store/search.c imap/store/search.h imap/store/search_priv.h \
	imap/store/search_text.c \
	imap/store/section.c imap/store/section.h
