# lib/conf: see the head of Makefile.am
