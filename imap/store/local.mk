# imap/store: the mailbox store.
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	imap/store/autocreate.c imap/store/autocreate.h imap/store/userdata.c imap/store/userdata.h \
	imap/store/mboxop.h imap/store/mboxop_create.c imap/store/mboxop_delete.c imap/store/mboxop_priv.h imap/store/mboxop_rename.c \
	imap/store/specialuse.c imap/store/specialuse.h \
	imap/store/append.c imap/store/append.h imap/store/append_priv.h imap/store/stage.c \
	imap/store/audit.c imap/store/audit.h \
	imap/store/racl.c imap/store/racl.h imap/store/racl_file.c imap/store/racl_file.h \
	imap/store/racl_index.c imap/store/racl_index.h \
	imap/store/recover.c imap/store/recover.h \
	imap/store/seen.c imap/store/seen.h \
	imap/store/seqset.c imap/store/seqset.h \
	imap/store/subs.c imap/store/subs.h \
	imap/store/dlist.c imap/store/dlist.h \
	imap/store/duplicate.c imap/store/duplicate.h \
	imap/store/index_format.c imap/store/index_format.h \
	imap/store/kv_acl.c imap/store/kv_acl.h \
	imap/store/layout.h imap/store/layout_25.c imap/store/layout_36.c imap/store/layout_detect.c \
	imap/store/mailbox.c imap/store/mailbox.h imap/store/mailbox_annots.c imap/store/mailbox_cachefile.c \
	imap/store/mailbox_commit.c imap/store/mailbox_copy.c imap/store/mailbox_create.c imap/store/mailbox_record.c imap/store/mailbox_rename.c \
	imap/store/mailbox_peek.c imap/store/mailbox_repack.c imap/store/mailbox_resume.c \
	imap/store/mbentry.c imap/store/mbentry.h \
	imap/store/mbname.c imap/store/mbname.h imap/store/mbname_check.c imap/store/mbname_ext.c imap/store/mbname_priv.h \
	imap/store/mboxheader.c imap/store/mboxheader.h \
	imap/store/mboxlist.c imap/store/mboxlist.h imap/store/mboxlist_walk.c \
	imap/store/namelock.c imap/store/namelock.h \
	imap/store/partition.c \
	imap/store/paths.c imap/store/paths.h \
	imap/store/quota.c imap/store/quota.h imap/store/quotascan.c imap/store/quotascan.h \
	imap/store/statuscache.c imap/store/statuscache.h \
	imap/store/store.c imap/store/store.h \
	imap/store/synccrc.c \
	imap/store/annotdb.c imap/store/annotdb.h imap/store/annots.c imap/store/annots.h \
	imap/store/spool_list.c imap/store/spool_list.h \
	imap/store/spool_walk.c imap/store/spool_walk.h \
	imap/store/synclog.c imap/store/synclog.h

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

# repair
libstore_a_SOURCES += \
	imap/store/reconstruct.c imap/store/reconstruct.h imap/store/reconstruct_adopt.c imap/store/reconstruct_count.c imap/store/reconstruct_discover.c imap/store/reconstruct_leftover.c \
	imap/store/reconstruct_priv.h imap/store/reconstruct_rescue.c imap/store/reconstruct_spool.c

# records of the tables, one noun each
libstore_a_SOURCES += \
	imap/store/annotrow.c imap/store/annotrow.h \
	imap/store/convrow.c imap/store/convrow.h \
	imap/store/counters.c imap/store/counters.h \
	imap/store/fields.h \
	imap/store/indexedstate.c imap/store/indexedstate.h \
	imap/store/mboxkey.c imap/store/mboxkey.h \
	imap/store/mbrecord.h imap/store/mbrecord_25.c imap/store/mbrecord_36.c \
	imap/store/newsstate.c imap/store/newsstate.h \
	imap/store/ptsentry.c imap/store/ptsentry.h \
	imap/store/statusrow.c imap/store/statusrow.h \
	imap/store/synccache.c imap/store/synccache.h \
	imap/store/syncline.c imap/store/syncline.h \
	imap/store/tlssession.c imap/store/tlssession.h \
	imap/store/userdeny.c imap/store/userdeny.h \
	imap/store/zoneinfo.c imap/store/zoneinfo.h
