# imap/tools: see the head of Makefile.am
