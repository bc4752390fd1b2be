#!/usr/bin/env python3
"""doc/MAP.md names every public header of the tree, and no header that is not there."""
import glob, os, re, sys

SRC = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
with open(os.path.join(SRC, 'doc/MAP.md')) as f:
    named = set(re.findall(r'`(?:[a-z/_]*/)?([a-z0-9_]+\.h)`', f.read()))
headers = [p for folder in ('lib', 'master', 'imap') for p in glob.glob(os.path.join(SRC, folder, '**/*.h'), recursive=True)]
there = {os.path.basename(p) for p in headers}
public = {n for n in there if not n.endswith('_priv.h')}
bad = ['%s is not in doc/MAP.md' % n for n in sorted(public - named)] + ['doc/MAP.md names %s, which is not there' % n for n
        in sorted(named - there)]
print('\n'.join(bad) or '%d headers' % len(public))
sys.exit(bool(bad) or not public)
