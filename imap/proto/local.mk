# imap/proto: see the head of Makefile.am
