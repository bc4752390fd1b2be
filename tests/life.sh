#!/bin/sh
# What users and administrators do to mailboxes as wholes; beside Debian's Cyrus too.
exec "${srcdir:-.}/tests/lib/pytest.sh" -p test_life test_life_peer
