# tests: see the head of Makefile.am

TESTS += tests/master/run.sh
EXTRA_DIST += tests/master/run.sh tests/master/test_master.py tests/master/test_service.py

TESTS += tests/tools/db.sh
EXTRA_DIST += tests/tools/db.sh

# lmtpd and deliver
TESTS += tests/lmtp.sh tests/lmtp_corpus.sh
EXTRA_DIST += tests/lmtp.sh tests/lmtp_corpus.sh tests/lmtplib.py tests/test_lmtp.py tests/test_lmtp_corpus.py

# quickstart, runtests
EXTRA_DIST += tests/lib/packages.bash tests/lib/summary.py
