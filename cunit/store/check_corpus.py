#!/usr/bin/env python3
"""check_corpus - every message of golden/corpus as the two references store it, byte for byte.

Runs ./msgparse (see there) over the messages and compares with parsed-2.5.7 and parsed-3.6.1: the ten cache items, their CRC, the
fields of the index record, and the text of every section."""
import json, lzma, os, subprocess, sys

here = os.path.join(os.environ.get('srcdir', '.'), 'cunit/golden/corpus')
# The Date has no zone: 2.5.7 itself gives one or the other (golden README).
ANY_GMTIME = {(3, '0190.eml')}

def ask(p, number, date, row):
    names = [s or '-' for s in row['sections']]
    p.stdin.write(f"{number} {date} {os.path.join(here, row['file'])} {' '.join(names)}\n")
    p.stdin.flush()
    out = {}
    while (l := p.stdout.readline().rstrip('\n')) != '.':
        if not l and p.poll() is not None: raise SystemExit('msgparse died at ' + row['file'])
        k, _, v = l.partition(' ')
        out[k] = v
    return out

def compare(number, row, got, other):
    bad = []
    def want(key, expected, value):
        if expected != value: bad.append(f"{number} {row['file']} {key}\n  expected {expected!r}\n  got      {value!r}")
    if 'error' in got: return [f"{number} {row['file']}: {got['error']}"]
    for key, text in row['cache'].items():
        w = bytes.fromhex(text) if key == 'section' else text.encode('latin1')
        want(key, w, bytes.fromhex(got[key]))
    for key in ('envelope', 'body', 'bodystructure'):
        want('fetch ' + key, row[key].encode('latin1'), bytes.fromhex(got[key]))
    r = row['record']
    for key in ('header_size', 'cache_crc', 'sentdate'):
        want(key, r[key], int(got[key]))
    want('record_end', '1', got['record_end'])
    want('guid', r['guid'], got['guid'])
    if 'size' in r: want('size', r['size'], int(got['size']))
    if (number, row['file']) not in ANY_GMTIME: want('gmtime', r['gmtime'], int(got['gmtime']))
    for name, s in row['sections'].items():
        want('section ' + name, 'NIL' if s is None else f'{s[0]} {s[1]}', got['section:' + (name or '-')])
    # gmtime comes from the Date header unless that is unusable: then it follows the internal date.
    if got['gmtime'] != other['gmtime']: FOLLOWS.setdefault(number, []).append(row['file'][:4])
    return bad

FOLLOWS = {}
# Messages without a usable Date, by hand.
EXPECTED_FOLLOWS = json.load(open(os.path.join(here, '..', 'corpus-nodate.json')))

def main():
    p = subprocess.Popen(['./msgparse'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ, TZ='UTC'))
    bad = []; n = 0
    for version, number in (('2.5.7', 3), ('3.6.1', 11)):
        for line in lzma.open(os.path.join(here, f'parsed-{version}.jsonl.xz'), 'rt'):
            row = json.loads(line)
            date = row['record']['gmtime']
            bad += compare(number, row, ask(p, number, date, row), ask(p, number, date + 86400, row))
            n += 1
    p.stdin.close()
    if p.wait(): bad.append(f'msgparse ended with {p.returncode}')
    for number in (3, 11):
        if FOLLOWS.get(number, []) != EXPECTED_FOLLOWS[str(number)]:
            bad.append(f'{number}: gmtime follows the internal date in {FOLLOWS.get(number)}')
    print('\n'.join(bad))
    print(f'{n} messages, {len(bad)} differences')
    return 1 if bad or n != 520 else 0

sys.exit(main())
