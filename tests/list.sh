#!/bin/sh
# LIST and its kin; beside Debian's Cyrus too.
exec "${srcdir:-.}/tests/lib/pytest.sh" -p test_list test_list_peer
