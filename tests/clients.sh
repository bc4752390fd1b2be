#!/bin/sh
# Programs that people read mail with.
exec "${srcdir:-.}/tests/lib/pytest.sh" test_clients
