# lib/sys: system calls that tests can make fail; files, locks, maps, clocks.
libcambyses_a_SOURCES += \
	lib/sys/clock.c lib/sys/clock.h \
	lib/sys/dirwalk.c lib/sys/dirwalk.h lib/sys/dirwalk_level.c lib/sys/dirwalk_log.c lib/sys/dirwalk_priv.h lib/sys/dirwalk_set.c \
	lib/sys/fault.c lib/sys/fault.h \
	lib/sys/file.c lib/sys/file.h \
	lib/sys/lock.c lib/sys/lock.h \
	lib/sys/map.c lib/sys/map.h \
	lib/sys/newfile.c lib/sys/newfile.h \
	lib/sys/sys.c lib/sys/sys.h
