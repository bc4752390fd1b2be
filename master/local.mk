# master: the supervisor (libmaster.a is all of it but main(), for the unit tests) and the harness of the services.
noinst_LIBRARIES += libmaster.a
libmaster_a_SOURCES = \
	master/check.c master/check.h master/check_imapd.c master/check_listen.c master/check_priv.h \
	master/children.c master/children.h \
	master/conf_cyrus.c master/conf_cyrus.h \
	master/cron.c \
	master/events.c master/events.h \
	master/fdset.c master/fdset.h \
	master/janitor.c \
	master/kernel.c master/kernel.h \
	master/listen.c \
	master/loglimit.c \
	master/loop.c master/master.h \
	master/manager.c \
	master/metrics.c \
	master/notify.c master/notify.h \
	master/pidfile.c master/pidfile.h \
	master/queue.c \
	master/reap.c \
	master/reload.c \
	master/services.c master/services.h \
	master/shutdown.c \
	master/signals.c master/signals.h \
	master/spawn.c \
	master/start.c \
	master/status.c \
	master/wait.c \
	master/watch.c master/watch.h

libexec_PROGRAMS += master/master
master_master_SOURCES = master/master.c
master_master_LDADD = libmaster.a $(LIB_LIBS) -lm

# main() of a service included: a program links SERVICE_LIBS and defines service_program (service.h).
noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = \
	master/service.c master/service.h master/service_priv.h \
	master/service_debug.c \
	master/service_main.c \
	master/service_option.c \
	master/service_signals.c master/service_signals.h \
	master/service_start.c \
	master/service_thread.c \
	master/service_title.c

# For services outside of this tree: the harness and what it needs of lib/ as one object, in which only the names below are
# left visible, so that none of ours can meet a name of the program's. (libwrap looks for the last two.)
SERVICE_NAMES = main service_option service_option_bool service_option_int signals_poll signals_clear signals_cancelled \
	signals_wait signals_select
lib_LIBRARIES = libcambyses-service.a
libcambyses_service_a_SOURCES =
libcambyses_service_a_LIBADD = master/cambyses_service.$(OBJEXT)
master/cambyses_service.$(OBJEXT): libservice.a libcambyses.a
	$(AM_V_GEN)$(CC) $(CFLAGS) -nostdlib $(RELOCATABLE) -o $@.all $(SERVICE_NAMES:%=-Wl,-u,%) libservice.a libcambyses.a && \
	$(OBJCOPY) $(SERVICE_NAMES:%=-G %) -G allow_severity -G deny_severity $@.all $@ && rm -f $@.all
cambysesincludedir = $(includedir)/cambyses
cambysesinclude_HEADERS = master/service.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = cambyses-service.pc
