# lib/io: see the head of Makefile.am
libcambyses_a_SOURCES += \
	lib/io/literal.c lib/io/literal.h \
	lib/io/prot.c lib/io/prot.h
