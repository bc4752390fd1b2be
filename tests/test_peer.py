#!/usr/bin/env python3
"""Debian's Cyrus (3.6.1) and ours on one store, in turn, never together: they write and we read, we write and they read, and
their tools find nothing to say. Needs $PEER_ROOT: Debian's cyrus-imapd, cyrus-common and cyrus-clients unpacked by dpkg-deb -x;
and root, because their programs insist on the account cyrus. ./runtests provides both. Run by pytest."""
import os, re

import pytest

from instance import ok
from peer import SRC, Pair, needs_peer

CORPUS = os.path.join(SRC, 'cunit/golden/corpus')
ITEMS = ('(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY MODSEQ BODY.PEEK[HEADER.FIELDS (SUBJECT X-PRIORITY '
         'RECEIVED)] BODY.PEEK[])')

pytestmark = needs_peer


@pytest.fixture
def pair():
    p = Pair()
    yield p
    p.i.close()


def corpus():
    for name in sorted(os.listdir(CORPUS)):
        if name.endswith('.eml'):
            with open(os.path.join(CORPUS, name), 'rb') as f:
                data = f.read()
            if len(data) < 200_000:
                yield data


def picture(p, user, mailboxes):
    """All that a client can read of these mailboxes, without changing any of it."""
    c, out = p.login(user), {}
    out['list'] = sorted(x.split(b') ', 1)[1] for x in ok(c.list()))
    out['lsub'] = sorted(x.split(b') ', 1)[1] for x in ok(c.lsub()) if x)
    for m in mailboxes:
        out[m, 'status'] = ok(c.status(m, '(MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)'))
        out[m, 'acl'] = ok(c.getacl(m))
        out[m, 'quota'] = ok(c.getquotaroot(m))
        ok(c.select(m, readonly=True))
        answer = c.fetch('1:*', ITEMS)
        out[m, 'fetch'] = [b''.join(x) if isinstance(x, tuple) else x for x in answer[1]] if answer[0] == 'OK' \
            else [re.sub(rb' \(\d+\.\d+ sec\)', b'', x) for x in answer[1]]          # how long it took is no part of the picture
        out[m, 'search'] = ok(c.search(None, 'OR', 'FROM', '"a"', 'SUBJECT', '"e"'))
        ok(c.unselect())
    return out


def fill(p):
    """What an administrator and two users do."""
    a = p.login('admin')
    for user in ('alice', 'bob'):
        ok(a.create(f'user/{user}'))
    ok(a.create('news'))
    ok(a.setacl('news', 'anyone', 'lrsp'))
    ok(a.setquota('user/alice', '(STORAGE 100000 MESSAGE 5000)'))
    c = p.login('alice')
    for name in ('Corpus', 'Work/Deep', 'Work/v1.0', '&ZeVnLIqe-'):
        ok(c.create(name))
    ok(c.subscribe('Corpus'))
    for n, data in enumerate(corpus()):
        flags = r'(\Flagged)' if n % 5 == 0 else r'(\Seen $Forwarded)' if n % 7 == 0 else None
        ok(c.append('Corpus', flags, '"%02d-Feb-2024 10:11:12 +0100"' % (n % 28 + 1), data))
    ok(c.select('Corpus'))
    ok(c.store('3:5', '+FLAGS', r'(\Deleted)'))
    ok(c.store('7:9', '+FLAGS', r'(\Answered extra)'))
    ok(c.expunge())
    ok(c.copy('1:10', 'Work/Deep'))
    ok(c.rename('Work/v1.0', 'Work/v2.0'))
    ok(c.unselect())
    ok(c.delete('&ZeVnLIqe-'))
    p.lmtp(['alice', 'bob'],
           b'From: x@example.org\r\nTo: alice, bob\r\nSubject: delivered\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n'
           b'Message-ID: <both@example.org>\r\n\r\nhello\r\n')


MAILBOXES = ['INBOX', 'Corpus', 'Work/Deep', 'Work/v2.0']


def same(a, b):
    assert a.keys() == b.keys()
    for k in a:
        assert a[k] == b[k], k


def their_tools_are_content(p):
    rc, out, err = p.tool('reconstruct', '-n', '-G')
    assert rc == 0 and err == ''
    assert not [l for l in out.splitlines() if re.search(r' uid |updating|mismatch|odd|missing|failed|corrupt|Wrong', l)], out
    rc, out, err = p.tool('quota', '-f', '-n', '-q')
    assert (rc, err) == (0, '') and 'was' not in out and '-->' not in out, out
    rc, out, err = p.tool('mbexamine', '-q', 'user/alice/Corpus')
    assert rc == 0 and 'CORRECT' in out and 'INCORRECT' not in out
    rc, out, err = p.tool('ctl_mboxlist', '-d')
    assert rc == 0 and '"user.alice.Work.Deep"' in out
    rc, out, err = p.tool('cyr_dbtool', p.i.path('conf/mailboxes.db'), 'twoskip', 'consistent')
    assert 'Yes, consistent' in out


def test_they_write_and_we_read(pair):
    pair.theirs()
    fill(pair)
    theirs = picture(pair, 'alice', MAILBOXES)
    pair.i.stop()
    pair.ours()
    same(theirs, picture(pair, 'alice', MAILBOXES))
    pair.i.stop()
    pair.theirs()
    same(theirs, picture(pair, 'alice', MAILBOXES))
    pair.i.stop()


def test_we_write_and_they_read(pair):
    pair.ours()
    fill(pair)
    ours = picture(pair, 'alice', MAILBOXES)
    pair.i.stop()
    pair.own()
    their_tools_are_content(pair)
    pair.theirs()
    same(ours, picture(pair, 'alice', MAILBOXES))
    c = pair.login('bob')
    ok(c.select('INBOX'))
    assert b'Subject: delivered' in ok(c.fetch('1', '(BODY.PEEK[])'))[0][1]
    pair.i.stop()


def test_both_write_in_turn(pair):
    pair.theirs()
    fill(pair)
    pair.i.stop()
    pair.ours()
    c = pair.login('alice')
    ok(c.append('Corpus', r'(\Draft fresh)', None, b'From: a@b.org\r\nSubject: ours\r\n\r\nours\r\n'))
    ok(c.select('Corpus'))
    ok(c.store('1:4', '+FLAGS', r'(\Deleted)'))
    ok(c.expunge())
    ok(c.store('2', '-FLAGS', r'(\Flagged)'))
    ok(c.copy('1:3', 'Work/v2.0'))
    ok(c.unselect())
    ok(c.rename('Work/Deep', 'Work/Deeper'))
    ok(c.create('Later'))
    pair.lmtp(['bob', 'alice'],
              b'From: y@example.org\r\nTo: bob\r\nSubject: again\r\nMessage-ID: <again@example.org>\r\n\r\nhello\r\n')
    ours = picture(pair, 'alice', ['INBOX', 'Corpus', 'Work/Deeper', 'Work/v2.0', 'Later'])
    pair.i.stop()
    pair.own()
    rc, out, err = pair.tool('reconstruct', '-n', '-G')
    assert rc == 0 and not [l for l in out.splitlines() if re.search(r' uid |updating|mismatch|odd|missing|failed|Wrong', l)], out
    pair.theirs()
    same(ours, picture(pair, 'alice', ['INBOX', 'Corpus', 'Work/Deeper', 'Work/v2.0', 'Later']))
    c = pair.login('alice')
    ok(c.append('Later', None, None, b'From: a@b.org\r\nSubject: theirs\r\n\r\ntheirs\r\n'))
    ok(c.rename('Later', 'Sooner'))
    ok(c.delete('Work/v2.0'))
    theirs = picture(pair, 'alice', ['INBOX', 'Corpus', 'Sooner'])
    pair.i.stop()
    pair.ours()
    same(theirs, picture(pair, 'alice', ['INBOX', 'Corpus', 'Sooner']))
    pair.i.stop()


@pytest.mark.parametrize('ours', [['master'], ['imapd', 'lmtpd', 'ctl_cyrusdb']])
def test_our_master_runs_their_services_and_theirs_runs_ours(pair, ours):
    """The status messages, descriptors and environment between a master and its services are the same."""
    pair.mixed(ours)
    fill(pair)
    first = picture(pair, 'alice', MAILBOXES)
    for _ in range(30):
        pair.login('bob').logout()
    assert pair.i.stop() == 0
    pair.ours()
    same(first, picture(pair, 'alice', MAILBOXES))


def test_ctl_mboxlist_verify_says_of_ours_what_it_says_of_theirs():
    """3.6.1 looks for directories by name and misses every mailbox that is stored by id, its own too: the lists must be the
    same."""
    said = []
    for who in (Pair.theirs, Pair.ours):
        p = Pair()
        try:
            fill(who(p))
            p.i.stop()
            p.own()
            rc, out, err = p.tool('ctl_mboxlist', '-v')
            assert (rc, err) == (0, '')
            said.append(sorted(re.sub(r'\.[0-9A-F]{8}\b', '.TIME', l) for l in out.splitlines()))
        finally:
            p.i.close()
    assert said[0] == said[1]
