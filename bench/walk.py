#!/usr/bin/env python3
"""The walk of the store against find(1) on a spool: time with a warm and, as root, a cold cache; system calls for each entry.

A spool of --dirs mailbox directories, each with cyrus.header, cyrus.index, cyrus.cache and --messages message files, is made
below
--dir (default: the temporary directory) and removed again. Each row is the best of --rounds rounds, taken in turns."""
import argparse, os, re, shutil, subprocess, sys, tempfile, time


def make(root, dirs, messages):
    names = ['cyrus.header', 'cyrus.index', 'cyrus.cache'] + [f'{n}.' for n in range(1, messages + 1)]
    made = 0
    for user in range(dirs):
        base = f'{root}/user/u{user:05d}'
        for box in ('', '/Drafts', '/Sent', '/Trash', '/lists', '/lists/one', '/lists/two', '/work', '/work/now', '/work/old'):
            if made == dirs:
                return
            os.makedirs(base + box)
            for name in names:
                os.mknod(f'{base}{box}/{name}', 0o100600)
            made += 1


def timed(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def cold():
    os.sync()
    with open('/proc/sys/vm/drop_caches', 'w') as f:
        f.write('3')


def calls(command):
    """System calls of a whole run, by strace; None where there is none."""
    if not shutil.which('strace'):
        return None
    with tempfile.NamedTemporaryFile('r') as f:
        if subprocess.run(['strace', '-f', '-c', '-o', f.name] + command, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            return None
        m = re.search(r'^\s*100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s+(?:\d+\s+)?total', f.read(), re.M)
        return int(m.group(1)) if m else None


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--builddir', default=os.environ.get('builddir', '.'))
    p.add_argument('--dir')
    p.add_argument('--dirs', type=int, default=100000)
    p.add_argument('--messages', type=int, default=0)
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--cold', action='store_true', help='drop the caches of the machine before some runs (root)')
    args = p.parse_args()
    walk = os.path.join(os.path.abspath(args.builddir), 'bench_walk')
    root = tempfile.mkdtemp(prefix='bench-walk-', dir=args.dir)
    try:
        make(root, args.dirs, args.messages)
        rows = {'find': ['find', root], 'walk': [walk, root], 'find, lstat': ['find', root, '-printf', '%s %T@ %p\\n'],
                'walk, lstat': [walk, '-s', root]}
        dirs, entries = map(int, subprocess.run([walk, root], check=True, capture_output=True, text=True).stdout.split()[:2])
        print(f'{dirs} directories, {entries} entries; best of {args.rounds} rounds')
        print(f'{"":<13}{"warm ms":>9}{"cold ms":>9}{"calls":>9}{"an entry":>10}')
        for name, command in rows.items():
            timed(command)
        warm, chilled = {}, {}
        for _ in range(args.rounds):
            for name, command in rows.items():
                warm[name] = min(timed(command), warm.get(name, 1e9))
        for _ in range(min(2, args.rounds) if args.cold else 0):
            for name, command in rows.items():
                cold()
                chilled[name] = min(timed(command), chilled.get(name, 1e9))
        for name, command in rows.items():
            n = calls(command)
            print(f'{name:<13}{warm[name] * 1000:9.0f}' + (f'{chilled[name] * 1000:9.0f}' if chilled else f'{"-":>9}') +
                  (f'{n:9d}{n / entries:10.2f}' if n else f'{"-":>9}{"-":>10}'))
        for pair in (('walk', 'find'), ('walk, lstat', 'find, lstat')):
            print(f'{pair[0]} / {pair[1]}: warm {warm[pair[0]] / warm[pair[1]]:.2f}' +
                  (f', cold {chilled[pair[0]] / chilled[pair[1]]:.2f}' if chilled else ''))
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
