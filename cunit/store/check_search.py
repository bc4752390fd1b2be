#!/usr/bin/env python3
"""check_search - SEARCH by text over golden/corpus, compared with what the two references found (golden/search.json).

Every difference is intended and listed in golden/search-differences.json (`--write` makes it anew; read the change):
  - text in every charset and transfer encoding is found. 3.6.1 reads bodies in UTF-8 and ASCII only, 2.5.7 knows fewer charsets;
  - BODY is all of the body: headers of parts and of messages inside (each reference leaves some out, 2.5.7 in TEXT too);
  - TEXT "" is in every message; an empty header is a header;
  - a letter with an accent is the same in both its Unicode forms; combining marks are dropped from queries as from texts;
  - a query of a no-break space, or of bytes that are no text in its charset, looks for what it says.
0023 (2.5 MB) is left out for speed."""
import json, os, subprocess, sys

src = os.environ.get('srcdir', '.')
golden = os.path.join(src, 'cunit/golden')
SKIP = {23}

def main():
    rows = json.load(open(os.path.join(golden, 'search.json')))
    p = subprocess.Popen(['./msgparse'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                         env=dict(os.environ, TZ='UTC'))
    def ask(line):
        p.stdin.write(line + '\n'); p.stdin.flush(); out = []
        while (l := p.stdout.readline().rstrip('\n')) != '.':
            if not l and p.poll() is not None: raise SystemExit('msgparse died at ' + line)
            out.append(l)
        return out
    got = [[] for _ in rows]; bad = []
    for number in (3, 11):
        for i in range(1, 261):
            if i in SKIP: continue
            if r := ask(f'load {number} {golden}/corpus/{i:04d}.eml'): bad.append(f'{i}: {r}')
            for q, g in zip(rows, got):
                if q['number'] != number: continue
                r = ask(f"search {q['key']} {q['charset']} {q['hex']} {q['header']}")
                if r == ['match 1']: g.append(i)
                elif r != ['match 0']: bad.append(f'{q}: {r}')
    p.stdin.close()
    if p.wait(): bad.append(f'msgparse ended with {p.returncode}')
    diffs = {}
    for q, g in zip(rows, got):
        want = set(q['found']) - SKIP
        if want != set(g):
            name = ' '.join(str(q[k]) for k in ('number', 'charset', 'key', 'header', 'hex'))
            diffs[name] = {'missing': sorted(want - set(g)), 'extra': sorted(set(g) - want)}
    file = os.path.join(golden, 'search-differences.json')
    if '--write' in sys.argv:
        lines = ',\n'.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in diffs.items())
        with open(file, 'w') as f: f.write('{\n' + lines + '\n}\n')
        return 0
    known = json.load(open(file))
    for k in sorted(set(known) | set(diffs)):
        if known.get(k) != diffs.get(k): bad.append(f'{k}: intended {known.get(k)}, got {diffs.get(k)}')
    print('\n'.join(bad)); print(f'{len(rows)} searches, {len(diffs)} intended differences, {len(bad)} others')
    return 1 if bad or len(rows) < 400 else 0

sys.exit(main())
