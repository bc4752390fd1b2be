#!/bin/sh
# IMAP from a client's side.
exec "${srcdir:-.}/tests/lib/pytest.sh" test_imap
