# imap/lmtpd: the LMTP service. What can be tested without a socket is a library.
noinst_LIBRARIES += liblmtp.a
liblmtp_a_SOURCES = \
	imap/lmtpd/address.c imap/lmtpd/address.h \
	imap/lmtpd/delivery.c imap/lmtpd/delivery.h \
	imap/lmtpd/filter.c imap/lmtpd/filter.h \
	imap/lmtpd/recipient.c imap/lmtpd/recipient.h \
	imap/lmtpd/status.c imap/lmtpd/status.h

libexec_PROGRAMS += lmtpd
lmtpd_SOURCES = \
	imap/lmtpd/commands.c imap/lmtpd/commands.h \
	imap/lmtpd/data.c \
	imap/lmtpd/lmtpd.c \
	imap/lmtpd/session.c imap/lmtpd/session.h
lmtpd_LDADD = liblmtp.a $(SERVICE_LIBS)
