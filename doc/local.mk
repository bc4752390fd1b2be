# doc: see the head of Makefile.am

dist_man_MANS += doc/man/master.8 doc/man/cyrus.conf.5 doc/man/cambyses-service.3
dist_man_MANS += doc/man/ctl_mboxlist.8 doc/man/mbexamine.8 doc/man/mbpath.8 doc/man/quota.8 doc/man/reconstruct.8
dist_man_MANS += doc/man/imapd.8 doc/man/lmtpd.8 doc/man/deliver.8
dist_man_MANS += doc/man/ctl_cyrusdb.8 doc/man/cyr_buildinfo.8 doc/man/cyr_dbtool.8 doc/man/cyr_info.8
dist_man_MANS += doc/man/cyr_df.8 doc/man/ipurge.8
EXTRA_DIST += doc/golden-differences.md doc/measured-master.md doc/HACKING.md doc/LOCKS.md doc/MAP.md doc/NEXT.md doc/decisions
EXTRA_DIST += doc/admin/list.md doc/admin/master.md doc/admin/recover.md doc/admin/swap.md doc/admin/tools.md
EXTRA_DIST += doc/examples/echo.c
dist_man_MANS += doc/man/ctl_deliver.8 doc/man/cvt_cyrusdb.8 doc/man/cyr_deny.8 doc/man/cyr_userseen.8 doc/man/tls_prune.8
