#!/bin/sh
# Messages of every kind through lmtpd.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m test_lmtp_corpus
