#!/bin/sh
# Annotations; the part with Debian's Cyrus is skipped where $PEER_ROOT is not set.
exec "${srcdir:-.}/tests/lib/pytest.sh" test_metadata
