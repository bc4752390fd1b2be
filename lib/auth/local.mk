# lib/auth: see the head of Makefile.am
