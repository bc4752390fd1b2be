# lib/auth: see the head of Makefile.am
libcambyses_a_SOURCES += lib/auth/acl.c lib/auth/acl.h
