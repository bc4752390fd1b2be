# imap/proto: what several services share.
noinst_LIBRARIES += libproto.a
libproto_a_SOURCES = \
	imap/proto/identity.c imap/proto/identity.h \
	imap/proto/saslserver.c imap/proto/saslserver.h \
	imap/proto/tlscache.c imap/proto/tlscache.h \
	imap/proto/tlsserver.c imap/proto/tlsserver.h
