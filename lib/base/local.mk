# lib/base: bytes, lists, hashes, memory, numbers, logging, errors. Knows nothing but libc.
libcambyses_a_SOURCES += \
	lib/base/arena.c lib/base/arena.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/err.c lib/base/err.h \
	lib/base/hash.c lib/base/hash.h \
	lib/base/log.c lib/base/log.h \
	lib/base/mem.c lib/base/mem.h \
	lib/base/num.c lib/base/num.h \
	lib/base/ptrarray.c lib/base/ptrarray.h \
	lib/base/repeat.c lib/base/repeat.h \
	lib/base/strarray.c lib/base/strarray.h
