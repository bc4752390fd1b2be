# lib/text: charsets, MIME, addresses, dates, mailbox patterns. Knows messages, not mailboxes.
libcambyses_a_SOURCES += \
	lib/text/address.c lib/text/address.h \
	lib/text/charset.c lib/text/charset.h \
	lib/text/charset_canon.c \
	lib/text/charset_names.c lib/text/charset_names.h \
	lib/text/date.c lib/text/date.h lib/text/date_priv.h \
	lib/text/date_mail.c \
	lib/text/dialect.h \
	lib/text/glob.c lib/text/glob.h \
	lib/text/mime.c lib/text/mime.h lib/text/mime_priv.h \
	lib/text/mime_bound.c \
	lib/text/mime_header.c \
	lib/text/mime_param.c \
	lib/text/mime_value.c \
	lib/text/mutf7.c lib/text/mutf7.h \
	lib/text/rfc2047.c lib/text/rfc2047.h \
	lib/text/transfer.c lib/text/transfer.h
