# fuzz: see the head of Makefile.am
