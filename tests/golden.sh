#!/bin/sh
# All recorded conversations with the reference servers, on their own stores: see golden_imap.py.
exec env PYTHONDONTWRITEBYTECODE=1 srcdir="${srcdir:-.}" python3 "${srcdir:-.}/tests/golden_imap.py"
