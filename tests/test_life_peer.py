#!/usr/bin/env python3
"""The life of mailboxes in Debian's Cyrus 3.6.1 and in ours, compared; and the states that a death in the middle leaves, given to
Debian's Cyrus. Run by pytest."""
import os, re, shutil, subprocess

import pytest

from instance import BUILD, REALM
from peer import Pair, needs_peer
from test_life import OK, TIME, Raw

SCRIPT = [
    ('admin', 'CREATE user/alice'), ('admin', 'CREATE user/bob'), ('admin', 'CREATE news'), ('admin', 'SETACL news anyone lrs'),
    ('admin', 'SETQUOTA user/alice (STORAGE 5000)'),
    ('alice', 'CREATE Sent (USE (\\Sent))'), ('alice', 'CREATE Sent2 (USE (\\Sent))'), ('alice', 'CREATE X (USE (\\Bogus))'),
    ('alice', 'CREATE A/B (USE (\\Trash))'),
    ('alice', 'CREATE Two (USE (\\Junk \\Drafts))'), ('alice', 'CREATE N (USE ())'), ('alice', 'CREATE N2 (USE \\Junk)'),
    ('alice', 'CREATE N3 (FOO bar)'),
    ('alice', 'DELETE Sent'), ('alice', 'RENAME Sent Gesendet'), ('alice', 'RENAME Gesendet A/Gesendet'),
    ('alice', 'CREATE T/U/V'), ('alice', 'SUBSCRIBE T'),
    ('alice', 'SUBSCRIBE T/U'), ('alice', 'SUBSCRIBE "Shared Folders/news"'), ('alice', 'SETACL T/U bob lrs'),
    ('alice', 'RENAME T W'), ('alice', 'LSUB "" *'), ('alice', 'SUBSCRIBE W/U'),
    ('alice', 'RENAME W W'), ('alice', 'RENAME W/U/V W'), ('alice', 'RENAME nix foo'), ('alice', 'RENAME W INBOX'),
    ('alice', 'RENAME W INBOX/x'), ('alice', 'RENAME INBOX/x y'),
    ('alice', 'SUBSCRIBE y/U'), ('alice', 'CREATE P1/P2/P3'), ('alice', 'DELETE P1'), ('alice', 'DELETE P1/P2/P3'),
    ('alice', 'RENAME N P1/P2/P3/P4/P5'), ('alice', 'CREATE ' + 'x' * 300),
    ('alice', 'CREATE ' + 'y' * 479), ('alice', 'CREATE ' + 'z' * 480), ('admin', 'LIST "" DELETED/*'),
    ('admin', 'CREATE shared/a/b'), ('admin', 'CREATE qq default'),
    ('admin', 'RENAME qq qq default'), ('admin', 'RENAME qq qq nix'), ('admin', 'RENAME qq qqq default'),
    ('admin', 'RENAME qq qq'), ('admin', 'DELETE qq'),
    ('admin', 'SETACL qq admin x'), ('admin', 'DELETE qq'), ('admin', 'RENAME user/bob shared.b'),
    ('admin', 'RENAME user/bob user/bob/x'), ('admin', 'RENAME shared user/newu'),
    ('admin', 'RENAME user/alice user/zoe'), ('admin', 'RENAME user/zoe user/zoe second'),
    ('admin', 'RENAME user/zoe user/zoe second'), ('admin', 'SETACL user/bob admin lrx'),
    ('admin', 'DELETE user/bob'),
]
LOOKS = [('admin', 'LIST "" *'), ('zoe', 'LIST "" *'), ('zoe', 'LSUB "" *'), ('zoe', 'GETQUOTAROOT INBOX'),
         ('zoe', 'GETQUOTAROOT y/U'),
         ('zoe', 'GETACL INBOX'), ('zoe', 'GETACL y/U'), ('zoe', 'GETACL P1/P2/P3/P4/P5'), ('admin', 'GETACL user/newu/a'),
         ('admin', 'GETQUOTA user/alice'),
         ('zoe', 'STATUS y/U (MESSAGES UIDNEXT)'), ('zoe', 'STATUS INBOX (MESSAGES UIDNEXT)')]
META = [('zoe', 'GETMETADATA Gesendet (/private/specialuse /private/comment)'), ('zoe', 'GETMETADATA Two (/private/specialuse)'),
        ('admin', 'GETMETADATA user/zoe/y/U (/shared/vendor/cmu/cyrus-imapd/partition)')]


def pair(conf=''):
    p = Pair(f'compatibility_level: 3.6\n{conf}')
    with open(p.i.path('imapd.conf'), 'a') as f:
        f.write(f'partition-second: {p.i.path("second")}\n')
    os.makedirs(p.i.path('second'), exist_ok=True)
    for user in ('zoe', 'fred', 'jim'):
        subprocess.run(['saslpasswd2', '-p', '-c', '-f', p.i.path('conf/sasldb2'), '-u', REALM, user], input=b'pw\n', check=True)
    own(p)
    return p


def own(p):
    p.own()
    subprocess.run(['chown', '-R', 'cyrus:mail', p.i.path('second')], check=True)


def say(p, rows):
    sessions, out = {}, []
    for who, command in rows:
        if who not in sessions:
            sessions[who] = Raw(p.i.ports['imap'], who)
        out.append((who, command, [TIME.sub('T', l) for l in sessions[who](command)]))
    return out


@needs_peer
@pytest.mark.parametrize('conf', ['', 'mailbox_legacy_dirs: yes\n'])
def test_the_same_life_beside_debians_cyrus(conf):
    def live(start, stop_with=None):
        p = pair(conf)
        try:
            start(p)
            answers = say(p, SCRIPT)
            for n in (1, 2):
                Raw(p.i.ports['imap'], 'zoe').append('y/U', n)
            looks = say(p, LOOKS)
            p.i.stop()
            own(p)
            p.theirs()
            meta = say(p, META) + say(p, LOOKS)                            # their eyes on the store, whoever made it
            p.i.stop()
            own(p)
            rc, out, err = p.tool('reconstruct', '-n', '-G')
            assert rc == 0 and not [l for l in out.splitlines()
                                    if re.search(r' uid |updating|mismatch|odd|missing|failed|Wrong', l)], out
            rc, out, err = p.tool('quota', '-f', '-n', '-q')
            assert (rc, err) == (0, '') and 'was' not in out and '-->' not in out, out
            return answers, looks, meta
        finally:
            p.i.close()
    theirs, ours = live(Pair.theirs), live(Pair.ours)
    for a, b in zip(theirs, ours):
        for x, y in zip(a, b):
            assert x[:2] == y[:2] and '\n'.join(l[:70] for l in y[2]) == '\n'.join(l[:70] for l in x[2]), x[:2]


@needs_peer
def test_copy_takes_the_annotations_of_messages():
    p = pair('annotation_allow_undefined: yes\n')
    try:
        p.theirs()
        say(p, [('admin', 'CREATE user/alice'), ('alice', 'CREATE There'), ('alice', 'CREATE Again')])
        c = Raw(p.i.ports['imap'], 'alice')
        c.append('INBOX', 1)
        c('SELECT INBOX')
        assert c('STORE 1 ANNOTATION (/comment (value.shared "shared" value.priv "mine"))')[-1].startswith('OK')
        look = 'FETCH 1 (ANNOTATION (/comment (value)))'
        c('COPY 1 There')
        c('SELECT There')
        want = c(look)
        assert 'shared' in want[0] and 'mine' in want[0]
        p.i.stop()
        p.ours()
        c = Raw(p.i.ports['imap'], 'alice')
        c('SELECT INBOX')
        assert 'COPYUID' in c('COPY 1 Again')[-1]
        assert c('RENAME Again Renamed')[-1] == OK
        p.i.stop()
        own(p)
        rc, out, err = p.tool('reconstruct', '-n', '-G')
        assert rc == 0 and not [l for l in out.splitlines()
                                if re.search(r' uid |updating|mismatch|odd|missing|failed|Wrong', l)], out
        rc, out, err = p.tool('quota', '-f', '-n', '-q')
        assert 'was' not in out
        p.theirs()
        c = Raw(p.i.ports['imap'], 'alice')
        c('SELECT Renamed')
        assert c(look) == want
        p.i.stop()
    finally:
        p.i.close()


@needs_peer
@pytest.mark.parametrize('op,every', [('rename tree', 61), ('rename user', 113), ('delete user later', 61), ('partition', 131),
                                      ('rename inbox', 37)])
def test_debians_cyrus_sees_a_sane_store_after_a_crash(op, every, tmp_path):
    subprocess.run([os.path.join(BUILD, 'check_life')], check=True, timeout=600, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, LIFE_ONLY=op, LIFE_KEEP=str(tmp_path), LIFE_EVERY=str(every)))
    states = sorted(os.listdir(tmp_path))
    assert len(states) >= 3
    for state in states:
        p = pair()
        try:
            for d in ('conf', 'spool', 'second'):
                shutil.copytree(tmp_path / state / d, p.i.path(d), dirs_exist_ok=True, symlinks=True)
            for again in (False, True):
                own(p)
                p.theirs()
                numbers = []
                names = Raw(p.i.ports['imap'], 'admin').names()
                assert names, state
                for user in ('fred', 'jim'):
                    c = Raw(p.i.ports['imap'], user)
                    for name in [n for n in c.names() if not n.startswith('"Other')]:
                        got = c('SELECT ' + name)
                        assert got[-1].startswith('OK'), (state, user, name, got)
                        got = c('UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
                        assert got[-1].startswith('OK'), (state, user, name, got)
                        numbers += re.findall(r'Subject: message (\d+)', '\n'.join(got))
                deleted = [n for n in names if n.startswith('DELETED')]
                if op != 'rename inbox':
                    assert len(numbers) == len(set(numbers)), (state, numbers)
                if not deleted:
                    assert set('123456') <= set(numbers), (state, numbers, names)
                p.i.stop()
                if not again:
                    own(p)
                    rc, out, err = p.tool('reconstruct', '-r', 'user/*')
                    assert rc == 0 and 'failed' not in out + err, (state, out, err)
                    rc, out, err = p.tool('ctl_mboxlist', '-d')
                    assert rc == 0
        finally:
            p.i.close()
