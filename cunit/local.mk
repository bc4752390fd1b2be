# cunit: see the head of Makefile.am
