# lib/conf: imapd.conf: the option table, the file, typed access, the lint and the man page.
libcambyses_a_SOURCES += \
	lib/conf/conf.c lib/conf/conf.h lib/conf/conf_parse.c lib/conf/conf_priv.h lib/conf/conf_type.c \
	lib/conf/lint.c lib/conf/lint.h \
	lib/conf/man.c lib/conf/man.h \
	lib/conf/options.def lib/conf/idle.def \
	lib/conf/procfile.c lib/conf/procfile.h \
	lib/conf/program.c lib/conf/program.h \
	lib/conf/report.c

noinst_PROGRAMS += conf_man
conf_man_SOURCES = lib/conf/conf_man.c
conf_man_LDADD = $(LIB_LIBS)
dist_man_MANS += doc/man/imapd.conf.5
