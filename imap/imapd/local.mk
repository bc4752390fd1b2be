# imap/imapd: see the head of Makefile.am
