#!/bin/sh
# Debian's Cyrus and ours: on one store in turn, either master with the other's services, one database.
exec "${srcdir:-.}/tests/lib/pytest.sh" -P test_peer test_peer_master test_peer_db
