# imap/lmtpd: see the head of Makefile.am
