# master: see the head of Makefile.am
