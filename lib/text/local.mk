# lib/text: see the head of Makefile.am
