# tests: see the head of Makefile.am

TESTS += tests/master/run.sh
EXTRA_DIST += tests/master/run.sh tests/master/test_master.py tests/master/test_service.py

TESTS += tests/tools/db.sh
EXTRA_DIST += tests/tools/db.sh

TESTS += tests/tools/mailbox.sh
EXTRA_DIST += tests/tools/mailbox.sh
