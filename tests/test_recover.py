#!/usr/bin/env python3
"""doc/admin/recover.md is followed to the letter: each kind of database is damaged, the server must bear it, and the commands of
the page, taken from the page, must put it right. Run by pytest."""
import imaplib, os, re, smtplib, subprocess

import pytest

from instance import Instance, ok, program

PAGE = os.path.join(os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')),
                    'doc/admin/recover.md')
TOOLS = ['ctl_mboxlist', 'ctl_cyrusdb', 'cyr_dbtool', 'quota', 'reconstruct', 'cyr_info', 'mbpath']


def blocks(heading):
    """The command blocks below a heading of the page."""
    with open(PAGE) as f:
        text = f.read()
    part = re.search(r'^##? %s\n(.*?)(?=^##? |\Z)' % re.escape(heading), text, re.M | re.S).group(1)
    found = [re.sub(r'(?m)^    ', '', b) for b in re.findall(r'(?:^    .*\n)+', part, re.M)]
    assert found, heading
    return found


class Site:
    """A store with something in every database, and the tools in a folder of their own, each with the configuration of this
    store."""

    def __init__(self, level):
        self.level = level
        self.sep = '/' if level == '3.6' else '.'
        self.i = Instance(f'compatibility_level: {level}\nstatuscache: yes')
        self.bin = self.i.path('bin')
        os.makedirs(self.bin)
        for name in TOOLS:
            with open(os.path.join(self.bin, name), 'w') as f:
                f.write(f'#!/bin/sh\nexec {program(name)} -C {self.i.path("imapd.conf")} "$@"\n')
            os.chmod(os.path.join(self.bin, name), 0o755)
        self.fill()

    def login(self, user):
        c = imaplib.IMAP4('127.0.0.1', self.i.ports['imap'])
        ok(c.login(user, 'pw'))
        return c

    def name(self, *parts):
        return self.sep.join(parts)

    def own(self, name):
        return name if self.level == '3.6' else 'INBOX.' + name

    def fill(self):
        self.i.start()
        a = self.login('admin')
        for user in ('alice', 'bob'):
            ok(a.create(self.name('user', user)))
        ok(a.create(self.name('user', 'alice', 'Share')))
        ok(a.setacl(self.name('user', 'alice', 'Share'), 'bob', 'lrsw'))
        ok(a.setquota(self.name('user', 'alice'), '(STORAGE 100000)'))
        c = self.login('alice')
        typ, _ = c.xatom('CREATE', self.own('Sent'), '(USE (\\Sent))')
        assert typ == 'OK'
        ok(c.append(self.own('Share'), None, None, b'Subject: s\r\n\r\nbody\r\n'))
        ok(c.append('INBOX', '(\\Seen)', None, b'Subject: t\r\n\r\nbody\r\n'))
        ok(c.subscribe(self.own('Sent')))
        b = self.login('bob')
        ok(b.select(self.shared(), readonly=False))
        ok(b.store('1', '+FLAGS', '(\\Seen)'))
        ok(b.unselect())
        with smtplib.LMTP('127.0.0.1', self.i.ports['lmtp']) as s:
            s.sendmail('x@example.org', ['alice'],
                       b'Subject: d\r\nMessage-ID: <1@x>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nhello\r\n')
        for x in (a, b, c):
            x.logout()
        self.i.stop()
        self.i.tool('ctl_cyrusdb', '-c')

    def shared(self):
        return '"Other Users/alice/Share"' if self.level == '3.6' else 'user.alice.Share'

    def user_file(self, user, suffix):
        if self.level == '2.5':
            return self.i.path(f'conf/user/{user[0]}/{user}.{suffix}')
        return self.i.tool('mbpath', '-U', f'user/{user}').stdout.strip() + f'/{suffix}.db'

    def view(self):
        """What alice and bob are told of everything."""
        self.i.start()
        out = {}
        for user in ('alice', 'bob'):
            c = self.login(user)
            out[user, 'list'] = sorted(ok(c.list()))
            out[user, 'lsub'] = sorted(x for x in ok(c.lsub()) if x)
            out[user, 'use'] = sorted(x for x in ok((c.xatom('LIST', '(SPECIAL-USE)', '""', '"*"')[0], c.response('LIST')[1]))
                                      if x)
            out[user, 'quota'] = ok(c.getquotaroot('INBOX'))
            for m in ['INBOX', self.shared()] if user == 'bob' else ['INBOX', self.own('Share'), self.own('Sent')]:
                ok(c.select(m, readonly=True))
                r = c.fetch('1:*', '(UID FLAGS BODY.PEEK[])')
                lines = [b''.join(x) if isinstance(x, tuple) else x for x in r[1]] if r[0] == 'OK' else []
                # who has looked first is no part of it
                for gone in (rb'\\Recent ', rb' \\Recent', rb'\\Recent'):
                    lines = [re.sub(gone, b'', x) for x in lines]
                out[user, m] = lines
                ok(c.unselect())
            c.logout()
        self.i.stop()
        return out

    def bears(self):
        """With the damage: the server starts, and a user can read his mail."""
        self.i.start()
        c = self.login('alice')
        ok(c.select('INBOX'))
        assert b'Subject: ' in ok(c.fetch('1', '(BODY[])'))[0][1]
        ok(c.unselect())
        c.lsub()
        c.xatom('LIST', '(SPECIAL-USE)', '""', '"*"')
        c.getquotaroot('INBOX')
        b = self.login('bob')
        for x in (lambda: b.select(self.shared()), lambda: b.store('1', '+FLAGS', '(\\Answered)')):
            try:
                x()                                            # may be refused; the session goes on
            except imaplib.IMAP4.error:
                pass
        ok(b.noop())
        with smtplib.LMTP('127.0.0.1', self.i.ports['lmtp']) as s:
            s.sendmail('x@example.org', ['bob'],
                       b'Subject: d\r\nMessage-ID: <2@x>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nhello\r\n')
        c.logout()
        b.logout()
        self.i.stop()

    def follow(self, commands, file=''):
        env = dict(self.i.env, PATH=self.bin + ':/usr/bin:/bin', CONFDIR=self.i.path('conf'), F=file)
        if self.level == '2.5':
            commands = commands.replace('user/alice', 'user.alice')
        r = subprocess.run(['sh', '-euc', commands], env=env, capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, (commands, r.stdout, r.stderr)
        return r.stdout


def garbage(path):
    with open(path, 'wb') as f:
        f.write(b'not a database of any kind that anybody has ever known, ' * 9)


def cut(path):
    """The tail is gone and what is left has holes."""
    with open(path, 'rb') as f:
        data = f.read()
    half = bytearray(data[:max(len(data) * 2 // 3, 1)])
    for n in range(24, len(half), 37):
        half[n] ^= 0x55
    with open(path, 'wb') as f:
        f.write(half)


HOW = [garbage, cut]
LEVELS = ['2.5', '3.6']


@pytest.fixture
def site(request):
    s = Site(request.param)
    yield s
    s.i.close()


def unreadable(s):
    r = s.i.tool('cyr_info', 'store', check=False)
    return r.returncode == 75 or 'none' in r.stdout


each = pytest.mark.parametrize('how', HOW)
levels = pytest.mark.parametrize('site', LEVELS, indirect=True)


@each
@levels
def test_the_list_from_a_snapshot(site, how):
    before = site.view()
    how(site.i.path('conf/mailboxes.db'))
    out = site.follow(blocks('The mailbox list from a snapshot')[0])
    assert 'restored; the old one is' in out
    assert site.view() == before


@each
@levels
def test_the_list_from_the_spool(site, how):
    before = site.view()
    how(site.i.path('conf/mailboxes.db'))
    site.follow('ctl_mboxlist --rebuild -n; ctl_mboxlist --rebuild')
    after = site.view()
    assert after == before


@levels
def test_damaged_records_of_a_list(site):
    before = site.view()
    key = 'user.alice.bad' if site.level == '2.5' else 'Nuser\x1falice\x1fbad'
    site.i.tool('cyr_dbtool', site.i.path('conf/mailboxes.db'), 'twoskip', 'set', key, '%(A %(a b lrs) broken')
    assert site.view() == before                                      # passed over
    site.follow(blocks('The mailbox list from a snapshot')[1])
    assert site.view() == before
    assert site.i.tool('cyr_dbtool', site.i.path('conf/mailboxes.db'), 'twoskip', 'get', key).stdout == '\n'


@each
@levels
def test_a_quota_root(site, how):
    before = site.view()
    file = site.i.path('conf/quota/a/user.alice')
    how(file)
    site.bears()
    site.follow(blocks('A quota root')[0], file)
    after = site.view()
    assert after['alice', 'quota'] == before['alice', 'quota'] and b'100000' in str(after['alice', 'quota']).encode()


@each
@levels
def test_the_annotations(site, how):
    before = site.view()
    assert any(b'\\Sent' in x for x in before['alice', 'use'])
    how(site.i.path('conf/annotations.db'))
    site.bears()
    assert 'Yes, consistent' in site.follow(blocks('The annotations')[0])
    after = site.view()
    assert after['alice', 'use'] == before['alice', 'use'] and after['alice', 'list'] == before['alice', 'list']


@each
@levels
def test_the_annotations_of_messages(site, how):
    before = site.view()
    inbox = site.i.tool('mbpath', site.name('user', 'alice')).stdout.strip()
    file = inbox + '/cyrus.annotations'
    site.i.tool('cyr_dbtool', '-n', file, 'twoskip', 'set', 'x', 'y')
    how(file)
    assert unreadable(site) or how is cut
    site.bears()
    site.follow(blocks("The annotations of a mailbox's messages")[0], file)
    assert not os.path.exists(file)
    assert site.view()['alice', 'INBOX'] == before['alice', 'INBOX']


@each
@levels
@pytest.mark.parametrize('table', ['sub', 'seen'])
def test_files_of_users(site, how, table):
    before = site.view()
    user = 'alice' if table == 'sub' else 'bob'
    file = site.user_file(user, table)
    how(file)
    site.bears()
    site.follow(blocks('Subscriptions' if table == 'sub' else 'Seen state')[0], file)
    after = site.view()
    if table == 'sub':
        assert not after['alice', 'lsub']
        site.i.start()
        c = site.login('alice')
        ok(c.subscribe(site.own('Sent')))
        c.logout()
        site.i.stop()
        assert site.view()['alice', 'lsub'] == before['alice', 'lsub']
    else:
        assert [x for x in before['bob', site.shared()] if b'\\Seen' in x] and not [x for x in after['bob', site.shared()]
                if b'\\Seen' in x]
        assert after['alice', 'INBOX'] == before['alice', 'INBOX']                       # \\Seen of owners is not there
    assert os.path.exists(file + '.damaged')


@each
@pytest.mark.parametrize('site', ['3.6'], indirect=True)
@pytest.mark.parametrize('table', ['deliver.db', 'statuscache.db', 'tls_sessions.db'])
def test_what_may_go(site, how, table):
    before = site.view()
    file = site.i.path('conf/' + table)
    if not os.path.exists(file):
        site.i.tool('cyr_dbtool', '-n', file, 'twoskip', 'set', 'x', 'y')
    how(file)
    site.bears()
    site.follow(blocks('What may simply go')[0], file)
    after = site.view()
    for k in before:
        if k[0] == 'alice' and not k[1].endswith('Share'):               # there bob has set a flag meanwhile
            assert after[k] == before[k], k
    assert not unreadable(site)


@pytest.mark.parametrize('site', ['3.6'], indirect=True)
def test_conversations(site):
    before = site.view()
    for table in ('conversations', 'counters'):
        file = site.user_file('alice', table)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        garbage(file)
        site.bears()
        site.follow(blocks('Conversations')[0], file)
        assert os.path.exists(file + '.damaged') and not os.path.exists(file)
    assert site.view()['alice', 'INBOX'] == before['alice', 'INBOX']


def test_every_block_of_the_page_is_tried():
    """A heading with commands that no test names is a page that nobody has followed."""
    with open(PAGE) as f:
        page = f.read()
    with open(os.path.abspath(__file__)) as f:
        tests = f.read()
    for heading, part in re.findall(r'^##? (.*)\n(.*?)(?=^##? |\Z)', page, re.M | re.S):
        if re.search(r'^    \S', part, re.M) and heading != 'When the mailbox list is lost':
            assert f"blocks('{heading}')" in tests or f'blocks("{heading}")' in tests or f"'{heading}'" in tests, heading
