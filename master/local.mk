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

# main() of a service included: a program links SERVICE_LIBS and brings what service.h asks for.
noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = \
	master/service.c master/service.h master/service_priv.h \
	master/service_signals.c master/service_signals.h \
	master/service_start.c

# The same for a threaded program, which never counts as busy.
noinst_LIBRARIES += libservicethread.a
libservicethread_a_SOURCES = \
	master/service_signals.c \
	master/service_start.c \
	master/service_thread.c
