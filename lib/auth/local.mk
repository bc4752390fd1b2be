# lib/auth: see the head of Makefile.am
libcambyses_a_SOURCES += lib/auth/acl.c lib/auth/acl.h
libcambyses_a_SOURCES += lib/auth/user.c lib/auth/user.h
