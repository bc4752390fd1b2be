# bench: see the head of Makefile.am
