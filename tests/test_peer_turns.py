#!/usr/bin/env python3
"""One store turned over between Debian's Cyrus (3.6.1) and ours ten times, with changes on each side. After each turn both
servers and both sets of tools see the same, and no file has changed its format, version or layout. The same turns in a store of
2.5's layout, by ours alone, against what 2.5.7 wrote. Needs what test_peer.py needs. Run by pytest."""
import imaplib, os, re, shutil, smtplib, struct, subprocess, tarfile, tempfile


from instance import Instance, ok, program
from peer import SRC, Pair, needs_peer

TURNS = 10
USERS = ['alice', 'bob']


def message(n, who):
    return (b'From: s%d@example.org\r\nTo: %s@example.org\r\nSubject: turn %d\r\nDate: Mon, 1 Jan 2024 10:%02d:00 +0000\r\n'
            b'Message-ID: <turn%d.%s@example.org>\r\n\r\n'
            b'body of turn %d\r\n') % (n, who, n, n, n, who, n)


def change(login, lmtp, turn, sep='/', inbox=''):
    """What happens in one turn. inbox: what stands before a user's own folders."""
    who = b'ab'[turn % 2:turn % 2 + 1]
    a, c, b = login('admin'), login('alice'), login('bob')
    name = lambda x: inbox + x.replace('/', sep)
    external = lambda *parts: sep.join(('user',) + parts)
    # life of mailboxes
    ok(c.create(name('T%d' % turn)))
    ok(c.create(name('T%d/deep' % turn)))
    if turn:
        ok(c.rename(name('R%d' % (turn - 1)), name('R%d' % turn)))
    else:
        ok(c.create(name('R0')))
    if turn > 1:
        ok(c.delete(name('T%d/deep' % (turn - 2))))
    # deliveries and appends, a repeat among them
    for n in range(3):
        lmtp(['alice', 'bob'], message(100 * turn + n, who))
    lmtp(['alice'], message(100 * turn, who))
    for n in range(4):
        ok(c.append(name('R%d' % turn), r'(\Seen)' if n % 2 else None, '"%02d-Feb-2024 10:11:12 +0100"' % (turn + 1),
                    message(50 + n, b'r')))
    # flags, expunge, copy
    ok(c.select('INBOX'))
    ok(c.store('1', '+FLAGS', r'(\Flagged turn%d $Forwarded)' % turn))
    ok(c.store('1:2', '-FLAGS', r'(turn%d)' % (turn - 1)))
    ok(c.copy('1:2', name('T%d' % turn)))
    if turn % 3 == 2:
        ok(c.store('2', '+FLAGS', r'(\Deleted)'))
        ok(c.expunge())
    ok(c.unselect())
    # another user reads
    ok(a.setacl(external('alice', 'Share'), 'bob', 'lrswite' if turn % 2 else 'lrsw'))
    ok(a.setacl('news', 'anyone', 'lrsp'))
    ok(c.append(name('Share'), None, None, message(turn, b'share')))
    shared = '"Other Users/alice/Share"' if not inbox else external('alice', 'Share')
    ok(b.select(shared))
    ok(b.store(str(turn + 1), '+FLAGS', r'(\Seen)'))
    ok(b.unselect())
    ok(b.subscribe(shared))
    # subscriptions, quota, annotations
    ok(c.subscribe(name('R%d' % turn)))
    if turn:
        ok(c.unsubscribe(name('R%d' % (turn - 1))))
    ok(a.setquota(external('alice'), '(STORAGE %d MESSAGE %d)' % (100000 + turn, 5000 + turn)))
    ok(a.setquota(external('bob'), '(STORAGE %d)' % (200000 + turn)))
    for x in (a, b, c):
        x.logout()


def prepare(login, sep='/', inbox=''):
    a = login('admin')
    for user in USERS:
        ok(a.create(sep.join(('user', user))))
    ok(a.create('news'))
    ok(a.create(sep.join(('user', 'alice', 'Share'))))
    a.logout()


def metadata(c, name, entries):
    """What GETMETADATA tells of a mailbox, each entry with its value, in the order of the answer."""
    c.untagged_responses.clear()
    typ, text = c.xatom('GETMETADATA', name, '(%s)' % ' '.join(entries))
    said = b''.join(x if isinstance(x, bytes) else b''.join(x) for x in c.response('METADATA')[1] if x)
    return typ, re.sub(rb' \(\d+\.\d+ secs? \d+ calls\)', b'', text[0]), said


def annotate(login, turn):
    """Entries of each kind: of the server, of one's own mailbox, of somebody else's; shared and private; set, set again, taken
    away."""
    a, c, b = login('admin'), login('alice'), login('bob')
    put = lambda who, name, text: ok(who.xatom('SETMETADATA', name, text))
    put(a, '""', '(/shared/comment "server %d")' % turn)
    put(c, '""', '(/private/comment "of alice: %d")' % turn)
    put(c, 'INBOX', '(/private/comment "turn %d" /shared/comment "all, %d")' % (turn, turn))
    put(c, '"R%d"' % turn, '(/private/comment "renamed next" /shared/vendor/cmu/cyrus-imapd/sharedseen "%s")'
        % ('true' if turn % 2 else 'false'))
    put(c, '"T%d"' % turn, '(/shared/comment "%s")' % ('x' * (10 * turn + 1)))
    put(c, '"T%d"' % turn, r'(/private/specialuse %s)' % ('"\\\\Sent"' if turn == 3 else '"\\\\Drafts"' if turn == 4 else 'NIL'))
    if turn:
        put(c, '"T%d"' % (turn - 1), '(/shared/comment NIL)')
    put(b, SHARE, '(/private/comment "of bob %d")' % turn)
    put(b, SHARE, '(/shared/comment "bob was here %d")' % turn if turn % 3 else '(/shared/comment NIL)')
    put(a, 'user/alice/Share', '(/shared/vendor/cmu/cyrus-imapd/expire "%d")' % (turn + 1))
    for x in (a, b, c):
        x.logout()


SHARE = '"Other Users/alice/Share"'
VENDOR = '/vendor/cmu/cyrus-imapd/'
STORED = ['/private/comment', '/shared/comment', '/shared' + VENDOR + 'expire', '/private/specialuse']
WORKED_OUT = ['/shared' + VENDOR + x for x in ('sharedseen', 'duplicatedeliver', 'pop3newuidl', 'size', 'annotsize', 'uniqueid',
                                               'partition', 'foldermodseq', 'synccrcs')]


def annotations(login, turn):
    """All of them as each user is told, by name and by pattern."""
    a, c, b = login('admin'), login('alice'), login('bob')
    out = {}
    for who, x, names in (('admin', a, ['""', 'user/alice', 'user/alice/Share']), ('bob', b, ['""', 'INBOX', SHARE]),
                          ('alice', c, ['""', 'INBOX', 'Share', 'R%d' % turn, '%'] + ['T%d' % n for n in range(turn + 1)])):
        for name in names:
            entries = STORED if '""' in name else STORED + WORKED_OUT
            out[who, name] = metadata(x, name, entries)
            if name != '""':
                out[who, name, 'pattern'] = metadata(x, name, ['/private/com*', '/shared/com%'])
        x.logout()
    return out


def annotation_rows(p):
    """Every record of the database in the form that 3.6 writes: its parts, and the length of its value."""
    out = {}
    r = p.i.tool('cyr_dbtool', p.i.path('conf/annotations.db'), 'twoskip', 'show', bindir=p.bin)
    # no value here is 10 or 13 bytes long, which would end a line
    for line in r.stdout.encode().split(b'\n')[:-1]:
        key, value = line.split(b'\t', 1)
        scope, entry, user, rest = key.split(b'\0')
        n, = struct.unpack('>I', value[:4])
        assert rest == b'' and entry[:1] == b'/' and re.fullmatch(rb'[a-z0-9]{24}|', scope), key
        assert value[4:8] == bytes(4) and value[8 + n:] == b'\0text/plain\0' + bytes(17) and n, (key, value)
        out[scope, entry, user] = value[8:8 + n]
    return out


def view(login, sep='/', inbox=''):
    """All that both users and the administrator are told."""
    out = {}
    a = login('admin')
    boxes = sorted(x.split(b') ', 1)[1] for x in ok(a.list()))
    out['admin list'] = [re.sub(rb'[/.][0-9A-F]{8}"?$', b'', x) for x in boxes]
    for user in USERS:
        out['quota', user] = ok(a.getquota(sep.join(('user', user))))
        out['roots', user] = ok(a.getquotaroot(sep.join(('user', user))))
    a.logout()
    for user in USERS:
        c = login(user)
        out[user, 'list'] = sorted(x for x in ok(c.list()))
        out[user, 'lsub'] = sorted(x for x in ok(c.lsub()) if x)
        for line in out[user, 'list']:
            if b'\\Noselect' in line or b'\\NonExistent' in line or b'\\Noinferiors' in line and b'INBOX' not in line:
                continue
            m = re.search(rb'"[/.]" (.*)$', line).group(1).decode()
            out[user, m, 'status'] = ok(c.status(m, '(MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)'))
            out[user, m, 'rights'] = ok(c.myrights(m))
            if user == 'alice' and b'Other Users' not in line and 'news' not in m:
                out[user, m, 'acl'] = ok(c.getacl(m))
            ok(c.select(m, readonly=True))
            answer = c.fetch('1:*', '(UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
            out[user, m, 'fetch'] = [b''.join(x) if isinstance(x, tuple) else x for x in answer[1]] if answer[0] == 'OK' else []
            ok(c.unselect())
        c.logout()
    return out


def same(a, b):
    assert a.keys() == b.keys()
    for k in a:
        assert a[k] == b[k], k


# ---- formats, in the bytes

TWOSKIP, SKIPLIST = b'\xa1\x02\x8b\x0dtwoskip file\0\0\0\0', b'\xa1\x02\x8b\x0dskiplist file\0\0\0'


def form(path):
    """What a file is, and in which version: nothing of this may change while it exists."""
    with open(path, 'rb') as f:
        data = f.read()
    name = os.path.basename(path)
    if name == 'cyrus.index':
        generation, fmt, minor, start, record = struct.unpack('>IIIII', data[:20])
        return 'index', fmt, minor, start, record
    if name == 'cyrus.header':
        return 'header', 'list' if data.split(b'\n', 3)[3].startswith(b'%(') else 'text', data[:4]
    if data.startswith(TWOSKIP):
        return 'twoskip', struct.unpack('>I', data[20:24])[0]
    if data.startswith(SKIPLIST):
        return 'skiplist', struct.unpack('>II', data[20:28])
    if '/quota/' in path:
        return 'quota', re.sub(rb'\d+', b'N', data)[:20]
    return 'other', None


def forms(root):
    out = {}
    for top in ('conf', 'spool'):
        for base, dirs, files in os.walk(os.path.join(root, top)):
            dirs[:] = [d for d in dirs if d not in ('proc', 'socket', 'lock', 'ptclient', 'log', 'stage.', 'db', 'db.backup1',
                                                    'db.backup2')]
            for name in files:
                if name in ('cyrus.index', 'cyrus.header', 'cyrus.annotations') or name.endswith(('.db', '.sub',
                        '.seen')) or '/quota/' in base + '/':
                    path = os.path.join(base, name)
                    out[os.path.relpath(path, root)] = form(path)
    return out


def no_drift(before, after):
    for path in before.keys() & after.keys():
        assert before[path] == after[path], path


def new_files(before, after, level):
    """What is new is in the form of what was there."""
    for path in after.keys() - before.keys():
        f = after[path]
        if f[0] == 'index':
            assert f[2] == (17 if level == 36 else 13), path
        if f[0] == 'header':
            assert f[1] == ('list' if level == 36 else 'text'), path
        if f[0] == 'twoskip':
            assert f[1] == 1, path


def rows(p, file, engine='twoskip'):
    out = p.i.tool('cyr_dbtool', p.i.path('conf/' + file), engine, 'show', bindir=p.bin).stdout
    return dict(x.split('\t', 1) for x in out.split('\n') if x)


NAME = r'%\(T e[a-z]* I \S+( P \S+)?( V \d+)?( C \d+)?( F \d+)? M \d+( A %\(.*\))?\)'
ID = r'%\(T e[a-z]* N ("[^"]*"|[^ ]+)( P \S+)?( V \d+)?( C \d+)?( F \d+)? M \d+( A %\(.*?\))? H \(.*\)\)'


def list_is_whole(p):
    """N and I lead to each other, each in the order of fields that 3.6 writes."""
    r = rows(p, 'mailboxes.db')
    for key, value in r.items():
        if key[0] == 'N':
            assert re.fullmatch(NAME, value), (key, value)
            uid = re.search(r' I (\S+)', value).group(1)
            assert 'I' + uid.rstrip(')') in r, key
        elif key[0] == 'I':
            assert re.fullmatch(ID, value), (key, value)
    return r


def tools_agree(p):
    p.own()
    said = []
    for bindir, env in ((p.peer_bin, p.peer_env), (p.bin, {})):
        out = []
        for argv in (['ctl_mboxlist', '-d'], ['ctl_mboxlist', '-d', '-y'], ['quota'], ['mbpath', '-j', 'user/alice'],
                     ['mbpath', '-j', 'user/bob'],
                     ['cyr_dbtool', p.i.path('conf/mailboxes.db'), 'twoskip', 'consistent'], ['ctl_deliver', '-d'],
                     ['mbexamine', '-q', 'user/alice']):
            r = p.i.tool(*argv, bindir=bindir, env=env, check=False)
            text = re.sub(r'it is NOW: \d+', '', r.stdout)
            out.append((argv[0], r.returncode, re.sub(r'"name_history": \[.*?\]\}', '"name_history": []}', text), r.stderr))
        r = p.i.tool('reconstruct', '-n', '-G', bindir=bindir, env=env, check=False)
        bad = [l for l in r.stdout.splitlines() if re.search(r' uid |updating|mismatch|odd|missing|failed|corrupt|Wrong', l)]
        assert (r.returncode, r.stderr, bad) == (0, '', [])
        r = p.i.tool('quota', '-f', '-n', '-q', bindir=bindir, env=env, check=False)
        assert (r.returncode, r.stderr) == (0, '') and 'was' not in r.stdout and '-->' not in r.stdout, r.stdout
        said.append(out)
    for theirs, ours in zip(*said):
        assert theirs == ours


@needs_peer
def test_ten_turns():
    p = Pair()
    try:
        for name in ('ctl_mboxlist', 'quota', 'mbpath', 'cyr_dbtool', 'ctl_deliver', 'mbexamine', 'reconstruct'):
            shutil.copy(program(name), os.path.join(p.bin, name))
        p.theirs()
        prepare(p.login)
        p.i.stop()
        before = forms(p.i.root)
        for turn in range(TURNS):
            (p.ours if turn % 2 else p.theirs)()
            change(p.login, p.lmtp, turn)
            annotate(p.login, turn)
            mine, noted = view(p.login), annotations(p.login, turn)
            assert b'"turn %d"' % turn in noted['alice', 'INBOX'][2] and b'of bob %d' % turn in noted['bob', SHARE][2]
            assert len(mine) > 40 and sum(len(mine[k]) for k in mine if k[-1] == 'fetch') > 10 + 4 * turn
            assert p.i.stop() == 0
            after = forms(p.i.root)
            no_drift(before, after)
            new_files(before, after, 36)
            list_is_whole(p)
            stored = annotation_rows(p)
            tools_agree(p)
            no_drift(after, forms(p.i.root))                       # nor did the tools
            (p.theirs if turn % 2 else p.ours)()
            same(mine, view(p.login))
            same(noted, annotations(p.login, turn))
            p.i.stop()
            assert annotation_rows(p) == stored
            no_drift(after, forms(p.i.root))
            before = after
    finally:
        p.i.close()


# ---- 2.5's layout, ours alone

RECORD_25 = r'%\((A %\(.*?\) )?(I [0-9a-f-]{36} )?(P \S+ )?(T d )?V \d+ M \d+\)'
QUOTA_25 = rb'%\(S \(\d+( \d+)?\) M \(\d+( \d+)?\) AS \(\d+( \d+)?\) NF \(\d+( \d+)?\)\)\n?'
SEEN_25 = r'1 \d+ \d+ \d+ [\d:,]*'


def check_25(i):
    """Every record as 2.5.7 writes it (the forms are those of the recorded store, see test_the_forms_are_those_of_2_5_7)."""
    show = lambda file, engine: [x.split('\t', 1) for x in i.tool('cyr_dbtool', file, engine, 'show').stdout.split('\n') if x]
    for key, value in show(i.path('conf/mailboxes.db'), 'twoskip'):
        assert re.fullmatch(RECORD_25, value), (key, value)
        assert ('T d' in value) == (' P ' not in value), (key, value)
    for base, dirs, files in os.walk(i.path('conf/quota')):
        for name in files:
            with open(os.path.join(base, name), 'rb') as f:
                assert re.fullmatch(QUOTA_25, f.read()), name
    users = i.path('conf/user')
    for base, dirs, files in os.walk(users):
        for name in files:
            assert re.fullmatch(r'[a-z]+\.(sub|seen)', name), name
            assert os.path.basename(base) == name[0]
            for key, value in show(os.path.join(base, name), 'flat' if name.endswith('.sub') else 'twoskip'):
                if name.endswith('.sub'):
                    assert value == '' and re.match('user[.]|news', key), key
                else:
                    assert re.fullmatch('[0-9a-f-]{36}', key) and re.fullmatch(SEEN_25, value), (key, value)
    assert not os.path.exists(i.path('conf/user/uuid')) and not os.path.exists(i.path('spool/uuid'))
    told = i.tool('ctl_deliver', '-d').stdout.splitlines()
    assert len(told) > 5
    for line in told[1:-1]:
        assert re.fullmatch(r'id: <turn\S+> +\tto: [0-9a-f-]{36}\tat: \d+\tuid: \d+', line), line
    for path, f in forms(i.root).items():
        if f[0] == 'index':
            assert f[1:] == (0, 13, 128, 104), (path, f)
        if f[0] == 'header':
            assert f[1] == 'text', path


def test_ten_turns_in_the_layout_of_2_5():
    with Instance('compatibility_level: 2.5') as i:
        def login(user):
            c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
            ok(c.login(user, 'pw'))
            return c

        def lmtp(rcpts, data):
            with smtplib.LMTP('127.0.0.1', i.ports['lmtp']) as s:
                s.ehlo('client')
                for code, text in [s.mail('sender@example.com')] + [s.rcpt(r) for r in rcpts] + [s.data(data)] + [s.getreply()
                        for r in rcpts[1:]]:
                    assert code == 250, (code, text)
        i.start()
        prepare(login, '.')
        i.stop()
        before = forms(i.root)
        for turn in range(TURNS):
            i.start()
            change(login, lmtp, turn, '.', 'INBOX.')
            mine = view(login, '.', 'INBOX.')
            assert i.stop() == 0
            after = forms(i.root)
            no_drift(before, after)
            new_files(before, after, 25)
            check_25(i)
            i.start()
            same(mine, view(login, '.', 'INBOX.'))
            i.stop()
            no_drift(after, forms(i.root))
            before = after


def test_the_forms_are_those_of_2_5_7():
    root = tempfile.mkdtemp(prefix='turns.')
    try:
        with tarfile.open(os.path.join(SRC, 'cunit/golden/store-2.5.7.tar.xz')) as tar:
            tar.extractall(root)
        text = open(f'{root}/imapd.conf.in').read().replace('@ROOT@', root)
        open(f'{root}/imapd.conf', 'w').write(re.sub(r'@[A-Z]+@', '0', text))
        def show(file):
            r = subprocess.run([program('cyr_dbtool'), '-C', f'{root}/imapd.conf', f'{root}/conf/{file}', 'twoskip', 'show'],
                               capture_output=True, text=True,
                               env=dict(os.environ, CYRUS_USER='root', CYRUS_GROUP='root') if os.geteuid() == 0 else None,
                               check=True)
            return [x.split('\t', 1) for x in r.stdout.split('\n') if x]
        for key, value in show('mailboxes.db'):
            assert re.fullmatch(RECORD_25, value), (key, value)
        for key, value in show('user/b/bob.seen'):
            assert re.fullmatch('[0-9a-f-]{36}', key) and re.fullmatch(SEEN_25, value), (key, value)
        for base, dirs, files in os.walk(root + '/conf/quota'):
            for name in files:
                with open(os.path.join(base, name), 'rb') as f:
                    assert re.fullmatch(QUOTA_25, f.read()), name
        for path, f in forms(root).items():
            if f[0] == 'index':
                assert f[2] == 13
            if f[0] == 'header':
                assert f[1] == 'text'
    finally:
        shutil.rmtree(root)
