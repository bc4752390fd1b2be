# lib/io: see the head of Makefile.am
