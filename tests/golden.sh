#!/bin/sh
# All recorded conversations with the reference servers, on their own stores.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m golden_imap
