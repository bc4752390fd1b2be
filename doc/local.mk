# doc: see the head of Makefile.am

dist_man_MANS += doc/man/master.8 doc/man/cyrus.conf.5
EXTRA_DIST += doc/golden-differences.md
