# imap/imapd: the IMAP service, one file a command or family.
libexec_PROGRAMS += imapd
imapd_SOURCES = \
	imap/imapd/annot.h imap/imapd/annot_defs.c imap/imapd/annot_entries.c imap/imapd/annot_fetch.c imap/imapd/annot_set.c \
	imap/imapd/args.c imap/imapd/args.h \
	imap/imapd/cmd_acl.c \
	imap/imapd/cmd_annotation.c \
	imap/imapd/cmd_any.c \
	imap/imapd/cmd_append.c \
	imap/imapd/cmd_auth.c \
	imap/imapd/cmd_capability.c \
	imap/imapd/cmd_copy.c \
	imap/imapd/cmd_fetch.c \
	imap/imapd/cmd_idle.c \
	imap/imapd/cmd_list.c \
	imap/imapd/list.h imap/imapd/list_answer.c imap/imapd/list_collect.c imap/imapd/list_metadata.c imap/imapd/list_parse.c \
	imap/imapd/cmd_mailbox.c \
	imap/imapd/cmd_metadata.c \
	imap/imapd/cmd_quota.c \
	imap/imapd/cmd_search.c \
	imap/imapd/cmd_select.c \
	imap/imapd/cmd_status.c imap/imapd/status.h \
	imap/imapd/cmd_store.c \
	imap/imapd/command.c \
	imap/imapd/commands.c imap/imapd/commands.h \
	imap/imapd/fetch.h imap/imapd/fetch_body.c imap/imapd/fetch_parse.c \
	imap/imapd/imapd.c \
	imap/imapd/logins.c imap/imapd/logins.h \
	imap/imapd/mboxarg.c imap/imapd/mboxarg.h \
	imap/imapd/respond.c imap/imapd/respond.h \
	imap/imapd/search_parse.c imap/imapd/search_parse.h \
	imap/imapd/selected.c imap/imapd/selected.h \
	imap/imapd/session.c imap/imapd/session.h
imapd_LDADD = $(SERVICE_LIBS)
