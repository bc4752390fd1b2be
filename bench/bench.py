#!/usr/bin/env python3
"""bench.py - the same work for our server and, when they are there, Debian's Cyrus and Dovecot; prints times and ratios of one
run.

  bench.py [--builddir DIR] [--cyrus-root DIR] [--messages N] [--mailboxes N] [--rounds N] [--only ROW,...]

Debian's Cyrus is taken from where its packages were unpacked (dpkg-deb -x; it excludes Dovecot when installed), by default from
"/". Needs root, because the peers insist on accounts of their own. Each server has a store of its own on the same file system;
the rows run in turn, server by server, round by round; of each the best round counts. A ratio above 1 means that ours is
faster."""
import argparse, os, pwd, shutil, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests'))
sys.dont_write_bytecode = True
TAG = b'bEnCh7'
BODY = b''.join(b'line %03d of a message of the usual size, neither long nor short, and quite plain\r\n' % n for n in range(45))


def message(n):
    return (b'Return-Path: <sender@example.com>\r\nReceived: from a.example (a.example [192.0.2.1]) by b.example; Mon, 1 Jan '
            b'2024 10:00:00 +0000\r\n'
            b'From: "A. Sender" <sender@example.com>\r\nTo: reader@example.com, Other <other@example.com>\r\n'
            b'Subject: message number %d\r\n'
            b'Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <%d.%d@example.com>\r\nMIME-Version: 1.0\r\n'
            b'Content-Type: text/plain; charset=utf-8\r\n\r\n' % (n, n, time.monotonic_ns())) + BODY


class Imap:
    """Just enough of a client to be no part of what is measured."""

    def __init__(self, port, user):
        self.s = socket.create_connection(('127.0.0.1', port), 120)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        greeting = self.s.recv(4096)
        assert greeting.startswith(b'* OK'), greeting
        self.do(b'LOGIN %s pw' % user.encode())

    def do(self, command):
        self.s.sendall(TAG + b' ' + command + b'\r\n')
        return self.answers(1)

    def answers(self, count):
        """Reads until as many tagged answers have come; returns the bytes of the last read ones."""
        data, seen, at = bytearray(), 0, 0
        while True:
            got = self.s.recv(1 << 18)
            assert got, 'the server hung up'
            data += got
            while True:
                i = data.find(TAG, at)
                end = data.find(b'\r\n', i) if i >= 0 else -1
                if end < 0:
                    at = i if i >= 0 else max(0, len(data) - len(TAG))
                    break
                assert data[i + len(TAG) + 1:i + len(TAG) + 3] == b'OK', bytes(data[i:end])
                seen, at = seen + 1, end
                if seen == count:
                    return data

    def close(self):
        self.do(b'LOGOUT')
        self.s.close()


def lmtp(port, rcpts, messages):
    s = socket.create_connection(('127.0.0.1', port), 120)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    f = s.makefile('rb')

    def want(code, count=1):
        while count:
            line = f.readline()
            assert line.startswith(code), line
            count -= line[3:4] != b'-'
    want(b'220')
    s.sendall(b'LHLO bench.example\r\n')
    want(b'250')
    for m in messages:
        s.sendall(b'MAIL FROM:<sender@example.com>\r\n')
        want(b'250')
        for r in rcpts:
            s.sendall(b'RCPT TO:<%s>\r\n' % r.encode())
            want(b'250')
        s.sendall(b'DATA\r\n')
        want(b'354')
        s.sendall(m + b'.\r\n')
        want(b'250', len(rcpts))
    s.sendall(b'QUIT\r\n')
    want(b'221')
    s.close()


class Server:
    """name; ports = {'imap', 'lmtp'}; users() made ready by start()."""
    sep = '/'

    def make(self, args):
        """Mailboxes and messages that the rows read."""
        c = Imap(self.ports['imap'], 'alice')
        c.do(b'CREATE Big')
        for at in range(0, args.messages, 100):
            n = min(100, args.messages - at)
            c.s.sendall(b''.join(append_command(b'Big', message(at + i)) for i in range(n)))
            c.answers(n)
        c.close()
        c = Imap(self.ports['imap'], 'bob')
        for at in range(0, args.mailboxes, 100):
            n = min(100, args.mailboxes - at)
            c.s.sendall(b''.join(b'%s CREATE f%02d/folder%04d\r\n' % (TAG, (at + i) % 50, at + i) for i in range(n)))
            c.answers(n)
        c.close()


def append_command(mailbox, data):
    return b'%s APPEND %s {%d+}\r\n%s\r\n' % (TAG, mailbox, len(data), data)


class Cyrus(Server):
    """Ours or Debian's: the same files, other programs."""

    def __init__(self, name, root=None, conf='', prepare=None, users=('alice', 'bob')):
        """prepare(instance): what is to be done before the start."""
        from instance import Instance
        self.name = name
        self.i = Instance('unixhierarchysep: yes\naltnamespace: yes\n' + conf, services=('imap', 'lmtp'),
                          users=('admin',) + tuple(users))
        if prepare:
            prepare(self.i)
        self.bin, env = None, None
        if root:
            self.bin = os.path.join(root, 'usr/lib/cyrus/bin')
            env = {'LD_LIBRARY_PATH': os.path.join(root, 'usr/lib/x86_64-linux-gnu'), 'PERL5LIB': '', 'CYRUS_USER': 'cyrus',
                   'CYRUS_GROUP': 'mail'}
            os.chmod(self.i.root, 0o755)
            for d in ('conf/db', 'conf/proc', 'conf/lock', 'conf/msg', 'conf/socket', 'conf/log', 'spool/stage.'):
                os.makedirs(self.i.path(d), exist_ok=True)
            for d in ('conf', 'spool'):
                subprocess.run(['chown', '-R', 'cyrus', self.i.path(d)], check=True)
        self.i.start(self.bin, env, patience=600)
        self.ports = self.i.ports
        c = Imap(self.ports['imap'], 'admin')
        for user in users:
            c.do(b'CREATE user/%s' % user.encode())
        c.close()

    def close(self):
        self.i.close()


class Dovecot(Server):
    name = 'dovecot'

    def __init__(self):
        import dovecot
        import tempfile
        self.root = tempfile.mkdtemp(prefix='bench-')
        os.chmod(self.root, 0o755)
        os.makedirs(os.path.join(self.root, 'home'))
        who = pwd.getpwnam('cyrus') if has_account('cyrus') else pwd.getpwnam('mail')
        os.chown(os.path.join(self.root, 'home'), who.pw_uid, who.pw_gid)
        self.master, self.ports = dovecot.start(self.root, who, 'maildir:~/Maildir:LAYOUT=fs', self.root + '/home/%u', lmtp=True)

    def close(self):
        self.master.terminate()
        self.master.wait(30)
        shutil.rmtree(self.root, ignore_errors=True)


def has_account(name):
    return any(p.pw_name == name for p in pwd.getpwall())


def row_login(s, args):
    for _ in range(40):
        Imap(s.ports['imap'], 'alice').close()


def row_lmtp(s, args):
    lmtp(s.ports['lmtp'], ['alice'], [message(n) for n in range(200)])


def row_lmtp2(s, args):
    lmtp(s.ports['lmtp'], ['alice', 'bob'], [message(n) for n in range(100)])


def session(user, *before):
    def wrap(f):
        def row(s, args):
            c = Imap(s.ports['imap'], user)
            for command in before:
                c.do(command)
            start = time.perf_counter()
            f(c, args)
            took = time.perf_counter() - start
            c.close()
            return took
        return row
    return wrap


@session('alice')
def row_append(c, args):
    for n in range(200):
        c.s.sendall(append_command(b'INBOX', message(n)))
        c.answers(1)


@session('alice')
def row_select(c, args):
    for _ in range(200):
        c.do(b'SELECT Big')
        c.do(b'SELECT INBOX')


@session('alice')
def row_status(c, args):
    for _ in range(500):
        c.do(b'STATUS Big (MESSAGES UNSEEN UIDNEXT)')


def fetch(items, times):
    @session('alice', b'EXAMINE Big')
    def row(c, args):
        for _ in range(times):
            c.do(b'FETCH 1:* ' + items)
    return row


@session('alice', b'SELECT Big')
def row_store(c, args):
    for sign in (b'+', b'-') * 5:
        c.do(b'STORE 1:* ' + sign + b'FLAGS.SILENT (\\Flagged)')


@session('alice', b'EXAMINE Big')
def row_search(c, args):
    for _ in range(5):
        c.do(b'SEARCH SUBJECT "number 77"')


@session('bob')
def row_list(c, args):
    for _ in range(5):
        c.do(b'LIST "" "*"')


@session('alice')
def row_list_few(c, args):
    for _ in range(200):
        c.do(b'LIST "" "*"')


@session('bob')
def row_list_levels(c, args):
    for _ in range(20):
        c.do(b'LIST "" "%"')


@session('bob')
def row_list_one(c, args):
    for _ in range(500):
        c.do(b'LIST "" "INBOX"')


@session('bob', b'SUBSCRIBE INBOX')
def row_lsub(c, args):
    for _ in range(200):
        c.do(b'LSUB "" "*"')


@session('bob')
def row_list_status(c, args):
    for _ in range(3):
        c.do(b'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))')


ROWS = [
    ('login', 'connect, LOGIN and LOGOUT, 40 times', row_login),
    ('lmtp', '200 deliveries over LMTP, one recipient', row_lmtp),
    ('lmtp2', '100 deliveries over LMTP, two recipients', row_lmtp2),
    ('append', '200 APPENDs', row_append),
    ('select', 'SELECT of the big mailbox and of another, 200 times', row_select),
    ('status', 'STATUS of the big mailbox, 500 times', row_status),
    ('flags', 'FETCH 1:* FLAGS, 10 times', fetch(b'FLAGS', 10)),
    ('envelope', 'FETCH 1:* ENVELOPE, 5 times', fetch(b'ENVELOPE', 5)),
    ('structure', 'FETCH 1:* BODYSTRUCTURE, 5 times', fetch(b'BODYSTRUCTURE', 5)),
    ('headers', 'FETCH 1:* of four header fields, 5 times', fetch(b'BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]', 5)),
    ('bodies', 'FETCH 1:* BODY.PEEK[], 2 times', fetch(b'BODY.PEEK[]', 2)),
    ('search', 'SEARCH SUBJECT, 5 times', row_search),
    ('store', 'STORE 1:* of one flag, 10 times', row_store),
    ('list', 'LIST "" "*" over all mailboxes, 5 times', row_list),
    ('listfew', 'LIST "" "*" by a user with few, 200 times', row_list_few),
    ('levels', 'LIST "" "%" over all mailboxes, 20 times', row_list_levels),
    ('listone', 'LIST "" "INBOX" by the user with many, 500 times', row_list_one),
    ('lsub', 'LSUB "" "*" of one subscription, 200 times', row_lsub),
    ('liststatus', 'LIST "" "*" RETURN (STATUS ...) over all mailboxes, 3 times', row_list_status),
]


def timed(row, server, args):
    start = time.perf_counter()
    took = row(server, args)
    return took if took is not None else time.perf_counter() - start


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--builddir', default=os.environ.get('builddir', '.'))
    p.add_argument('--cyrus-root', default='/')
    p.add_argument('--messages', type=int, default=2000)
    p.add_argument('--mailboxes', type=int, default=10000)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--only', default='')
    args = p.parse_args()
    if os.geteuid():
        sys.exit('bench.py: needs root: the servers run under accounts of their own')
    os.environ['builddir'] = os.path.abspath(args.builddir)
    rows = [r for r in ROWS if not args.only or r[0] in args.only.split(',')]
    made = []
    try:
        made.append(Cyrus('cambyses'))
        for program, make, name in ((os.path.join(args.cyrus_root, 'usr/lib/cyrus/bin/imapd'),
                                     lambda: Cyrus('cyrus', args.cyrus_root), 'Cyrus'),
                                    ('/usr/sbin/dovecot', Dovecot, 'Dovecot')):
            if os.path.exists(program):
                made.append(make())
            else:
                print(f'{name} is not installed: no column for it')
        if not any(r[0] != 'list' for r in rows):
            args.messages = 0
        if not any(r[0] == 'list' for r in rows):
            args.mailboxes = 0
        for s in made:
            start = time.perf_counter()
            s.make(args)
            print(f'{s.name}: {args.messages} messages and {args.mailboxes} mailboxes made in '
                  f'{time.perf_counter() - start:.1f} s', flush=True)
        best = {}
        for _ in range(args.rounds):
            for name, _, row in rows:
                for s in made:
                    took = timed(row, s, args)
                    best[name, s.name] = min(took, best.get((name, s.name), took))
        print(f'\n{args.messages} messages of {len(message(1))} bytes, {args.mailboxes} mailboxes; best of {args.rounds} '
              f'rounds, in ms; ratio above 1: ours is faster')
        print(f'{"row":<11}' + ''.join(f'{s.name:>12}' for s in made) + ''.join(f'{"/ " + s.name:>11}' for s in made[1:])
              + '  what')
        for name, what, _ in rows:
            ours = best[name, made[0].name]
            print(f'{name:<11}' + ''.join(f'{best[name, s.name] * 1000:12.1f}' for s in made) +
                  ''.join(f'{best[name, s.name] / ours:11.2f}' for s in made[1:]) + '  ' + what)
    finally:
        for s in made:
            s.close()


if __name__ == '__main__':
    main()
