#!/bin/sh
# Annotations; beside Debian's Cyrus too.
exec "${srcdir:-.}/tests/lib/pytest.sh" -p test_metadata
