#!/usr/bin/env python3
"""db.py - the database engines, ours and, when it is there, Debian's Cyrus: the same work by each one's cyr_dbtool, in one run.

  db.py [--builddir DIR] [--cyrus-root DIR] [--sizes 10000,100000,...] [--engines twoskip,skiplist] [--rounds N]

Whole processes are timed; the row "start" is a process that finds nothing, and is taken off the other rows. put: all records in one
transaction, in random order; commits: one transaction for each record; get: all keys, in random order; foreach: all records; one: one
key of the full file; recover: the first reading after a writer died inside a transaction; again: all records once more, with other values, in 20
transactions. From --copy-from records on Cyrus gets a copy of our file, because making one takes it too long (put, again: ours
alone). The best round counts; a ratio above 1 means that ours is faster. Then the sizes of the files, and the
system calls of "one"."""
import argparse, os, pwd, random, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'tests')]
sys.dont_write_bytecode = True
COMMITS = 500


def value(n, generation):
    """About as long as a record of the mailbox list."""
    return '%%(T e I bench%019d P default V %d C 1 F 1 M 17%08d A %%(user%07d lrswipkxtecdan))' % (n, n + 1, generation, n)


def key(n):
    return 'Nuser.u%07d.box%d' % (n // 10, n % 10)


class Tool:
    def __init__(self, name, path, env, account):
        self.name, self.path = name, path
        self.root = tempfile.mkdtemp(prefix='bench-db-')
        self.env = dict(os.environ, TZ='UTC', **env)
        os.chmod(self.root, 0o755)
        for d in ('conf/db', 'conf/proc', 'conf/lock', 'conf/msg', 'conf/socket', 'spool'):
            os.makedirs(os.path.join(self.root, d))
        with open(self.file('imapd.conf'), 'w') as f:
            f.write(f'configdirectory: {self.root}/conf\npartition-default: {self.root}/spool\ndefaultpartition: default\n')
        if account:
            who = pwd.getpwnam(account)
            for d, _, _ in os.walk(self.root):
                os.chown(d, who.pw_uid, who.pw_gid)
        # as a server that was started: skiplist files of a machine that was not are recovered by everybody who opens them
        subprocess.run([os.path.join(os.path.dirname(path), 'ctl_cyrusdb'), '-C', self.file('imapd.conf'), '-r'], env=self.env, check=True)
        time.sleep(1.1)

    def file(self, name):
        return os.path.join(self.root, name)

    def run(self, engine, *args, options=(), stdin=None, strace=None):
        command = [self.path, '-C', self.file('imapd.conf'), *options, self.file('conf/test.db'), engine, *args]
        if strace:
            command = ['strace', '-f', '-qq', '-o', strace] + command
        with open(stdin or '/dev/null') as f:
            p = subprocess.run(command, stdin=f, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.env, cwd='/')
        if p.returncode and 'damage' not in args:
            sys.exit(f'{self.name}: {args[0]}: {p.returncode} {p.stderr.decode()}')

    def timed(self, *args, **kw):
        start = time.perf_counter()
        self.run(*args, **kw)
        return time.perf_counter() - start

    def drop(self):
        if os.path.exists(self.file('conf/test.db')):
            os.unlink(self.file('conf/test.db'))

    def size(self):
        return os.path.getsize(self.file('conf/test.db'))


def write_lines(path, lines):
    with open(path, 'w') as f:
        f.writelines(line + '\n' for line in lines)
    os.chmod(path, 0o644)


class Work:
    """The input of one size, in files."""

    def __init__(self, size, where):
        self.size = size
        order = list(range(size))
        random.Random(3).shuffle(order)
        self.path = {}
        self.make(where, 'put', (f'{key(n)}\t{value(n, 0)}' for n in order))
        self.make(where, 'get', (key(n) for n in order))
        self.make(where, 'commits', (f'{key(n)}x\t{value(n, 1)}' for n in order[:COMMITS]))
        for part in range(20):
            self.make(where, f'again{part}', (f'{key(n)}\t{value(n, part + 2)}' for n in order[part::20]))

    def make(self, where, name, lines):
        self.path[name] = os.path.join(where, f'{name}.{self.size}')
        write_lines(self.path[name], lines)


def rounds_of(tool, engine, work, copy_of=None):
    """One round -> seconds of each row, sizes of the file. copy_of: the tool whose file it gets."""
    t, sizes = {}, {}
    tool.drop()
    tool.run(engine, 'set', 'k', 'v', options=('-n',))
    t['start'] = min(tool.timed(engine, 'get', 'nothing') for _ in range(5))
    tool.drop()
    if copy_of:
        shutil.copyfile(copy_of.file('conf/full'), tool.file('conf/test.db'))
        shutil.chown(tool.file('conf/test.db'), os.stat(tool.file('conf')).st_uid, os.stat(tool.file('conf')).st_gid)
    else:
        t['put'] = tool.timed(engine, 'set', options=('-n',), stdin=work.path['put'])
        sizes['put'] = tool.size()
        shutil.copyfile(tool.file('conf/test.db'), tool.file('conf/full'))
    t['get'] = tool.timed(engine, 'get', stdin=work.path['get'])
    t['foreach'] = tool.timed(engine, 'show')
    t['one'] = min(tool.timed(engine, 'get', key(work.size // 3)) for _ in range(5))
    t['commits'] = tool.timed(engine, 'set', options=('-t',), stdin=work.path['commits'])
    tool.run(engine, 'damage', 'Ndamage', 'x')
    t['recover'] = tool.timed(engine, 'get', key(1))
    if not copy_of:
        t['again'] = sum(tool.timed(engine, 'set', stdin=work.path[f'again{n}']) for n in range(20))
        sizes['again'] = tool.size()
    for row, processes in (('put', 1), ('get', 1), ('foreach', 1), ('commits', 1), ('recover', 1), ('again', 20)):
        if row in t:
            t[row] = max(t[row] - processes * t['start'], 1e-6)
    return t, sizes


def calls(tool, engine, work):
    """System calls of a process that opens the file and finds one key."""
    trace = os.path.join(tool.root, 'trace')
    tool.run(engine, 'get', key(work.size // 3), strace=trace)
    with open(trace) as f:
        return len(f.read().splitlines())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--builddir', default=os.environ.get('builddir', '.'))
    p.add_argument('--cyrus-root', default='/')
    p.add_argument('--sizes', default='10000,100000')
    p.add_argument('--engines', default='twoskip,skiplist')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--copy-from', type=int, default=200000)
    args = p.parse_args()
    if os.geteuid():
        sys.exit('db.py: needs root: the peer runs under an account of its own')
    os.environ['builddir'] = os.path.abspath(args.builddir)
    from instance import program
    tools = [Tool('cambyses', program('cyr_dbtool'), {'CYRUS_USER': 'root', 'CYRUS_GROUP': 'root'}, None)]
    theirs = os.path.join(args.cyrus_root, 'usr/lib/cyrus/bin/cyr_dbtool')
    if os.path.exists(theirs):
        tools.append(Tool('cyrus', theirs, {'LD_LIBRARY_PATH': os.path.join(args.cyrus_root, 'usr/lib/x86_64-linux-gnu'), 'PERL5LIB': '', 'CYRUS_USER': 'cyrus',
                                            'CYRUS_GROUP': 'mail'}, 'cyrus'))
    where = tempfile.mkdtemp(prefix='bench-db-')
    os.chmod(where, 0o755)
    try:
        for size in (int(s) for s in args.sizes.split(',')):
            work = Work(size, where)
            for engine in args.engines.split(','):
                best, sizes = {}, {}
                for _ in range(args.rounds):
                    for tool in tools:
                        t, sizes[tool.name] = rounds_of(tool, engine, work, tools[0] if tool is not tools[0] and size >= args.copy_from else None)
                        for row, seconds in t.items():
                            best[row, tool.name] = min(seconds, best.get((row, tool.name), seconds))
                print(f'\n{engine}, {size} records of {len(key(0)) + len(value(0, 0))} bytes; best of {args.rounds} rounds, in ms')
                print(f'{"row":<9}' + ''.join(f'{t.name:>12}' for t in tools) + ''.join(f'{"/ " + t.name:>9}' for t in tools[1:]))
                for row in ('start', 'put', 'get', 'foreach', 'one', 'commits', 'recover', 'again'):
                    have = [t for t in tools if (row, t.name) in best]
                    print(f'{row:<9}' + ''.join(f'{best[row, t.name] * 1000:12.1f}' for t in have) + ' ' * 12 * (len(tools) - len(have)) +
                          ''.join(f'{best[row, t.name] / best[row, tools[0].name]:9.2f}' for t in have[1:]))
                for row in ('put', 'again'):
                    print(f'KiB after {row}: ' + ', '.join(f'{t.name} {sizes[t.name][row] // 1024}' for t in tools if row in sizes[t.name]))
                if shutil.which('strace'):
                    print('system calls of "one": ' + ', '.join(f'{t.name} {calls(t, engine, work)}' for t in tools), flush=True)
    finally:
        shutil.rmtree(where, ignore_errors=True)
        for tool in tools:
            shutil.rmtree(tool.root, ignore_errors=True)


if __name__ == '__main__':
    main()
