#!/bin/sh
# Mailboxes that lie in the spool and in no list.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m test_discover
