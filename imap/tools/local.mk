# imap/tools: see the head of Makefile.am

libexec_PROGRAMS += deliver
deliver_SOURCES = imap/tools/deliver.c
deliver_LDADD = $(LIB_LIBS)
