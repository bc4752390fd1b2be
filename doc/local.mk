# doc: see the head of Makefile.am
