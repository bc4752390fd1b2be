#!/bin/sh
# FETCH from damaged mailboxes and beside other sessions.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m test_fetch
