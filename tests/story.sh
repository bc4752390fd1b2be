#!/bin/sh
# A spool full of links; the part with Dovecot needs root and Dovecot.
exec "${srcdir:-.}/tests/lib/pytest.sh" test_story
