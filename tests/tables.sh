#!/bin/sh
# Tables through running servers, ten turns with Debian's Cyrus, the recovery guide.
exec "${srcdir:-.}/tests/lib/pytest.sh" -p test_tables test_peer_turns test_recover
