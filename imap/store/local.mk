# imap/store: see the head of Makefile.am
