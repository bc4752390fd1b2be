#!/usr/bin/env python3
"""check_upload - the verdict on every message of golden/corpus-bad, and what is stored of it, in three configurations.

Runs ./msgparse over the messages as APPEND would, in pieces of different sizes. Literal8 uploads with binary parts are
converted to base64 behind the checks (spec/mailbox.md 7.1); only the verdict is compared for them."""
import json, os, subprocess, sys

here = os.path.join(os.environ.get('srcdir', '.'), 'cunit/golden/corpus-bad')
CONFIG = {'default': (0, 1), 'reject8bit': (1, 1), 'munge8bit-off': (0, 0)}
CONVERTED = {'0011.eml', '0012.eml'}

def main():
    p = subprocess.Popen(['./msgparse'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    bad = []; n = 0
    for row in json.load(open(os.path.join(here, 'replies.json'))):
        file = os.path.join(here, row['file'])
        reject, munge = CONFIG[row['config']]
        data = open(file, 'rb').read()
        for kind, binary in (('literal', 0), ('literal8', 1)):
            r = row['append'][kind]
            for step in (1, 7, 1 << 20):
                p.stdin.write(f'check {binary} {reject} {munge} {step} {file}\n'); p.stdin.flush()
                got = {}
                while (l := p.stdout.readline().rstrip('\n')) != '.':
                    if not l and p.poll() is not None: raise SystemExit('msgparse died at ' + file)
                    k, _, v = l.partition(' '); got[k] = v
                n += 1
                want = 'Completed' if r['reply'].startswith('OK') else r['reply'][3:]
                where = f"{row['server']} {row['config']} {kind} step {step} {row['file']} {row['name']}"
                if got.get('verdict') != want: bad.append(f"{where}: expected {want}, got {got}")
                if not r['stored'] or (binary and row['file'] in CONVERTED): continue
                s = r['stored']
                text = data if s == 'same' else s['text'].encode('latin1')
                if bytes.fromhex(got['stored']) != text: bad.append(f'{where}: stored differs')
    p.stdin.close()
    if p.wait(): bad.append(f'msgparse ended with {p.returncode}')
    print('\n'.join(bad)); print(f'{n} uploads, {len(bad)} differences')
    return 1 if bad or n != 49 * 6 * 2 * 3 else 0

sys.exit(main())
