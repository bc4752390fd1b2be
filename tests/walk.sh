#!/bin/sh
# The tools over a spool with links and circles.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m test_walk
