#!/bin/sh
# lmtpd and deliver.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m test_lmtp
