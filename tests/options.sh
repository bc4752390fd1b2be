#!/bin/sh
# The options of imapd.conf that limit, refuse or record.
exec "${srcdir:-.}/tests/lib/pytest.sh" test_options
