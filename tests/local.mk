# tests: see the head of Makefile.am
