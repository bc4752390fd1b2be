# imap/tools: see the head of Makefile.am

sbin_PROGRAMS += imap/tools/deliver
imap_tools_deliver_SOURCES = imap/tools/deliver.c
imap_tools_deliver_LDADD = $(LIB_LIBS)

# databases, configuration
sbin_PROGRAMS += imap/tools/ctl_cyrusdb imap/tools/cyr_buildinfo imap/tools/cyr_dbtool imap/tools/cyr_info
imap_tools_ctl_cyrusdb_SOURCES = imap/tools/ctl_cyrusdb.c
imap_tools_ctl_cyrusdb_LDADD = $(STORE_LIBS)
imap_tools_cyr_buildinfo_SOURCES = imap/tools/cyr_buildinfo.c
imap_tools_cyr_buildinfo_LDADD =
imap_tools_cyr_dbtool_SOURCES = imap/tools/cyr_dbtool.c imap/tools/dbbatch.c imap/tools/dbbatch.h
imap_tools_cyr_dbtool_LDADD = $(STORE_LIBS)
imap_tools_cyr_info_SOURCES = imap/tools/cyr_info.c imap/tools/storeinfo.c imap/tools/storeinfo.h
imap_tools_cyr_info_LDADD = libmaster.a $(STORE_LIBS)

# mailboxes
sbin_PROGRAMS += imap/tools/ctl_mboxlist imap/tools/mbexamine imap/tools/mbpath
imap_tools_ctl_mboxlist_SOURCES = imap/tools/ctl_mboxlist.c imap/tools/json.c imap/tools/json.h imap/tools/mboxdump.c imap/tools/mboxdump.h \
	imap/tools/mboxrebuild.c imap/tools/mboxrebuild.h imap/tools/mboxrestore.c imap/tools/mboxrestore.h
imap_tools_ctl_mboxlist_LDADD = $(STORE_LIBS)
imap_tools_mbexamine_SOURCES = imap/tools/mbexamine.c imap/tools/toolbox.c imap/tools/toolbox.h
imap_tools_mbexamine_LDADD = $(STORE_LIBS)
imap_tools_mbpath_SOURCES = imap/tools/mbpath.c imap/tools/toolbox.c imap/tools/toolbox.h
imap_tools_mbpath_LDADD = $(STORE_LIBS)
sbin_PROGRAMS += imap/tools/quota
imap_tools_quota_SOURCES = imap/tools/quota.c imap/tools/json.c imap/tools/json.h imap/tools/toolbox.c imap/tools/toolbox.h
imap_tools_quota_LDADD = $(STORE_LIBS)
sbin_PROGRAMS += imap/tools/reconstruct
imap_tools_reconstruct_SOURCES = imap/tools/reconstruct.c imap/tools/toolbox.c imap/tools/toolbox.h
imap_tools_reconstruct_LDADD = $(STORE_LIBS)
sbin_PROGRAMS += imap/tools/cyr_df imap/tools/ipurge
imap_tools_cyr_df_SOURCES = imap/tools/cyr_df.c
imap_tools_cyr_df_LDADD = $(LIB_LIBS)
imap_tools_ipurge_SOURCES = imap/tools/ipurge.c imap/tools/toolbox.c imap/tools/toolbox.h
imap_tools_ipurge_LDADD = $(STORE_LIBS)

# single tables
sbin_PROGRAMS += imap/tools/ctl_deliver imap/tools/cvt_cyrusdb imap/tools/cyr_deny imap/tools/cyr_userseen imap/tools/tls_prune
imap_tools_ctl_deliver_SOURCES = imap/tools/ctl_deliver.c
imap_tools_ctl_deliver_LDADD = $(STORE_LIBS)
imap_tools_cvt_cyrusdb_SOURCES = imap/tools/cvt_cyrusdb.c
imap_tools_cvt_cyrusdb_LDADD = $(LIB_LIBS)
imap_tools_cyr_deny_SOURCES = imap/tools/cyr_deny.c
imap_tools_cyr_deny_LDADD = $(STORE_LIBS)
imap_tools_cyr_userseen_SOURCES = imap/tools/cyr_userseen.c imap/tools/toolbox.c imap/tools/toolbox.h
imap_tools_cyr_userseen_LDADD = $(STORE_LIBS)
imap_tools_tls_prune_SOURCES = imap/tools/tls_prune.c
imap_tools_tls_prune_LDADD = $(STORE_LIBS)
