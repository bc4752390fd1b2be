# lib/db: see the head of Makefile.am
