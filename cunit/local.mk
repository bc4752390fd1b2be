# cunit: see the head of Makefile.am

# What the programs share: running a suite, a scratch directory.
UNIT_LIBS = libcunit.a $(LIB_LIBS) $(CHECK_LIBS)
UNIT_STORE_LIBS = libcunit.a $(STORE_LIBS) $(CHECK_LIBS)
UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
if UNIT_TESTS
check_LIBRARIES += libcunit.a
libcunit_a_SOURCES = cunit/scratch.c cunit/scratch.h cunit/suite.c cunit/suite.h
libcunit_a_CFLAGS = $(UNIT_CFLAGS)
endif

if UNIT_TESTS
check_PROGRAMS += check_conf
TESTS += check_conf
check_conf_SOURCES = cunit/conf/check_conf.c
check_conf_CFLAGS = $(UNIT_CFLAGS)
check_conf_LDADD = $(UNIT_LIBS)
endif
EXTRA_DIST += cunit/golden/conf


if UNIT_TESTS
check_PROGRAMS += check_dbcontract check_dbbad check_dbformat check_dbcrash
TESTS += check_dbcontract check_dbbad check_dbformat check_dbcrash
check_dbbad_SOURCES = cunit/db/check_dbbad.c cunit/db/dbrows.h cunit/db/dbtest.c cunit/db/dbtest.h
check_dbbad_CFLAGS = $(UNIT_CFLAGS)
check_dbbad_LDADD = $(UNIT_LIBS)
check_dbcontract_SOURCES = cunit/db/dbrows.h cunit/db/dbtest.c cunit/db/dbtest.h cunit/db/contract/check_conversion.c \
	cunit/db/contract/check_dbcontract.c cunit/db/contract/check_iteration.c cunit/db/contract/check_keys.c \
	cunit/db/contract/check_processes.c cunit/db/contract/check_records.c cunit/db/contract/contract.c \
	cunit/db/contract/contract.h cunit/db/contract/suites.h
check_dbcontract_CFLAGS = $(UNIT_CFLAGS)
check_dbcontract_LDADD = $(UNIT_LIBS)
check_dbformat_SOURCES = cunit/db/check_dbformat.c cunit/db/dbtest.c cunit/db/dbtest.h
check_dbformat_CFLAGS = $(UNIT_CFLAGS)
check_dbformat_LDADD = $(UNIT_LIBS)
check_dbcrash_SOURCES = cunit/db/check_dbcrash.c cunit/db/dbtest.c cunit/db/dbtest.h cunit/db/disk.h
check_dbcrash_CFLAGS = $(UNIT_CFLAGS)
check_dbcrash_LDADD = $(UNIT_LIBS)
endif
EXTRA_DIST += cunit/golden/cyrusdb

# ---- text and messages
if UNIT_TESTS
check_PROGRAMS += check_text check_message
TESTS += check_text check_message
check_text_SOURCES = cunit/text/check_text.c
check_text_CFLAGS = $(UNIT_CFLAGS)
check_text_LDADD = $(UNIT_LIBS)
check_message_SOURCES = cunit/store/check_message.c
check_message_CFLAGS = $(UNIT_CFLAGS)
check_message_LDADD = $(UNIT_STORE_LIBS)
endif
check_PROGRAMS += msgparse
msgparse_SOURCES = cunit/store/msgparse.c
msgparse_LDADD = $(STORE_LIBS)
TESTS += cunit/store/check_corpus.py cunit/store/check_search.py cunit/store/check_upload.py
EXTRA_DIST += cunit/store/check_corpus.py cunit/store/check_search.py cunit/store/check_upload.py cunit/golden/search.json \
	cunit/golden/search-differences.json cunit/golden/corpus cunit/golden/corpus-bad cunit/golden/corpus-nodate.json

if UNIT_TESTS
check_PROGRAMS += check_master echo_service echo_thread master_probe
TESTS += check_master
check_master_SOURCES = cunit/master/check_master.c cunit/master/check_cyrusconf.c cunit/master/check_fdset.c \
	cunit/master/check_loop.c cunit/master/check_notify.c cunit/master/check_scenarios.c cunit/master/check_staffing.c \
	cunit/master/suites.h cunit/master/world.c cunit/master/world.h
SCENARIOS = $(srcdir)/cunit/master/*.scn
EXTRA_DIST += $(SCENARIOS)
check_master_CFLAGS = $(UNIT_CFLAGS)
check_master_LDADD = libmaster.a $(UNIT_LIBS) -lm
echo_service_SOURCES = cunit/master/echo_service.c
echo_service_LDADD = libservice.a $(LIB_LIBS) $(WRAP_LIBS)
echo_thread_SOURCES = cunit/master/echo_thread.c
echo_thread_LDADD = libservice.a $(LIB_LIBS) $(WRAP_LIBS)
master_probe_SOURCES = cunit/master/master_probe.c
master_probe_LDADD =
endif

# ---- the mailbox store: death at any write, repair
if UNIT_TESTS
check_PROGRAMS += check_append
TESTS += check_append
check_append_SOURCES = cunit/crash/check_append.c cunit/crash/crashtest.h cunit/store/storetest.h
check_append_CFLAGS = $(UNIT_CFLAGS)
check_append_LDADD = $(UNIT_STORE_LIBS)
check_PROGRAMS += check_reconstruct
TESTS += check_reconstruct
check_reconstruct_SOURCES = cunit/store/check_reconstruct.c cunit/store/storetest.h
check_reconstruct_CFLAGS = $(UNIT_CFLAGS)
check_reconstruct_LDADD = $(UNIT_STORE_LIBS)
check_PROGRAMS += check_store
TESTS += check_store
check_store_SOURCES = cunit/store/formats/check_files.c cunit/store/formats/check_layouts.c \
	cunit/store/formats/check_names.c cunit/store/formats/check_store.c cunit/store/formats/check_values.c \
	cunit/store/formats/suites.h cunit/store/storetest.h
check_store_CFLAGS = $(UNIT_CFLAGS)
check_store_LDADD = $(UNIT_STORE_LIBS)
check_PROGRAMS += check_mboxlist
TESTS += check_mboxlist
check_mboxlist_SOURCES = cunit/store/check_mboxlist.c cunit/store/storetest.h
check_mboxlist_CFLAGS = $(UNIT_CFLAGS)
check_mboxlist_LDADD = $(UNIT_STORE_LIBS)
check_PROGRAMS += check_racl
TESTS += check_racl
check_racl_SOURCES = cunit/store/check_racl.c cunit/store/storetest.h
check_racl_CFLAGS = $(UNIT_CFLAGS)
check_racl_LDADD = $(UNIT_STORE_LIBS)
check_PROGRAMS += check_peek
TESTS += check_peek
check_peek_SOURCES = cunit/store/check_peek.c cunit/store/storetest.h
check_peek_CFLAGS = $(UNIT_CFLAGS)
check_peek_LDADD = $(UNIT_STORE_LIBS)
check_PROGRAMS += check_audit
TESTS += check_audit
check_audit_SOURCES = cunit/store/check_audit.c cunit/store/storetest.h
check_audit_CFLAGS = $(UNIT_CFLAGS)
check_audit_LDADD = $(UNIT_STORE_LIBS)
endif
EXTRA_DIST += cunit/golden/store
# ---- lmtpd
check_PROGRAMS += lmtp_store
lmtp_store_SOURCES = cunit/lmtpd/lmtp_store.c
lmtp_store_LDADD = $(STORE_LIBS)
if UNIT_TESTS
check_PROGRAMS += check_lmtp
TESTS += check_lmtp
check_lmtp_SOURCES = cunit/lmtpd/check_lmtp.c
check_lmtp_CFLAGS = $(UNIT_CFLAGS)
check_lmtp_LDADD = liblmtp.a libproto.a $(UNIT_STORE_LIBS)
endif

# ---- arguments of IMAP commands
if UNIT_TESTS
check_PROGRAMS += check_fetch
TESTS += check_fetch
check_fetch_SOURCES = cunit/imapd/check_fetch.c imap/imapd/args.c imap/imapd/fetch_parse.c imap/imapd/search_parse.c
check_fetch_CFLAGS = $(UNIT_CFLAGS)
check_fetch_LDADD = $(UNIT_STORE_LIBS)
endif

# ---- lib and the small modules of the store, one program for each folder
if UNIT_TESTS
check_PROGRAMS += check_base check_sys check_prot check_auth check_program check_names check_spool_walk check_identity
TESTS += check_base check_sys check_prot check_auth check_program check_names check_spool_walk check_identity
check_base_SOURCES = cunit/base/check_arrays.c cunit/base/check_base.c cunit/base/check_buf.c cunit/base/check_log.c \
	cunit/base/check_num.c cunit/base/suites.h
check_base_CFLAGS = $(UNIT_CFLAGS)
check_base_LDADD = $(UNIT_LIBS)
check_sys_SOURCES = cunit/sys/check_sys.c
check_sys_CFLAGS = $(UNIT_CFLAGS)
check_sys_LDADD = $(UNIT_LIBS)
check_prot_SOURCES = cunit/io/check_deflate.c cunit/io/check_input.c cunit/io/check_literal.c cunit/io/check_output.c \
	cunit/io/check_prot.c cunit/io/check_sasl.c cunit/io/check_tls.c cunit/io/prottest.c cunit/io/prottest.h \
	cunit/io/suites.h
check_prot_CFLAGS = $(UNIT_CFLAGS)
check_prot_LDADD = $(UNIT_LIBS)
check_auth_SOURCES = cunit/auth/check_auth.c
check_auth_CFLAGS = $(UNIT_CFLAGS)
check_auth_LDADD = $(UNIT_LIBS)
check_program_SOURCES = cunit/conf/check_program.c
check_program_CFLAGS = $(UNIT_CFLAGS)
check_program_LDADD = $(UNIT_LIBS)
check_names_SOURCES = cunit/store/names/check_mbname.c cunit/store/names/check_mbrecord.c \
	cunit/store/names/check_names.c cunit/store/names/check_seqset.c cunit/store/names/check_userdata.c \
	cunit/store/names/namestest.c cunit/store/names/namestest.h cunit/store/names/suites.h
check_names_CFLAGS = $(UNIT_CFLAGS)
check_names_LDADD = $(UNIT_STORE_LIBS)
check_spool_walk_SOURCES = cunit/store/walk/check_changes.c cunit/store/walk/check_kernel.c \
	cunit/store/walk/check_limits.c cunit/store/walk/check_mounts.c cunit/store/walk/check_size.c \
	cunit/store/walk/check_spool.c cunit/store/walk/check_spool_walk.c cunit/store/walk/check_trees.c \
	cunit/store/walk/suites.h cunit/store/walk/walktest.c cunit/store/walk/walktest.h cunit/store/storetest.h
check_spool_walk_CFLAGS = $(UNIT_CFLAGS)
check_spool_walk_LDADD = $(UNIT_STORE_LIBS)
check_identity_SOURCES = cunit/proto/check_identity.c
check_identity_CFLAGS = $(UNIT_CFLAGS)
check_identity_LDADD = libproto.a $(UNIT_STORE_LIBS)
endif

# ---- making, renaming, deleting mailboxes and accounts: death at any write
if UNIT_TESTS
check_PROGRAMS += check_life
TESTS += check_life
check_life_SOURCES = cunit/crash/check_life.c cunit/crash/crashtest.h cunit/store/storetest.h
check_life_CFLAGS = $(UNIT_CFLAGS)
check_life_LDADD = $(UNIT_STORE_LIBS)
endif

# ---- every table: records, damage, the recorded stores
if UNIT_TESTS
check_PROGRAMS += check_annots
TESTS += check_annots
check_annots_SOURCES = cunit/store/check_annots.c cunit/store/storetest.h
check_annots_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/cunit
check_annots_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_annots_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += check_tables
TESTS += check_tables
check_tables_SOURCES = cunit/store/storetest.h cunit/store/tables/check_layouts.c cunit/store/tables/check_points.c \
	cunit/store/tables/check_recorded.c cunit/store/tables/check_records.c cunit/store/tables/check_tables.c \
	cunit/store/tables/suites.h cunit/store/tables/tables.c cunit/store/tables/tables.h
check_tables_CFLAGS = $(UNIT_CFLAGS)
check_tables_LDADD = $(UNIT_STORE_LIBS)
endif

# ---- TLS sessions that processes share
if UNIT_TESTS
check_PROGRAMS += check_tlscache
TESTS += check_tlscache
check_tlscache_SOURCES = cunit/proto/check_tlscache.c cunit/store/storetest.h
check_tlscache_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/cunit
check_tlscache_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_tlscache_LDADD = $(SERVICE_LIBS) $(CHECK_LIBS)
endif
