#!/usr/bin/env python3
"""The tools over single tables, on the recorded stores and on small ones: what they print, what they change and what they leave
alone, and their exit codes. Run in the build directory; exits 1 on a difference."""
import fcntl, json, lzma, os, re, shutil, struct, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import golden
from golden import GOLDEN, VERSIONS, fail, run, unpack

SEEN = {'2.5.7': ('user.bob', 'b/bob.seen'), '3.6.1-alt': ('user.bob', 'E/bob.seen')}


def want(what, got, wanted):
    if got != wanted:
        fail(f'{what}: got {got!r}, wanted {wanted!r}')


def recorded(version, argv):
    for line in lzma.open(f'{GOLDEN}/expect-{version}/tools.jsonl.xz', 'rt'):
        o = json.loads(line)
        if o['argv'] == argv:
            return o['rc'], o['stdout'], o['stderr']
    raise KeyError(argv)


def show(root, file, engine, prefix=''):
    rc, out, err = run(root, ['cyr_dbtool', f'{root}/conf/{file}', engine, 'show', prefix])
    if rc or err:
        fail(f'{file}: {rc} {err}')
    return out


# ---- ctl_deliver, tls_prune

def deliver(version, root):
    now = lambda t: re.sub('it is NOW: .*', 'it is NOW: T', t)
    rc, out, err = run(root, ['ctl_deliver', '-d'])
    want(f'{version}: ctl_deliver -d', (rc, now(out), err),
         tuple(now(x) if i == 1 else x for i, x in enumerate(recorded(version, ['ctl_deliver', '-d']))))
    n = int(re.search('got (\\d+) entries', out).group(1))
    want('-f', run(root, ['ctl_deliver', '-d', '-f', root + '/conf/deliver.db'])[1].splitlines()[1:], out.splitlines()[1:])
    want('-f nowhere', run(root, ['ctl_deliver', '-d', '-f', root + '/nowhere']),
         (1, '', 'ctl_deliver: unable to init duplicate delivery database\n'))
    want('nothing was made', os.path.exists(root + '/nowhere'), False)
    days = int((time.time() - 1795280000) // 86400) + 10
    want('-E keeps', (run(root, ['ctl_deliver', '-E', str(days)]), run(root, ['ctl_deliver', '-d'])[1].splitlines()[-1]),
         ((0, '', ''), f'got {n} entries'))
    subprocess.run(['imap/tools/cyr_dbtool', '-C', root + '/imapd.conf', root + '/conf/deliver.db', 'twoskip', 'set', 'not a key',
                    'x'], check=True)
    run(root, ['ctl_deliver', '-E', str(days)])
    want('a bad record goes', run(root, ['ctl_deliver', '-d'])[1].splitlines()[-1], f'got {n} entries')
    if time.time() > 1795893654 + 86400:                       # the vacation answer's, which is in the future of its store
        run(root, ['ctl_deliver', '-E', '0'])
        want('-E 0', run(root, ['ctl_deliver', '-d'])[1].splitlines()[-1], 'got 0 entries')
    for args in ([], ['-d', 'x'], ['-E', 'x'], ['-d', '-E', '1'], ['-Q']):
        want(f'ctl_deliver {args}', run(root, ['ctl_deliver', *args])[0], 255)
    want('-r', run(root, ['ctl_deliver', '-r'])[0], 1)


def tls(root):
    file = root + '/conf/tls_sessions.db'
    want('tls_prune without a file', (run(root, ['tls_prune']), os.path.exists(file)), ((0, '', ''), False))
    rows = {b'old': struct.pack('<q', 1000) + b'\x30\x03\x02\x01\x05',
            b'live': struct.pack('<q', 1 << 40) + b'\x30\x03\x02\x01\x05', b'bad': b'x',
            b'cut': struct.pack('<q', 1 << 40) + b'\x30\x09\x02'}
    batch = b''.join(b'SET %s {%d+}\r\n%s\n' % (k, len(v), v) for k, v in rows.items())
    p = subprocess.run(['imap/tools/cyr_dbtool', '-C', root + '/imapd.conf', '-n', file, 'twoskip', 'batch'], input=batch,
                       capture_output=True)
    want('batch', (p.returncode, p.stderr), (0, b''))
    want('tls_prune', run(root, ['tls_prune']), (0, '', ''))
    want('what is left', show(root, 'tls_sessions.db', 'twoskip').split('\t')[0], 'live')
    want('only one', len(show(root, 'tls_sessions.db', 'twoskip').splitlines()), 1)
    want('tls_prune -x', run(root, ['tls_prune', '-x'])[0], 255)
    open(file, 'wb').write(b'no database at all, of any engine that is known')
    want('damage', run(root, ['tls_prune'])[0], 75)


# ---- cyr_deny

def deny(version, root):
    want(f'{version}: cyr_deny -l', run(root, ['cyr_deny', '-l']), recorded(version, ['cyr_deny', '-l']))
    file = root + '/conf/user_deny.db'
    before = open(file, 'rb').read()
    want('deny', run(root, ['cyr_deny', '-s', 'imap', '-m', 'go away', 'xena']), (0, '', ''))
    want('all', run(root, ['cyr_deny', 'yan']), (0, '', ''))
    want('the file', open(file, 'rb').read(), before
         + b'xena\t2\xff\x89imap\xff\x89go away\nyan\t2\xff\x89*\xff\x89Access to this service has been blocked\n')
    for name in ('xena', 'yan', 'nobody'):
        want('allow ' + name, run(root, ['cyr_deny', '-a', name]), (0, '', ''))
    want('as before', open(file, 'rb').read(), before)
    for args in ([], ['a', 'b'], ['-l', 'x'], ['-l', '-a', 'x'], ['-a'], ['-a', 'x', '-m', 'y'], ['-l', '-s', 'imap'], ['-Z'],
                 ['a\nb'], [''],
                 ['-s', 'a\tb', 'x'], ['-m', 'a\nb', 'x']):
        want(f'cyr_deny {args}', run(root, ['cyr_deny', *args])[0], 64)
    want('as before', open(file, 'rb').read(), before)
    with open(file, 'a') as f:                                  # by hand, and of another version
        f.write('zed\t2\timap\tby hand\nzz\t9\timap\n')
    rc, out, err = run(root, ['cyr_deny', '-l'])
    want('by hand', (rc, out.splitlines()[-1], err),
         (0, 'zed                            imap                 by hand', 'cyr_deny: zz: the record cannot be read\n'))
    os.unlink(file)
    want('no file', run(root, ['cyr_deny', '-l']), (0, 'Username                       Service(s)           Message\n', ''))
    want('no file, allow', (run(root, ['cyr_deny', '-a', 'x'])[0], os.path.exists(file)), (0, False))
    run(root, ['cyr_deny', 'fresh'])
    want('made', show(root, 'user_deny.db', 'flat'), 'fresh\t2\t*\tAccess to this service has been blocked\n')


# ---- cyr_userseen

def userseen(version, root):
    names = [m for m in re.findall(r'^"?((?:DELETED\.)?(?:[a-z.]+!)?(?:DELETED\.)?user\.[^"\t]*)',
                                   run(root, ['ctl_mboxlist', '-d'])[1], re.M)]
    rc, out, err = run(root, ['cyr_userseen'])
    told = re.findall(r'^removing seen for (\S+) on (.*)$', out, re.M)
    if (rc, err) != (0, '') or not told or len(told) != len(out.splitlines()) or not {m for _, m in told} <= set(names):
        fail(f'{version}: cyr_userseen: {rc} {err} {len(told)}')
    if ('alice', 'user.alice') not in told or [m for _, m in told if m.startswith('shared')]:
        fail(f'{version}: cyr_userseen: {told[:5]}')
    if version in SEEN:
        mailbox, file = SEEN[version]
        file = 'user/' + file
        before = show(root, file, 'twoskip')
        idrow = next(x for x in run(root, ['ctl_mboxlist', '-d', '--full'])[1].splitlines() if x.startswith('"%s":' % mailbox))
        uid = re.search('"uniqueid": "([^"]*)"', idrow).group(1)
        run(root, ['cyr_dbtool', f'{root}/conf/{file}', 'twoskip', 'set', uid, '1 1 1 1 1'])
        want('a look changes nothing', (run(root, ['cyr_userseen'])[0], len(show(root, file, 'twoskip').splitlines())),
             (0, len(before.splitlines()) + 1))
        files = sorted(os.listdir(os.path.dirname(f'{root}/conf/{file}')))
        want('-d', run(root, ['cyr_userseen', '-d']), (0, out, ''))
        want('the owner\'s row is gone, the others stay', show(root, file, 'twoskip'), before)
        want('no file is made', sorted(os.listdir(os.path.dirname(f'{root}/conf/{file}'))), files)
    want('cyr_userseen -Z', run(root, ['cyr_userseen', '-Z'])[0], 255)


# ---- cvt_cyrusdb, cyr_dbtool

def convert(version, root):
    a, b, c = root + '/conf/deliver.db', root + '/b.db', root + '/c.flat'
    was = open(a, 'rb').read()
    want('to skiplist', run(root, ['cvt_cyrusdb', a, 'twoskip', b, 'skiplist']),
         (0, 'Converting from @ROOT@/conf/deliver.db (twoskip) to @ROOT@/b.db (skiplist)\n', ''))
    want('to flat', run(root, ['cvt_cyrusdb', b, 'skiplist', c, 'flat'])[::2], (0, ''))
    want('the same records', sorted(show(root, '../c.flat', 'flat').split('\n')),
         sorted(show(root, 'deliver.db', 'twoskip').split('\n')))
    want('the old one stays', open(a, 'rb').read(), was)
    level25 = version.startswith('2.5')
    rc, out, err = run(root, ['cvt_cyrusdb', 'a', 'twoskip', b, 'flat'])
    if rc not in (71, 75) or not out.lstrip().startswith('Sorry, you cannot use this tool with relative path names.'):
        fail(f'relative: {rc} {err}')
    want('no engine', (run(root, ['cvt_cyrusdb', a, 'twoskip', root + '/e', 'nix'])[2], os.path.exists(root + '/e')),
         ('fatal error: cyrusdb backend nix not supported\n', False))
    rc, out, err = run(root, ['cvt_cyrusdb', root + '/nope', 'twoskip', root + '/e', 'skiplist'])
    want('no file', (rc, 'DBERROR: Conversion failed (r was -5). Check syslog for details.' in out), (75, True))
    want('usage', (run(root, ['cvt_cyrusdb'])[0], 'Usable Backends:  : ' in run(root, ['cvt_cyrusdb'])[2]), (255, True))


BATCH = [   # input, output, errors
    ('SET a 1\nGET a\nGET nix\n', 'a 1\n', ''), ('get a\nSHOW\n', '',
                                                 'FAILED: line 1 at cmd get with error Mailbox does not exist\n'),
    ('SET "c d" "x y"\nGET "c d"\n', '"c d" "x y"\n', ''),
    ('SET {3+}\r\nabc {2}\r\nzz\nSHOW\n', 'a 1\nabc zz\n"c d" "x y"\n', ''),
    ('DELETE nix\nDELETE abc\nSHOW a\n', 'a 1\n', ''), ('BEGIN\nSET t 1\nSHOW t\nABORT\nSHOW t\n', 't 1\n', ''),
    ('BEGIN\nSET t 1\nCOMMIT\nGET t\n', 't 1\n', ''),
    ('BEGIN\nBEGIN\n', '', 'FAILED: line 2 at cmd BEGIN with error Mailbox is locked\n'),
    ('COMMIT\n', '', 'FAILED: line 1 at cmd COMMIT with error Item does not exist\n'),
    ('ABORT\n', '', 'FAILED: line 1 at cmd ABORT with error Item does not exist\n'), ('SET v\nGET v\nDELETE v\n', 'v ""\n', ''),
    ('SET v 1 2\n', '', 'FAILED: line 1 at cmd SET with error Syntax error in parameters\n'), ('\n\nGET t\n', 't 1\n', ''),
    ('SET z 1\r\nGET z\r\n', 'z 1\n', ''),
    ('SET q "a\\"b"\nGET q\nSET n NIL\nGET n\nSET p 50%\nGET p\nDELETE q\nDELETE n\nDELETE p\n',
     'q {3}\r\na"b\nn "NIL"\np {3}\r\n50%\n', ''),
    ('SET par (a)\n', '', 'FAILED: line 1 at cmd SET with error Syntax error in parameters\n'),
    ('BEGIN\nSET lost 1\nFROB\n', '', 'FAILED: line 3 at cmd FROB with error Mailbox does not exist\n'),
    ('BEGIN\nSET lost 1\n', '', ''), ('GET lost\n', '', ''),
    ('SET w "abc\n', '', 'FAILED: line 1 at cmd SET with error Syntax error in parameters\n'),
    ('SET w {99+}\r\nabc', '', 'FAILED: line 1 at cmd SET with error Syntax error in parameters\n'),
    ('SET w {x}\n', '', 'FAILED: line 1 at cmd SET with error Syntax error in parameters\n'),
    ('GET\n', '', 'FAILED: line 1 at cmd GET with error Syntax error in parameters\n'), ('', '', ''),
    ('SHOW\n', 'a 1\n"c d" "x y"\nt 1\nz 1\n', ''),
]


def batch(root):
    for text, out, err in BATCH:
        p = subprocess.run(['imap/tools/cyr_dbtool', '-C', root + '/imapd.conf', '-n', root + '/batch.db', 'twoskip', 'batch'],
                           input=text.encode(), capture_output=True)
        want(f'batch {text!r}', (p.returncode, p.stdout.decode(), p.stderr.decode()), (0, out, err))


# ---- ctl_mboxlist: nothing is lost

def rows(root):
    return dict(x.split('\t', 1) for x in show(root, 'mailboxes.db', 'twoskip').split('\n') if x)


def another(root, other):
    os.mkdir(other + '/conf')
    text = re.sub(r'(?m)^configdirectory: .*', f'configdirectory: {other}/conf', open(root + '/imapd.conf').read())
    open(other + '/imapd.conf', 'w').write(text)


def dumps(version, root):
    before = rows(root)
    for args in ([['-d', '--full']] if version.startswith('2.5') else [['-d', '--full'], ['-d', '-y']]):
        rc, dump, err = run(root, ['ctl_mboxlist', *args])
        want('dump', (rc, err), (0, ''))
        other = tempfile.mkdtemp(prefix='tools-tables.')
        another(root, other)
        want('-u -w without a list', run(other, ['ctl_mboxlist', '-u', '-w'], dump.encode('latin1'))[0], 75)
        want(f'{version}: undump {args}', run(other, ['ctl_mboxlist', '-u'], dump.encode('latin1')), (0, '', ''))
        if any(k.startswith('A') and '\x1e' in k for k in before):
            run(other, ['ctl_cyrusdb', '-r'])
        after = rows(other)
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key) and not (key.startswith('I') and orphan(before, key)):
                fail(f'{version}: {args}: {key!r}: {before.get(key)!r} became {after.get(key)!r}')
        rc, out, err = run(other, ['ctl_mboxlist', '-u', '-w'], dump.encode('latin1'))
        n = len([x for x in dump.splitlines() if '"name"' in x])
        want('nothing to do', (rc, out, err), (0, f'0 would be added, 0 changed, {n} are there; 0 cannot be read\n', ''))
        changed = re.sub(r'("user\.bob": .*?"uidvalidity": )"\d+"', r'\1"5"', dump,
                         count=1).replace('"user.carol": {"name": "user.carol"', '"user.carl": {"name": "user.carl"', 1)
        rc, out, err = run(other, ['ctl_mboxlist', '-u', '-w'], changed.encode('latin1'))
        want('-u -w', (rc, out, err), (0, '~ user.bob\n+ user.carl\n'
                                       + f'1 would be added, 1 changed, {n - 2} are there; 0 cannot be read\n', ''))
        want('-u -w changes nothing', rows(other), after)
        rc, out, err = run(other, ['ctl_mboxlist', '-d', '-x', '-w'])
        want('-d -x -w', (rc, bool(re.fullmatch(r'\d+ entries would be removed\n', err)), rows(other)), (0, True, after))
        shutil.rmtree(other)
    for args in (['-d', '-w'], ['-v', '-w'], ['-v', '-L'], ['-u', '-x'], ['-u', '-p', 'x'], ['-d', '-n'], ['-d', '-u'],
                 ['--rebuild', '-L'], ['-d', '-a'], ['x']):
        want(f'ctl_mboxlist {args}', run(root, ['ctl_mboxlist', *args])[0], 1)
    for args in (['-m'], ['-m', '-w']):
        want(f'ctl_mboxlist {args}', run(root, ['ctl_mboxlist', *args])[::2], (75, "couldn't connect to mupdate server\n"))
    want('--rebuild -w', run(root, ['ctl_mboxlist', '--rebuild', '-w']), run(root, ['ctl_mboxlist', '--rebuild', '-n']))
    want('after all that', rows(root), before)


def orphan(before, key):
    """A record by id that leads to no record by name: Cyrus leaves them behind."""
    name = re.match(r'%\(T \w+ N ("[^"]*"|\S+)', before.get(key, ''))
    return name and 'N' + name.group(1).strip('"') not in before


# ---- ctl_mboxlist --restore

def restore(version, root):
    path, snap = f'{root}/conf/mailboxes.db', f'{root}/conf/db.backup1/mailboxes.db'
    kept = path + '.before-restore'
    want('-c', run(root, ['ctl_cyrusdb', '-c']), (0, '', ''))
    good, saved = open(path, 'rb').read(), open(snap, 'rb').read()
    records = rows(root)
    n = len(re.findall('"name": ', re.sub(r'"name_history": \[.*?\]', '', run(root, ['ctl_mboxlist', '-d', '--full'])[1])))
    restore = lambda *a: run(root, ['ctl_mboxlist', '--restore', *a] if not a or a[0].startswith('-')
                             else ['ctl_mboxlist', '--restore=' + a[0], *a[1:]])
    want('the same', restore('-w'), (0, f'{n} records in the snapshot; 0 come back, 0 are lost, 0 change\nnothing was changed\n',
                                     ''))
    for key in [k for k in records if re.match('(Nuser\x1f|user\\.)bob$', k)]:
        run(root, ['cyr_dbtool', path, 'twoskip', 'delete', key])
    run(root, ['ctl_mboxlist', '-u'], b'user.new\t0 default new\tlrs\t\nuser.carol\t0 default carol\tl\t\n')
    changed = open(path, 'rb').read()
    told = (f'+ user.bob\n~ user.carol\n- user.new\n{n} records in the snapshot; 1 come back, 1 are lost, 1 change\n')
    for how in ('-w', '-n'):
        want('look', restore(how), (0, told + 'nothing was changed\n', ''))
    want('looking changes nothing', (open(path, 'rb').read() == changed, os.path.exists(kept), os.path.exists(path + '.NEW')),
         (True, False, False))
    # somebody is there
    os.makedirs(root + '/conf/proc', exist_ok=True)
    proc = f'{root}/conf/proc/{os.getpid()}'
    open(proc, 'w').write('imap\tlocalhost [127.0.0.1]\tfred\tuser.fred\tIdle\n')
    want('processes', restore(), (73, '', 'ctl_mboxlist: processes of the server run: stop them first\n'))
    want('a look is allowed', restore('-w')[0], 0)
    os.unlink(proc)
    with open(path, 'rb+') as f:
        fcntl.lockf(f, fcntl.LOCK_SH)
        rc, out, err = restore()
        want('locked', (rc, err), (73, 'ctl_mboxlist: somebody has the list locked: @ROOT@/conf/mailboxes.db\n'))
    want('nothing was done', (open(path, 'rb').read() == changed, os.path.exists(kept)), (True, False))
    # snapshots that are none
    for text, why in ((b'', 'the snapshot'), (b'no database at all', 'the snapshot'),
                      (saved[:len(saved) // 2], 'the snapshot cannot be read')):
        bad = root + '/bad.db'
        open(bad, 'wb').write(text)
        rc, out, err = restore(bad)
        want(f'bad snapshot {text[:10]}', (rc, err.startswith('ctl_mboxlist: ' + why), open(path, 'rb').read() == changed),
             (73, True, True))
    want('no snapshot', restore(root + '/nowhere')[0], 73)
    want('a relative path', restore('conf/db.backup1/mailboxes.db')[::2],
         (73, 'ctl_mboxlist: a snapshot is 1, 2 or an absolute path\n'))
    # and now
    want('restore', restore(), (0, told + 'restored; the old one is @ROOT@/conf/mailboxes.db.before-restore\n', ''))
    want('what is there', (rows(root) == records, open(kept, 'rb').read() == changed, open(snap, 'rb').read() == saved),
         (True, True, True))
    rc, out, err = restore()
    want('again', (rc, err),
         (73, 'ctl_mboxlist: this is there from an earlier time, move it away first: @ROOT@/conf/mailboxes.db.before-restore\n'))
    os.unlink(kept)
    # a damaged list, none at all, another file
    open(path, 'wb').write(b'something else altogether, long enough to be looked at by every engine that there is')
    rc, out, err = restore()
    want('over a damaged one', (rc, 'the list that is there cannot be read' in out, rows(root) == records), (0, True, True))
    os.unlink(kept)
    os.unlink(path)
    rc, out, err = restore('1')
    want('over none', (rc, out.splitlines()[0], out.splitlines()[-1], rows(root) == records),
         (0, 'there is no list now', 'restored; there was none before', True))
    want('-f', run(root, ['ctl_mboxlist', '--restore=' + snap, '-f', root + '/conf/third.db'])[0], 0)
    want('-f', open(root + '/conf/third.db', 'rb').read(), saved)
    return snap


def other_layout(old, new):
    """A snapshot of one layout for a list of the other."""
    rc, out, err = run(new, ['ctl_mboxlist', '--restore=' + old])
    want('another layout', (rc, err), (73, 'ctl_mboxlist: the snapshot is in another layout than the list\n'))


# ---- cyr_info store

def info(version, root):
    before = golden.snapshot(root)
    rc, out, err = run(root, ['cyr_info', 'store'])
    lines = dict(x.split('\t', 1) for x in out.split('\n') if x)
    whole = 'as a whole\t' + ('2.5 3.0 3.2 3.4' if version.startswith('2.5') else '3.6 later')
    want('cyr_info store', (rc, err, lines['store']), (0, '', whole))
    new = version.startswith('3')
    by_id = version == '3.6.1'
    want('a mailbox', lines['user.alice.Flags'], 'index %d, cache %d, header in %s form, directory by %s\t%s'
         % (17 if new else 13, 11 if new else 3, 'list' if new else 'text',
         'id' if by_id else 'name', '3.6 later' if new else '2.5 3.0 3.2 3.4 3.6 later'))
    if 'twoskip 1' not in lines['deliver.db'] or not {'alice seen', 'alice sub',
                                                      'user.alice.Annotated annotations'} <= lines.keys():
        fail(f'{version}: cyr_info store: {sorted(lines)[:30]}')
    want('the list', lines['mailboxes.db'].split('\t')[0].split(', ')[:2],
         ['twoskip 1', 'layout of ' + ('3.6' if new else '2.5')])
    after = golden.snapshot(root)
    want('nothing is changed', sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k)), [])
    # a version that nobody here reads, a file that is none
    where = run(root, ['mbpath', '-m', 'user.alice.Flags' if '/' not in run(root, ['mbpath', '-q', 'user/alice'])[1]
                       else 'user/alice/Flags'])[1].strip().replace('@ROOT@', root)
    index = open(where + '/cyrus.index', 'rb').read()
    open(where + '/cyrus.index', 'wb').write(index[:8] + struct.pack('>I', 99) + index[12:])
    open(root + '/conf/deliver.db', 'wb').write(b'what is this')
    rc, out, err = run(root, ['cyr_info', 'store'])
    lines = dict(x.split('\t', 1) for x in out.split('\n') if x)
    want('damage', (rc, lines['deliver.db'], lines['user.alice.Flags'].split('\t')[1], lines['store'].split('\t')[1]),
         (75, 'unknown format\tnone', 'none', 'none'))


LONG = 'x' * 600
OLD = [   # a line of each time -> the dump of it, or the error
    ('user.fred\t0 default fred\tlrs\t\n', 'user.fred\t0 default fred\tlrs\t\n', ''),
    ('user.fred\tdefault fred\tlrs\t\n', 'user.fred\t0 default fred\tlrs\t\n', ''),
    ('user.fred\tdefault\tfred\tlrs\t\n', 'user.fred\t0 default fred\tlrs\t\n', ''),
    ('user.fred\t(uniqueid abc specialuse \\Sent) 0 default fred\tlrs\t\n', 'user.fred\t0 default fred\tlrs\t\n', ''),
    ('user.fred\t0 back!default fred\tlrs\t\r\n', 'user.fred\t0 back!default fred\tlrs\t\n', ''),
    ('user.gone\t16 (null) \n', 'user.gone\t16 (null) \n', ''),
    ('user.fred\n', '', 'line 1: no partition found\n'), ('user.fred\t0 \n', '', 'line 1: no partition found\n'),
    ('user.fred\t0 default\n', '', 'line 1: no acl found\n'),
    (LONG + '\t0 default fred\tlrs\t\n', '', 'line 1: mailbox name too long\n'),
    ('user.fred\t0 ' + LONG + ' fred\tlrs\t\n', '', 'line 1: partition name too long\n'),
    ('\n\nuser.fred\n', '', 'line 3: no partition found\n'),
]


def old_lines():
    for text, out, err in OLD:
        root = tempfile.mkdtemp(prefix='tools-tables.')
        os.mkdir(root + '/conf')
        open(root + '/imapd.conf',
             'w').write(f'configdirectory: {root}/conf\ndefaultpartition: default\npartition-default: {root}/spool\n'
                        f'compatibility_level: 2.5\n')
        want(f'undump {text[:40]!r}', run(root, ['ctl_mboxlist', '-u'], text.encode()), (65 if err else 0, '', err))
        want(f'dump {text[:40]!r}', run(root, ['ctl_mboxlist', '-d']), (0, out, ''))
        if 'uniqueid' in text:
            want('the unique id is kept', ' I abc ' in rows(root)['user.fred'], True)
        shutil.rmtree(root)


def paths(root):
    want('mbpath -7', run(root, ['mbpath', '-7', 'user/alice/Fish &- Chips']), run(root, ['mbpath', 'user/alice/Fish &- Chips']))
    want('mbpath -7', run(root, ['mbpath', '-7', 'user/alice/Fish & Chips']),
         (65, '', "Invalid mailbox name: 'user/alice/Fish & Chips'\n"))
    want('mbpath -s', run(root, ['mbpath', '-s', 'user/nix', 'user/alice']),
         (65, '', "Invalid mailbox name: 'user/nix'\nfatal error: Error in processing mailbox. Stopping\n"))


def main():
    golden.as_ourselves()
    for version in VERSIONS:
        root = tempfile.mkdtemp(prefix='tools-tables.')
        try:
            unpack(version, root)
            dumps(version, root)
            snapshot = restore(version, root)
            if version == '2.5.7':
                kept = tempfile.NamedTemporaryFile()
                shutil.copy(snapshot, kept.name)
            elif version == '3.6.1':
                other_layout(kept.name, root)
            userseen(version, root)
            convert(version, root)
            deliver(version, root)
            deny(version, root)
            if version == '3.6.1':
                paths(root)
                tls(root)
                batch(root)
            shutil.rmtree(root)
            os.mkdir(root)
            unpack(version, root)
            info(version, root)
        finally:
            shutil.rmtree(root)
    old_lines()
    sys.exit(golden.bad != 0)


if __name__ == '__main__':
    main()
