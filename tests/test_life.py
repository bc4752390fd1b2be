#!/usr/bin/env python3
"""The life of mailboxes and accounts: CREATE, DELETE, RENAME in all their forms, autocreation; both layouts, in each release's
words. Beside Debian's Cyrus: test_life_peer.py. Run by pytest."""
import os, re, smtplib, subprocess, time

import pytest

from instance import Instance
from raw import Raw as Plain

LEVELS = ['2.5', '3.6']
TIME = re.compile(r'\b[0-9A-F]{8}\b')


class Raw(Plain):
    def mask(self, line):
        return re.sub(r'\[MAILBOXID \([a-z0-9]+\)\] ', '', line)

    def append(self, name, n):
        text = b'From: a@example.org\r\nSubject: number %d\r\n\r\nbody %d\r\n' % (n, n)
        assert self('APPEND %s {%d}' % (name, len(text)), text)[-1].startswith('OK')

    def names(self, pattern='*'):
        return [re.sub(r'^[^)]*\) "." ', '', l) for l in self('LIST "" ' + pattern) if l.startswith('* LIST')]

    def uses(self, name):
        """What LIST shows behind the children attribute."""
        return re.sub(r'^\* LIST \(\\Has(No)?Children ?([^)]*)\).*', r'\2', self('LIST "" ' + name)[0])

    def subscribed(self):
        return [re.sub(r'^[^)]*\) "." ', '', l) for l in self('LSUB "" *') if l.startswith('* LSUB')]


class Site:
    """sep and namespace of the level's defaults: 2.5 '.' and INBOX., 3.6 '/' and the alternative one."""

    def __init__(self, level, conf='', users=('alice', 'bob'), make=True, lmtp=False):
        self.level, self.users = level, users
        self.i = Instance(f'compatibility_level: {level}\nspecialusealways: yes\n{conf}',
                          users=('admin', 'alice', 'bob', 'zoe', 'jim', 'joe@example.com', 'admin@example.com')
                          + tuple(users), services=('imap', 'lmtp') if lmtp else ('imap',))
        with open(self.i.path('imapd.conf'), 'a') as f:
            f.write(f'partition-second: {self.i.path("second")}\nsievedir: {self.i.path("sieve")}\n')
        self.i.start()
        self.sep = '.' if level == '2.5' else '/'
        self.own = 'INBOX.' if level == '2.5' else ''
        self.admin = self.login('admin')
        if make:
            for u in users:
                assert self.admin('CREATE ' + self.t('user/' + u))[-1] == 'OK Completed'

    def t(self, name):
        """A name written with '/'; '~' is the way to one's own folders."""
        return name.replace('/', self.sep).replace('~', self.own)

    def login(self, user):
        return Raw(self.i.ports['imap'], user)

    def play(self, table):
        """Rows (who, command, answer...): the tagged line last, untagged ones before; a tuple holds the words of 2.5 and of 3.6;
        None: any."""
        sessions = {'admin': self.admin}
        for who, command, *want in table:
            if who not in sessions:
                sessions[who] = self.login(who)
            command = self.t(command)
            got = sessions[who](command)
            want = [w[LEVELS.index(self.level)] if isinstance(w, tuple) else w for w in want]
            want = [self.t(w) if w and w.startswith('* ') else w for w in want if w != '']
            if want != [None]:
                assert got == want, (who, command)
        return sessions

    def close(self):
        status = self.i.stop()
        self.i.close()
        assert status == 0


@pytest.fixture(params=LEVELS)
def site(request):
    s = Site(request.param, 'specialuse_extra: \\Extra\nspecialuse_nochildren: \\Trash\n')
    yield s
    s.close()


OK, PERM, GONE, EXISTS = 'OK Completed', 'NO Permission denied', 'NO Mailbox does not exist', 'NO Mailbox already exists'
BADNAME, NOTSUPP, CONFLICT = 'NO Invalid mailbox name', 'NO Operation is not supported on mailbox', 'NO SPECIAL-USE flag conflict'
BADPART = 'BAD Invalid partition name in Create'

# What no client should send, and what nobody may do.
BAD = [
    ('alice', 'CREATE', 'BAD Missing required argument to Create'),
    ('alice', 'DELETE', 'BAD Missing required argument to Delete'),
    ('alice', 'RENAME', 'BAD Missing required argument to Rename'),
    ('alice', 'RENAME a', 'BAD Missing required argument to Rename'),
    ('alice', 'CREATE ""', BADNAME), ('alice', 'DELETE ""', GONE), ('alice', 'RENAME "" ~x', GONE),
    ('alice', 'RENAME INBOX ""', BADNAME),
    ('alice', 'CREATE ~a (', BADPART), ('alice', 'CREATE ~a ()', BADPART), ('alice', 'CREATE ~a (USE)', BADPART),
    ('alice', 'CREATE ~a (USE (', BADPART),
    ('alice', 'CREATE ~a (USE (\\Junk)', BADPART), ('alice', 'CREATE ~a (USE (\\Junk) x)', BADPART),
    ('alice', 'CREATE ~a (USE ((\\Junk)))', BADPART),
    ('alice', 'CREATE ~a (USE (\\))', BADPART), ('alice', 'CREATE ~a (USE (\\Junk)) x',
                                                 'BAD Unexpected extra arguments to Create'),
    ('alice', 'CREATE ~a b c', 'BAD Unexpected extra arguments to Create'),
    ('alice', 'DELETE ~a b', 'BAD Unexpected extra arguments to Delete'),
    ('alice', 'RENAME ~a ~b c d', 'BAD Unexpected extra arguments to Rename'),
    ('alice', 'RENAME ~a ~b (c)', 'BAD Invalid partition name in Rename'),
    ('alice', 'CREATE ~a default', PERM), ('alice', 'CREATE ~a (PARTITION default)', PERM),
    ('alice', 'CREATE ~a (PARTITION nowhere)', PERM),
    ('admin', 'CREATE a nowhere', 'NO Unknown/invalid partition'),
    ('admin', 'CREATE a (PARTITION nowhere)', 'NO Unknown/invalid partition'),
    ('alice', 'CREATE ~a (TYPE bogus)', 'NO Invalid mailbox type'), ('alice', 'CREATE INBOX', EXISTS),
    ('alice', 'DELETE INBOX', NOTSUPP),
    ('alice', 'DELETE ~none', GONE), ('alice', 'RENAME ~none ~x', GONE), ('alice', 'RENAME INBOX INBOX', (EXISTS, PERM)),
    ('alice', 'CREATE "~a%b"', BADNAME), ('alice', 'CREATE "~a\\"b"', BADNAME), ('alice', 'CREATE ~' + 'x' * 491, BADNAME),
    ('admin', 'CREATE user/nobody/x', PERM), ('admin', 'CREATE user', BADNAME), ('admin', 'CREATE user/anyone', BADNAME),
    ('admin', 'RENAME user/alice user/alice', EXISTS), ('admin', 'RENAME user/alice user/bob', EXISTS),
    ('admin', 'RENAME user/alice x', NOTSUPP),
    ('admin', 'RENAME user/alice user/alice/x', NOTSUPP),
    ('admin', 'RENAME user/alice user/alice nowhere', 'NO Server(s) unavailable to complete operation'),
    ('admin', 'DELETE user/bob', PERM), ('admin', 'DELETE user/nobody', GONE),
    ('bob', 'CREATE ~ok', OK),
]


def test_bad_input(site):
    site.play(BAD)
    assert site.admin.names() == [site.t(x) for x in ('user/alice', 'user/bob', 'user/bob/ok')]


def test_a_move_to_where_it_is_harms_nothing(site):
    c = site.login('alice')
    c.append('INBOX', 1)
    assert site.admin(site.t('RENAME user/alice user/alice default'))[-1] == EXISTS
    assert '* 1 EXISTS' in c('SELECT INBOX')
    assert c('FETCH 1 BODY.PEEK[TEXT]')[-1] == OK


LIFE = [
    ('alice', 'CREATE ~a', OK), ('alice', 'CREATE ~a', EXISTS), ('alice', 'CREATE ~a/b/c/d', OK),
    ('alice', 'RENAME ~a ~z', ('', '* OK rename ~a ~z'), ('', '* OK rename ~a/b ~z/b'), ('', '* OK rename ~a/b/c ~z/b/c'),
     '* OK rename ~a/b/c/d ~z/b/c/d', OK),
    ('alice', 'RENAME ~z/b/c/d ~one', ('', '* OK rename ~z/b/c/d ~one'), OK),
    ('alice', 'RENAME ~one ~p/q/r', ('', '* OK rename ~one ~p/q/r'), OK),
    ('alice', 'RENAME ~z ~z/y', None),
    ('alice', 'DELETE ~p', (GONE, 'NO [HASCHILDREN] Mailbox has inferior hierarchical names')), ('alice', 'DELETE ~p/q/r', OK),
    ('alice', 'RENAME ~z/y ~p/q/r', None), ('alice', 'RENAME ~p/q/r INBOX', EXISTS), ('bob', 'RENAME ~no INBOX', GONE),
    ('alice', 'SETACL ~p/q/r bob l', OK), ('bob', 'DELETE ' + 'user/alice/p/q/r', None),
]


def test_trees(site):
    s = site.play(LIFE)
    names = s['alice'].names()
    assert site.t('~p/q/r') in names and not [n for n in names if 'z' in n]
    assert (site.t('~p/q') in names) == (site.level == '3.6')
    assert len([n for n in site.admin.names('DELETED*') if TIME.search(n)]) == 1


USES = [
    ('alice', 'CREATE ~Sent (USE (\\sent))', OK), ('alice', 'CREATE ~S2 (USE (\\Sent))',
                                                   (OK, 'NO [USEATTR] SPECIAL-USE flag conflict')),
    ('alice', 'CREATE ~X (USE (\\Bogus))', 'NO [USEATTR] Invalid annotation entry'),
    ('alice', 'CREATE ~X (USE (\\All))', 'NO [USEATTR] Invalid annotation entry'),
    ('alice', 'CREATE ~A/B (USE (\\Junk))', (OK, CONFLICT)), ('alice', 'CREATE ~E (USE (\\Extra \\Drafts))', OK),
    ('alice', 'CREATE ~N (USE ())', OK),
    ('alice', 'CREATE ~N2 (USE \\Junk)', OK), ('alice', 'CREATE ~N3 (FOO bar)', OK),
    ('alice', 'CREATE ~Trash (USE (\\Trash))', OK),
    ('alice', 'CREATE ~Trash/x', (OK, PERM)), ('alice', 'CREATE ~Sent (USE (\\Junk))', EXISTS),
    ('alice', 'CREATE ~I (USE (\\Important))',
     ('NO [USEATTR] Invalid annotation entry', OK)), ('alice', 'CREATE user/bob/X (USE (\\Junk))', None),
    ('alice', 'DELETE ~Sent', (OK, CONFLICT)), ('alice', 'DELETE ~E', (OK, CONFLICT)), ('alice', 'CREATE ~P', OK),
]


def test_special_uses(site):
    site.play(USES)
    c = site.login('alice')
    if site.level == '3.6':
        site.play([('alice', 'RENAME Sent Gesendet', '* OK rename Sent Gesendet', OK),
                   ('alice', 'RENAME Gesendet P/Gesendet', CONFLICT),
                   ('admin', 'SETACL user/alice/Gesendet admin lrx', OK), ('admin', 'DELETE user/alice/Gesendet', OK),
                   ('alice', 'CREATE Sent (USE (\\Sent))', OK)])
        assert c.uses('Sent') == '\\Sent'
    assert c.uses(site.t('~Trash')) == '\\Trash'


def test_an_inbox_renamed_gives_away_its_messages(site):
    c = site.login('alice')
    assert c(site.t('RENAME INBOX ~Old'))[-1] == (OK if site.level == '2.5' else 'NO No matching messages')
    if site.level == '2.5':
        c(site.t('DELETE ~Old'))
    assert site.t('~Old') not in c.names()
    for n in (1, 2, 3):
        c.append('INBOX', n)
    c('SELECT INBOX')
    c('STORE 2 +FLAGS (\\Flagged kept)')
    assert c(site.t('RENAME INBOX ~Old'))[-1] == OK
    assert '* 0 EXISTS' in c('SELECT INBOX') and '* 3 EXISTS' in c(site.t('SELECT ~Old'))
    assert 'kept' in c('FETCH 2 FLAGS')[0] and '\\Flagged' in c('FETCH 2 FLAGS')[0]
    assert c(site.t('RENAME INBOX ~Old'))[-1] == EXISTS


def test_names_at_the_limit(site):
    c = site.login('alice')
    room = 490 - len('user.alice.')
    part = '/'.join(['x' * 200] * 2 + ['y' * (room - 402)])
    assert c(site.t('CREATE ~' + part))[-1] == OK
    assert c(site.t('CREATE ~' + part + 'y'))[-1] == BADNAME
    assert c(site.t('RENAME ~' + part + ' ~' + part[:-1] + 'zz'))[-1] == BADNAME
    assert c(site.t('RENAME ~' + part + ' ~' + part[:-1] + 'z'))[-1] == OK
    c.append(site.t('~' + part[:-1] + 'z'), 1)
    assert c(site.t('DELETE ~' + part[:-1] + 'z'))[-1] == OK            # the deleted name is longer than a name may be
    deep = '~' + '/'.join('d' * 60)
    assert c(site.t('CREATE ' + deep))[-1] == OK
    assert c(site.t('RENAME %s %s' % (deep, deep.replace('d', 'e'))))[-1] == OK
    assert c(site.t('DELETE ' + deep.replace('d', 'e')))[-1] == OK


def test_deleted_names(site):
    c = site.login('alice')
    before = int(time.time())
    for _ in range(3):
        assert c(site.t('CREATE ~Gone'))[-1] == OK
        assert c(site.t('DELETE ~Gone'))[-1] == OK
    names = site.admin.names('DELETED*')
    assert len(names) == len(set(names)) == 3
    for n in names:
        m = re.fullmatch(site.t('DELETED/user/alice/Gone/').replace('.', r'\.') + r'([0-9A-F]{8})', n)
        assert m and before <= int(m[1], 16) < before + 60
    assert site.admin('SETACL %s admin lrx' % names[0])[-1] == OK
    assert site.admin('DELETE %s' % names[0])[-1] == OK
    assert site.admin.names('DELETED*') == names[1:]
    assert site.admin(site.t('RENAME %s user/alice/Back' % names[1]))[-1] == OK
    assert site.t('~Back') in c.names()


@pytest.mark.parametrize('level', LEVELS)
def test_deleted_at_once(level):
    s = Site(level, 'delete_mode: immediate\n')
    c = s.login('alice')
    c(s.t('CREATE ~Gone'))
    c.append(s.t('~Gone'), 1)
    assert c(s.t('DELETE ~Gone'))[-1] == OK
    assert s.admin.names('DELETED*') == []
    files = subprocess.run(['find', s.i.path('spool'), '-name', '1.'], capture_output=True, text=True).stdout
    assert files == ''
    assert c(s.t('CREATE ~Gone'))[-1] == OK and '* 0 EXISTS' in c(s.t('SELECT ~Gone'))
    s.close()


# ------------------------------------------------------------------------------------------------ accounts

def make_account(s):
    """What is to go along: folders, subscriptions, ACLs, limits, a script, somebody else's seen state."""
    s.play([('admin', 'SETQUOTA user/alice (STORAGE 1000 MESSAGE 50)', OK), ('alice', 'CREATE ~Work', OK),
            ('alice', 'CREATE ~Work/Deep', OK),
            ('alice', 'CREATE ~Sent (USE (\\Sent))', OK), ('alice', 'SETACL ~Work bob lrs', OK), ('alice', 'SUBSCRIBE ~Work', OK),
            ('alice', 'SUBSCRIBE INBOX', OK)])
    c = s.login('alice')
    for n in (1, 2):
        c.append(s.t('~Work'), n)
    b = s.login('bob')
    b('SELECT ' + (s.t('user/alice/Work') if s.level == '2.5' else '"Other Users/alice/Work"'))
    b('STORE 1 +FLAGS (\\Seen)')
    b('UNSELECT')
    return c, b


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('conf', ['', 'mailbox_legacy_dirs: yes\n', 'virtdomains: userid\n'])
def test_a_user_gets_another_name(level, conf):
    s = Site(level, conf, users=('alice', 'bob', 'alicex'))
    make_account(s)
    s.admin(s.t('SETQUOTA user/alicex (STORAGE 77)'))
    subprocess.run(['mkdir', '-p', s.i.path('sieve/a/alice')], check=True)
    open(s.i.path('sieve/a/alice/x.script'), 'w').close()
    got = s.admin(s.t('RENAME user/alice user/jim'))
    assert got == [s.t('* OK rename user/alice%s user/jim%s' % (x, x)) for x in ('', '/Sent', '/Work', '/Work/Deep')] + [OK]
    assert s.admin(s.t('GETACL user/jim'))[0] == s.t('* ACL user/jim jim lrswipkxtecdan')
    assert s.admin(s.t('GETACL user/jim/Work'))[0] == s.t('* ACL user/jim/Work bob lrs jim lrswipkxtecdan')
    assert s.admin(s.t('GETQUOTAROOT user/jim/Work'))[:2] == [s.t('* QUOTAROOT user/jim/Work user/jim'),
                                                              s.t('* QUOTA user/jim (STORAGE 0 1000 MESSAGE 2 50)')]
    assert s.admin(s.t('GETQUOTA user/alice'))[-1] == 'NO Quota root does not exist'
    assert s.admin(s.t('GETQUOTA user/alicex'))[0] == s.t('* QUOTA user/alicex (STORAGE 0 77)')
    j = s.login('jim')
    assert j.subscribed() == [s.t(x) for x in ('INBOX', '~Work')]
    assert j.uses(s.t('~Sent')) == '\\Sent'
    assert '* 2 EXISTS' in j(s.t('SELECT ~Work'))
    b = s.login('bob')
    got = b('SELECT ' + (s.t('user/jim/Work') if level == '2.5' else '"Other Users/jim/Work"'))
    assert '* 2 EXISTS' in got and '\\Seen' in b('FETCH 1 FLAGS')[0] and '\\Seen' not in b('FETCH 2 FLAGS')[0]
    if level == '2.5' or 'legacy' in conf:
        assert os.path.exists(s.i.path('sieve/j/jim/x.script')) and not os.path.exists(s.i.path('sieve/a/alice'))
    assert s.i.tool('quota', '-f', '-n', check=False).stdout.count('was') == 0
    s.close()


@pytest.mark.parametrize('level', LEVELS)
def test_an_account_is_deleted(level):
    s = Site(level, users=('alice', 'bob', 'alicex'))
    make_account(s)
    s.admin(s.t('SETQUOTA user/alicex (STORAGE 77)'))
    s.play([('admin', 'DELETE user/alice', PERM), ('admin', 'SETACL user/alice admin lrx', OK),
            ('admin', 'DELETE user/alice', OK)])
    assert [TIME.sub('T', n) for n in s.admin.names('DELETED*')] == [s.t('DELETED/user/alice%s/T' % x) for x
                                                                     in (('', '/Sent', '/Work', '/Work/Deep')
                                                                    if level == '3.6' else ('', '/Sent', '/Work', '/Work/Deep'))]
    assert s.admin(s.t('GETQUOTA user/alicex'))[0] == s.t('* QUOTA user/alicex (STORAGE 0 77)')
    assert s.admin(s.t('GETQUOTA user/alice'))[-1] == 'NO Quota root does not exist'
    s.admin(s.t('CREATE user/alice'))
    c = s.login('alice')
    assert c('LSUB "" *') == [OK] and len(c.names()) == 1
    s.close()


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('how', ['DELETE user/alice', 'RENAME user/alice user/jim'])
def test_sessions_of_an_account_that_is_gone_are_ended(level, how):
    s = Site(level, 'imapidlepoll: 1\n')
    c, idle, other, b = s.login('alice'), s.login('alice'), s.login('alice'), s.login('bob')
    c('SELECT INBOX')
    s.admin(s.t('SETACL user/alice admin lrx'))
    assert c('NOOP') == other('NOOP') == [OK]
    idle.f.write(b't IDLE\r\n')
    idle.f.flush()
    assert idle.f.readline() == b'+ idling\r\n'
    s.admin('CREATE x')                                                            # the list changes, and he is still there
    assert other('NOOP') == [OK]
    assert s.admin(s.t(how))[-1] == OK
    bye = '* BYE account is gone'
    assert idle.f.readline().decode().rstrip() == bye and idle.f.readline() == b''
    for session in (c, other):
        assert session('NOOP')[0] == bye
    assert b('NOOP') == [OK] and s.admin('NOOP') == [OK]
    # nobody of that name any more; but he may come back
    if how.startswith('DELETE'):
        d = s.login('alice')
        assert d('SELECT INBOX') == [GONE] and d('NOOP') == [OK]
        s.admin(s.t('CREATE user/alice'))
        assert d('NOOP') == [OK] and d('SELECT INBOX')[-1].startswith('OK')
    s.close()


@pytest.mark.parametrize('level', LEVELS)
def test_partitions(level):
    s = Site(level)
    c, b = make_account(s)
    c.append('INBOX', 3)
    c('SELECT INBOX')
    got = s.admin(s.t('RENAME user/alice user/alice second'))
    assert got == [s.t('* OK rename user/alice%s user/alice%s' % (x, x)) for x in ('', '/Sent', '/Work', '/Work/Deep')] + [OK]
    assert subprocess.run(['find', s.i.path('spool'), '-name', '1.'], capture_output=True, text=True).stdout.count('\n') <= 1
    c('NOOP')
    assert '* 1 EXISTS' in c('SELECT INBOX') and '* 2 EXISTS' in c(
            s.t('SELECT ~Work')) and c('FETCH 1:2 BODY.PEEK[TEXT]')[-1] == OK
    assert c.uses(s.t('~Sent')) == '\\Sent'
    c('UNSELECT')
    found = subprocess.run(['find', s.i.path('spool'), '-name', '[0-9]*.'], capture_output=True, text=True).stdout
    assert found == ''
    assert s.admin(s.t('RENAME user/alice user/alice second'))[-1] == EXISTS
    assert s.admin(s.t('RENAME user/alice/Work user/alice/Play default'))[-1] == (OK if level == '2.5' else
                       'NO Cross-server or cross-partition move w/rename not supported')
    assert c(s.t('CREATE ~New'))[-1] == OK                                  # where its INBOX is
    assert s.i.tool('quota', '-f', '-n', check=False).stdout.count('was') == 0
    s.close()


@pytest.mark.parametrize('level', LEVELS)
def test_domains(level):
    s = Site(level, 'virtdomains: userid\ndefaultdomain: test.example\n')
    at = '@example.com'
    s.play([('admin', 'CREATE user/joe' + at, OK), ('admin', 'SETQUOTA user/joe' + at + ' (STORAGE 500)', OK),
            ('joe@example.com', 'CREATE ~Work', OK),
            ('joe@example.com', 'SUBSCRIBE ~Work', OK), ('joe@example.com', 'RENAME ~Work ~Play', None)])
    j = s.login('joe@example.com')
    assert s.t('~Play') in j.names()
    j(s.t('SUBSCRIBE ~Play'))
    got = s.admin(s.t('RENAME user/joe%s user/zoe' % at))
    assert got[-1] == OK and len(got) == 3, got
    assert s.admin(s.t('GETACL user/zoe/Play'))[0] == s.t('* ACL user/zoe/Play zoe lrswipkxtecdan')
    assert s.admin(s.t('GETQUOTA user/zoe'))[0] == s.t('* QUOTA user/zoe (STORAGE 0 500)')
    assert s.t('~Play') in s.login('zoe').subscribed()
    got = s.admin(s.t('RENAME user/zoe user/joe' + at))
    assert got[-1] == OK
    assert s.t('user/joe/Play' + at) in s.admin.names()
    assert s.admin(s.t('SETACL user/joe%s admin lrx' % at))[-1] == OK
    assert s.admin(s.t('DELETE user/joe' + at))[-1] == OK
    assert [TIME.sub('T', n) for n in s.admin.names('DELETED*')] == [s.t('DELETED/user/joe/T' + at),
                                                                     s.t('DELETED/user/joe/Play/T' + at)]
    s.close()


# ------------------------------------------------------------------------------------------------ other sessions

@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('how', ['no', 'yes'])
def test_who_has_it_selected(level, how):
    s = Site(level, f'disconnect_on_vanished_mailbox: {how}\n')
    a, b = s.login('alice'), s.login('alice')
    for name in ('~Gone', '~Moved'):
        a(s.t('CREATE ' + name))
        a.append(s.t(name), 1)
    b(s.t('SELECT ~Gone'))
    assert a(s.t('DELETE ~Gone'))[-1] == OK
    got = b('NOOP')
    if how == 'yes' and (level == '2.5' or got[0].startswith('* BYE')):
        assert got[0].startswith('* BYE ')
    elif level == '2.5':
        assert '* 1 EXPUNGE' in got and got[-1] == OK
        assert b('FETCH 1 UID')[-1].startswith(('NO', 'BAD'))
    b = s.login('alice')
    b(s.t('SELECT ~Moved'))
    assert a(s.t('RENAME ~Moved ~Renamed'))[-1] == OK
    got = b('NOOP')
    if level == '3.6':                                                     # by id it is the same mailbox, and goes on
        assert got == [OK] and b('FETCH 1 UID') == ['* 1 FETCH (UID 1)', OK]
        a.append('Renamed', 2)
        assert '* 2 EXISTS' in b('NOOP')
        b('STORE 1 +FLAGS (\\Flagged)')
        assert '\\Flagged' in a('EXAMINE Renamed') + a('FETCH 1 FLAGS') or '\\Flagged' in a('FETCH 1 FLAGS')[0]
    else:
        assert got[0].startswith('* BYE') if how == 'yes' else '* 1 EXPUNGE' in got
    assert '* 0 EXISTS' not in a(s.t('SELECT ~Renamed'))
    s.close()


def test_one_session_moves_what_it_has_selected(site):
    c = site.login('alice')
    c(site.t('CREATE ~a'))
    c.append(site.t('~a'), 1)
    c(site.t('SELECT ~a'))
    assert c(site.t('RENAME ~a ~b'))[-1] == OK
    c('NOOP')
    assert '* 1 EXISTS' in c(site.t('SELECT ~b')) and c('FETCH 1 BODY.PEEK[TEXT]')[-1] == OK
    assert c(site.t('CREATE ~a'))[-1] == OK
    assert '* 0 EXISTS' in c(site.t('SELECT ~a')) and '* 1 EXISTS' in c(site.t('SELECT ~b'))


# ------------------------------------------------------------------------------------------------ autocreation

AUTO = """autocreate_quota: 500
autocreate_quota_messages: 77
autocreate_inbox_folders: Sent | Trash|Deep%(sep)sEr
autocreate_subscribe_folders: Sent | Nope
autocreate_subscribe_sharedfolders: news | hidden | none
xlist-sent: Sent
autocreate_acl: Sent bob lr
autocreate_sieve_script: %(script)s
autocreate_sieve_script_compiled: %(script)s
%(more)s
"""


def auto_site(level, more, tmp_path, users=('bob',), **kw):
    script = tmp_path / 'auto.siv'
    script.write_text('keep;\n')
    s = Site(level, AUTO % {'sep': '.' if level == '2.5' else '/', 'script': script, 'more': more}, users=(), make=False, **kw)
    s.play([('admin', 'CREATE news', OK), ('admin', 'SETACL news anyone lrs', OK), ('admin', 'CREATE hidden', OK),
            ('admin', 'SETACL hidden anyone ""', OK)])
    return s


@pytest.mark.parametrize('level', LEVELS)
def test_an_account_at_its_first_login(level, tmp_path):
    s = auto_site(level, '', tmp_path)
    z = s.login('zoe')
    assert [n for n in z.names() if 'news' not in n] == ['INBOX'] + [s.t('~' + x) for x in (['Deep'] if level == '3.6' else [])
                                                                     + ['Deep/Er', 'Sent', 'Trash']]
    assert s.t('~Sent') in z.names() and s.t('~Trash') in z.names()
    assert z('GETQUOTAROOT INBOX')[1].endswith('(STORAGE 0 500 MESSAGE 0 77)')
    assert z.subscribed() == ['INBOX', s.t('~Sent'), 'news' if level == '2.5' else '"Shared Folders/news"']
    assert z.uses(s.t('~Sent')) == '\\Sent'
    assert z(s.t('GETACL ~Sent'))[0].endswith('zoe lrswipkxtecdan bob lr')
    script = subprocess.run(['find', s.i.path('sieve'), '-name', 'defaultbc'], capture_output=True, text=True).stdout.split()
    assert len(script) == 1 and open(script[0]).read() == 'keep;\n'
    z(s.t('DELETE ~Trash'))
    z = s.login('zoe')
    assert s.t('~Trash') not in z.names()                                  # only once
    assert s.t('user/admin') not in s.admin.names()
    s.close()


@pytest.mark.parametrize('level', LEVELS)
def test_who_is_autocreated(level, tmp_path):
    s = auto_site(level, 'autocreate_users: bob jim', tmp_path)
    assert not [n for n in s.login('zoe').names() if n == 'INBOX']
    assert [n for n in s.login('jim').names() if n == 'INBOX']
    z = s.login('zoe')
    assert z('CREATE INBOX')[-1] == OK                                     # asked for: with the limits, without the rest
    assert z('GETQUOTAROOT INBOX')[1].endswith('(STORAGE 0 500 MESSAGE 0 77)') and s.t('~Sent') not in z.names()
    s.close()
    s = Site(level, users=(), make=False)
    assert s.login('zoe')('CREATE INBOX')[-1] == PERM
    s.close()
    s = Site(level, 'autocreatequota: 0\n', users=(), make=False)            # off, in the old spelling
    assert s.login('zoe')('CREATE INBOX')[-1] == PERM
    s.close()


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('post', ['yes', 'no'])
def test_an_account_with_its_first_mail(level, post, tmp_path):
    s = auto_site(level, f'autocreate_post: {post}', tmp_path, lmtp=True)
    with smtplib.LMTP('127.0.0.1', s.i.ports['lmtp']) as l:
        l.ehlo('x')
        assert l.mail('a@example.org')[0] == 250
        assert l.rcpt('zoe')[0] == (250 if post == 'yes' else 550)
        if post == 'yes':
            assert l.data(b'From: a@example.org\r\nSubject: x\r\n\r\nhello\r\n')[0] == 250
    assert (s.t('user/zoe') in s.admin.names()) == (post == 'yes')
    if post == 'yes':
        z = s.login('zoe')
        assert '* 1 EXISTS' in z('SELECT INBOX') and s.t('~Sent') in z.names()
    s.close()
