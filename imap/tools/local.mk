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
imap_tools_cyr_dbtool_SOURCES = imap/tools/cyr_dbtool.c
imap_tools_cyr_dbtool_LDADD = $(LIB_LIBS)
imap_tools_cyr_info_SOURCES = imap/tools/cyr_info.c
imap_tools_cyr_info_LDADD = libmaster.a $(LIB_LIBS)
