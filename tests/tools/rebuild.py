#!/usr/bin/env python3
"""The mailbox list as the spool tells it, on the recorded stores: ctl_mboxlist --rebuild makes the list that the reference had,
but for what the spool cannot know; with mboxlist_source: spool users see the same mailboxes though mailboxes.db is gone; damage
is told and passed over. Run in the build directory; exits 1 on a difference."""
import json, os, re, shutil, subprocess, sys, tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import golden
from golden import VERSIONS, fail, run, unpack

COMMANDS = ['LIST "" "*"', 'LIST "" "%"', 'LSUB "" "*"', 'GETACL INBOX', 'STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)',
            'EXAMINE INBOX', 'UID FETCH 1:5 (FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])', 'CLOSE', 'MYRIGHTS INBOX',
            'GETQUOTAROOT INBOX']


def records(root):
    """Name to record, of live mailboxes, without what the spool does not know of them."""
    rc, out, err = run(root, ['ctl_mboxlist', '-d'])
    if rc or err:
        fail(f'dump: {rc} {err}')
    if out.startswith('{'):
        rows = json.loads(out)
        return {k: {f: x for f, x in v.items() if f not in ('mtime', 'name_history', 'foldermodseq')} for k, v in rows.items()
                if 'd' not in v.get('mbtype', '')}
    rows = dict(line.split('\t', 1) for line in out.splitlines())
    return {k: v for k, v in rows.items() if v.split(' ')[0] not in ('16',)}


def rebuild(version, root):
    path, before = f'{root}/conf/mailboxes.db', records(root)
    data = open(path, 'rb').read()
    rc, out, err = run(root, ['ctl_mboxlist', '--rebuild', '-n'])
    told = [x for x in out.splitlines() if '\t' in x]
    if (rc, err, len(told)) != (0, '', len(before)) or open(path, 'rb').read() != data or os.path.exists(path + '.NEW'):
        fail(f'{version}: --rebuild -n: {rc} {err} {len(told)} of {len(before)}')
    rc, out, err = run(root, ['ctl_mboxlist', '--rebuild'])
    after = records(root)
    if (rc, err) != (0, '') or open(path + '.before-rebuild', 'rb').read() != data:
        fail(f'{version}: --rebuild: {rc} {err}')
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            fail(f'{version}: {name}: {before.get(name)} became {after.get(name)}')
    if run(root, ['ctl_mboxlist', '--rebuild'])[0] == 0:
        fail(f'{version}: a second rebuild wrote over the first list that was kept')
    os.rename(path + '.before-rebuild', path)


def session(root, user, commands):
    """The answers to each command, times masked."""
    text = ''.join('%d %s\r\n' % (i, c) for i, c in enumerate(['LOGIN %s pw' % user] + commands + ['LOGOUT']))
    p = subprocess.run(['./imapd', '-X', '-C', root + '/imapd.conf'], input=text.encode(), capture_output=True, timeout=120)
    out = re.sub(r'\d+\.\d+ secs?', '0 secs', p.stdout.decode('latin1'))
    return re.sub(r'SESSIONID=<[^>]*>|HIGHESTMODSEQ \d+', '', out.split('\r\n0 ', 1)[-1])


def source(version, root):
    path = f'{root}/conf/mailboxes.db'
    users = ['alice', 'bob', 'carol', 'admin']
    want = {u: session(root, u, COMMANDS) for u in users}
    if '* LIST' not in want['alice']:
        fail(f'{version}: no list at all: {want["alice"][:300]}')
    os.rename(path, path + '.lost')
    with open(f'{root}/imapd.conf', 'a') as f:
        f.write('\nmboxlist_source: spool\n')
    for u in users:
        got = session(root, u, COMMANDS)
        if got != want[u]:
            first = next((a, b) for a, b in zip(want[u].splitlines() + ['end'], got.splitlines() + ['end']) if a != b)
            fail(f'{version}: {u} sees another list: {first}')
    sep = '/' if version in ('2.5.7-alt', '3.6.1') else '.'
    own = '' if sep == '/' else 'INBOX.'
    before = subprocess.run(['find', root, '-name', 'cyrus.header'], capture_output=True, text=True).stdout
    refused = session(root, 'alice', [f'CREATE {own}Fresh', f'RENAME {own}Flags {own}Flags2', f'DELETE {own}Empty',
                                      'SETACL INBOX bob lrs'])
    for i in range(1, 5):
        if not re.search(r'^%d NO (\[[^]]*\] )?Operation is not supported on mailbox' % i, refused, re.M):
            fail(f'{version}: a change of the list was not refused: {refused}')
    if subprocess.run(['find', root, '-name', 'cyrus.header'], capture_output=True, text=True).stdout != before:
        fail(f'{version}: a refused change left something behind')
    if os.path.exists(path) or [n for n in os.listdir(root + '/conf') if n.endswith('.NEW')]:
        fail(f'{version}: something was written')


def damage(version, root):
    """Headers that are no headers, a copy of a mailbox, links out of the spool: told, and the others are there."""
    before = records(root)
    found = subprocess.run(['find', root, '-name', 'cyrus.header'], capture_output=True, text=True, check=True).stdout.split()
    part = next(x.split(':', 1)[1].strip() for x in open(f'{root}/imapd.conf') if x.startswith('partition-default:'))
    found = [x for x in found if x.startswith(part + '/')]
    first = sorted(found)[0]
    open(first, 'w').write('x')
    copy = os.path.dirname(sorted(found)[1])
    shutil.copytree(copy, copy + 'copy')
    os.symlink('/sys', part + '/sys')
    os.symlink('..', part + '/loop')
    rc, out, err = run(root, ['ctl_mboxlist', '--rebuild', '-n'])
    told = [x for x in out.splitlines() if '\t' in x]
    odd = [x for x in out.splitlines() if x.startswith('! ')]
    if (rc, err) != (0, '') or len(told) not in (len(before) - 1, len(before)) or not any('cannot be read' in x for x in odd) \
            or not any(('second directory' in x or 'another mailbox' in x or 'no mailbox name' in x) and 'copy' in x for x
                       in odd):
        fail(f'{version}: damage: {rc} {err} {len(told)} of {len(before)}: {odd}')


golden.as_ourselves()
for version in VERSIONS:
    root = tempfile.mkdtemp(prefix='tools-rebuild.')
    try:
        unpack(version, root)
        rebuild(version, root)
        source(version, root)
    finally:
        shutil.rmtree(root)
    root = tempfile.mkdtemp(prefix='tools-rebuild.')
    try:
        unpack(version, root)
        damage(version, root)
    finally:
        shutil.rmtree(root)
sys.exit(golden.bad != 0)
