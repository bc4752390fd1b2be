#!/usr/bin/env python3
"""list.py - LIST and LSUB on servers of different sizes, for our server and, when they are there, Debian's Cyrus and Dovecot; one
run, one table.

  list.py [--builddir DIR] [--cyrus-root DIR] [--sizes 1000,10000,...] [--own 10,1000,...] [--rounds N] [--conf LINE]

On a server with SIZE mailboxes (users with ten each, and twenty shared ones for a group that nobody here is in) some users own as
many as --own says. Cyrus and ours get the same mailbox list, byte for byte, and the same imapd.conf. The mailboxes of those users
are real; of the others the list is all there is, which LIST does not notice. Dovecot (maildir, LAYOUT=fs) gets the directories of
the users that ask, up to --dovecot-all mailboxes also those of all others; it never looks at them. Needs root, like bench.py. Of
each row the best round counts; a ratio above 1 means that ours is faster."""
import argparse, os, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'tests')]
sys.dont_write_bytecode = True
from bench import TAG, Cyrus, Dovecot, Imap                             # noqa: E402

FOLDERS = 50                                       # of the first level; the others lie below them


def own_names(count):
    """Below the INBOX of a user who owns `count` mailboxes."""
    tops = min(FOLDERS, max(1, (count - 1) // 4))
    return ['f%02d' % n for n in range(tops)] + ['f%02d/folder%05d' % (n % tops, n) for n in range(count - 1 - tops)]


def dump(size, own):
    """JSON for ctl_mboxlist -u: the mailboxes of everybody who does not ask."""
    serial = 0

    def entry(name, who, rights):
        nonlocal serial
        serial += 1
        return (f'"{name}": {{"name": "{name}", "mtime": 1700000000, "uidvalidity": {serial}, "createdmodseq": 1, '
                f'"foldermodseq": 1, "mbtype": "e", '
                f'"partition": "default", "acl": {{"{who}": "{rights}"}}, "uniqueid": "bench{serial:019d}", "name_history": []}}')
    out = []
    for user in range(max(0, size - 20 - sum(own)) // 10):
        who = 'u%07d' % user
        out += [entry(f'user.{who}{box}', who, 'lrswipkxtecdan') for box in [''] + ['.box%d' % n for n in range(9)]]
    return '{\n' + ',\n'.join(out) + '\n}\n'


def first_list(text):
    """-> prepare() for the first Cyrus: makes the list; for the second: copies it."""
    from instance import program
    kept = []

    def prepare(instance):
        path = instance.path('conf/mailboxes.db')
        if not kept:
            subprocess.run([program('ctl_mboxlist'), '-C', instance.path('imapd.conf'), '-u'], input=text, text=True, check=True,
                           env=instance.env)
            with open(path, 'rb') as f:
                kept.append(f.read())
        else:
            with open(path, 'wb') as f:
                f.write(kept[0])
    return prepare


def fill(server, user, count):
    """The user's mailboxes, through the server, and ten subscriptions."""
    c = Imap(server.ports['imap'], user)
    names = own_names(count)
    if server.name == 'dovecot':
        home = os.path.join(server.root, 'home', user, 'Maildir')
        who = os.stat(os.path.join(server.root, 'home'))
        for name in names:
            for d in ('cur', 'new', 'tmp'):
                os.makedirs(os.path.join(home, name, d), exist_ok=True)
        subprocess.run(['chown', '-R', f'{who.st_uid}:{who.st_gid}', os.path.join(server.root, 'home', user)], check=True)
    else:
        for at in range(0, len(names), 200):
            c.s.sendall(b''.join(b'%s CREATE %s\r\n' % (TAG, n.encode()) for n in names[at:at + 200]))
            c.answers(len(names[at:at + 200]))
    for name in ['INBOX'] + names[:9]:
        c.do(b'SUBSCRIBE ' + name.encode())
    c.close()


def fill_shared(server):
    c = Imap(server.ports['imap'], 'admin')
    for n in range(20):
        c.do(b'CREATE news%02d' % n)
        c.do(b'SETACL news%02d group:staff lrs' % n)
        c.do(b'SETACL news%02d anyone ""' % n)
    c.close()


def fill_others(server, size, own):
    """Directories of everybody else, for Dovecot."""
    for user in range(max(0, size - 20 - sum(own)) // 10):
        for box in [''] + ['box%d' % b for b in range(9)]:
            for d in ('cur', 'new', 'tmp'):
                os.makedirs(os.path.join(server.root, 'home', 'u%07d' % user, 'Maildir', box, d), exist_ok=True)


ROWS = [                                           # name, command, commands in a round by the number of mailboxes told
    ('list *', b'LIST "" "*"'),
    ('list %', b'LIST "" "%"'),
    ('list f00/%', b'LIST "" "f00/%"'),
    ('status', b'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))'),
    ('lsub', b'LSUB "" "*"'),
]
ADMIN_ROWS = [('list *', b'LIST "" "*"'), ('list %', b'LIST "" "%"'), ('user/%', b'LIST "" "user/%"')]


def timed(server, user, command, rounds):
    """ms for one command: the best round, each of as many commands as take a while. And how many lines came."""
    c = Imap(server.ports['imap'], user)
    start = time.perf_counter()
    lines = c.do(command).count(b'\r\n* ') + 1
    once = time.perf_counter() - start
    times = max(1, min(200, int(0.15 / once)))
    best = once
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            c.do(command)
        best = min(best, (time.perf_counter() - start) / times)
    c.close()
    return best * 1000, lines


def one_size(size, args):
    own = [n for n in args.own if n < size]
    users = ['own%d' % n for n in own]
    prepare = first_list(dump(size, own))
    servers = []
    try:
        servers.append(Cyrus('cambyses', None, args.conf, prepare, users))
        if os.path.exists(os.path.join(args.cyrus_root, 'usr/lib/cyrus/bin/imapd')):
            servers.append(Cyrus('cyrus', args.cyrus_root, args.conf, prepare, users))
        if os.path.exists('/usr/sbin/dovecot'):
            servers.append(Dovecot())
        for s in servers:
            if s.name != 'dovecot':
                fill_shared(s)
            for user, n in zip(users, own):
                fill(s, user, n)
            if s.name == 'dovecot' and size <= args.dovecot_all:
                fill_others(s, size, own)
        print(f'\n{size} mailboxes on the server; ms for one command, best of {args.rounds} rounds')
        print(f'{"user":<10}{"command":<12}{"lines":>8}' + ''.join(f'{s.name:>12}' for s in servers)
              + ''.join(f'{"/ " + s.name:>11}' for s in servers[1:]))
        for user, rows in [(u, ROWS) for u in users] + [('admin', ADMIN_ROWS)]:
            for name, command in rows:
                asked = [s for s in servers if user != 'admin' or s.name != 'dovecot']
                got = [timed(s, user, command, args.rounds) for s in asked]
                if user != 'admin' and len({lines for _, lines in got[:2]}) != 1:
                    print(f'  they differ in what they tell: {[lines for _, lines in got]}')
                print(f'{user:<10}{name:<12}{got[0][1]:>8}' + ''.join(f'{ms:12.3f}' for ms, _ in got)
                      + ' ' * 12 * (len(servers) - len(got)) +
                      ''.join(f'{ms / got[0][0]:11.2f}' for ms, _ in got[1:]), flush=True)
    finally:
        for s in servers:
            s.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--builddir', default=os.environ.get('builddir', '.'))
    p.add_argument('--cyrus-root', default='/')
    p.add_argument('--sizes', default='1000,10000')
    p.add_argument('--own', default='10,1000,10000')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--conf', default='', help='a line of imapd.conf for Cyrus and ours')
    p.add_argument('--dovecot-all', type=int, default=10000)
    args = p.parse_args()
    if os.geteuid():
        sys.exit('list.py: needs root: the servers run under accounts of their own')
    os.environ['builddir'] = os.path.abspath(args.builddir)
    args.own = [int(n) for n in args.own.split(',')]
    for size in args.sizes.split(','):
        one_size(int(size), args)


if __name__ == '__main__':
    main()
