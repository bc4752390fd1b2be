#!/bin/sh
# The TLS options.
command -v openssl >/dev/null 2>&1 || { echo "openssl, which makes the certificates, is not installed"; exit 77; }
exec "${srcdir:-.}/tests/lib/pytest.sh" test_tls
