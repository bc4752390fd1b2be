#!/usr/bin/env python3
"""Tables through running servers: users who are denied a service; and the tools over single tables beside Debian's (skipped
without it, see test_peer.py). Run by pytest."""
import imaplib, os, re, shutil, subprocess

import pytest

from instance import Instance, ok, program
from peer import Pair, needs_peer
from test_peer import fill


def plain(user):
    return lambda _: b'\0' + user.encode() + b'\0pw'


@pytest.mark.parametrize('level', ['2.5', '3.6'])
def test_a_denied_user_is_refused_behind_the_password(level):
    with Instance(f'compatibility_level: {level}', services=('imap',)) as i:
        i.start()
        for args in (['-s', 'imap', '-m', 'call us', 'alice'], ['-s', '!imap,*', 'bob']):
            i.tool('cyr_deny', *args)
        for how in ('login', 'authenticate'):
            def enter(user, password='pw'):
                c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
                try:
                    return c.login(user, password) if how == 'login' else c.authenticate('PLAIN',
                            lambda _: b'\0%s\0%s' % (user.encode(), password.encode()))
                except imaplib.IMAP4.error as e:
                    return str(e)
            wrong, denied = enter('bob', 'wrong'), enter('alice')
            assert isinstance(wrong, str) and isinstance(denied, str), (wrong, denied)
            assert enter('bob')[0] == 'OK'                               # denied everything but this
            assert isinstance(enter('alice', 'wrong'), str)
        i.tool('cyr_deny', '-a', 'alice')
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        ok(c.login('alice', 'pw'))                                           # read anew at each login
        with open(i.path('conf/user_deny.db'), 'w') as f:                    # by hand, and one that cannot be read
            f.write('alice\t2\timap\tby hand\nbob\t7\timap\n')
        ok(imaplib.IMAP4('127.0.0.1', i.ports['imap']).login('bob', 'pw'))
        with pytest.raises(imaplib.IMAP4.error):
            imaplib.IMAP4('127.0.0.1', i.ports['imap']).login('alice', 'pw')


def test_the_service_is_the_one_of_cyrus_conf():
    with Instance(services=('imap',)) as i:
        i.start()
        i.tool('cyr_deny', '-s', 'imaps,imapd,pop3,IMAP', 'alice')
        ok(imaplib.IMAP4('127.0.0.1', i.ports['imap']).login('alice', 'pw'))


def both(p, name, *args, stdin=None):
    """The same call of theirs and of ours."""
    out = []
    for bindir, env in ((p.peer_bin, p.peer_env), (p.bin, {})):
        p.own()
        kw = {'input': stdin} if stdin is not None else {}
        r = p.i.tool(name, *args, bindir=bindir, env=env, check=False, **kw)
        text = re.sub(r'it is NOW: \d+', 'it is NOW: T', r.stdout).replace(p.peer_bin, '').replace(p.bin, '')
        out.append((r.returncode, text, r.stderr.replace(p.peer_bin, '').replace(p.bin, '')))
    return out


@needs_peer
def test_tools_over_tables_say_what_theirs_say(tmp_path):
    p = Pair()
    try:
        for name in ('ctl_deliver', 'cyr_deny', 'cyr_userseen', 'cvt_cyrusdb', 'tls_prune', 'mbpath', 'ctl_mboxlist',
                     'cyr_dbtool'):
            shutil.copy(program(name), os.path.join(p.bin, name))
        fill(p.theirs())
        p.i.stop()
        deliver, boxes = p.i.path('conf/deliver.db'), p.i.path('conf/mailboxes.db')
        calls = [['ctl_deliver', '-d'], ['ctl_deliver', '-d', '-f', deliver], ['ctl_deliver', '-d', '-f', '/nowhere'],
                 ['cyr_userseen'], ['cyr_deny'],
                 ['cyr_deny', 'a', 'b'], ['cyr_deny', '-l', 'x'], ['cyr_deny', '-s', 'imap', '-m', 'away', 'xena'],
                 ['cyr_deny', 'yan'], ['cyr_deny', '-l'], ['cyr_deny', '-a', 'xena'],
                 ['cyr_deny', '-a', 'nobody'], ['tls_prune'], ['cvt_cyrusdb', 'a', 'twoskip', 'b', 'flat'],
                 ['cvt_cyrusdb', deliver, 'twoskip', p.i.path('conf/d.flat'), 'flat'],
                 ['mbpath', 'user/alice', 'user/bob'], ['mbpath', '-7', 'user/alice/Corpus'], ['mbpath', '-j', 'user/alice'],
                 ['mbpath', '-j', 'user/alice/Work/Deep'],
                 ['mbpath', '-a', 'user/alice'], ['mbpath', '-u', 'bob'], ['mbpath', '-m', 'user/bob'],
                 ['mbpath', '-q', 'user/nix'], ['mbpath', 'user/alice', 'user/nix'],
                 ['mbpath', '-M', 'news'], ['mbpath', '-S', 'user/alice'], ['mbpath', '-U', 'user/alice'],
                 ['mbpath', '-A', 'user/alice'], ['mbpath', '-D', '-l', 'user/alice'],
                 ['ctl_mboxlist', '-d', '-p', 'nix'], ['ctl_mboxlist', '-d', '-y'],
                 ['cyr_dbtool', boxes, 'twoskip', 'show'], ['cyr_dbtool', boxes, 'twoskip', 'show', 'I'],
                 ['cyr_dbtool', boxes, 'twoskip', 'get', 'nix'],
                 ['cyr_dbtool', boxes, 'twoskip', 'consistent'], ['cyr_dbtool', boxes, 'twoskip', 'nix'],
                 ['cyr_dbtool', boxes, 'nix', 'show'],
                 ['cyr_dbtool', '/nowhere', 'twoskip', 'show']]
        for argv in calls:
            theirs, ours = both(p, *argv)
            if argv[:2] == ['ctl_mboxlist', '-d']:
                ours = (ours[0], re.sub(r'"name_history": \[.*?\]\}', '"name_history": []}', ours[1]), ours[2])
            assert ours == theirs, argv
        for text in ('SET a 1\nGET a\nGET nix\n', 'SHOW\n', 'get a\n', 'SET "c d" "x y"\nSHOW\n',
                     'SET {3+}\r\nabc {2+}\r\nzz\nSHOW\n', 'DELETE nix\nDELETE abc\nSHOW\n',
                     'BEGIN\nSET t 1\nSHOW\nABORT\nSHOW\n', 'BEGIN\nSET t 1\nCOMMIT\nGET t\n', 'COMMIT\n', 'ABORT\n',
                     'BEGIN\nBEGIN\n', 'SET v\nSHOW\n', 'SET v 1 2\n',
                     'SET n NIL\nSET p 50%\nSET q "a\\"b"\nSET bs a\\b\nSHOW\n', 'SET par (a)\n', 'FROB\nSET z 1\n', '\nSHOW\n',
                     'BEGIN\nSET u 1\nFROB\n', 'SHOW\n'):
            out = []
            for k, (bindir, env) in enumerate(((p.peer_bin, p.peer_env), (p.bin, {}))):
                p.own()
                r = subprocess.run([os.path.join(bindir, 'cyr_dbtool'), '-C', p.i.path('imapd.conf'), '-n',
                                    p.i.path(f'conf/x{k}.db'), 'twoskip', 'batch'], input=text.encode(),
                                   env=dict(p.i.env, **env), capture_output=True)
                out.append((r.returncode, r.stdout, r.stderr))
            assert out[1] == out[0], text
        # what ours writes theirs reads back, former names and all, and the other way round
        dumps = []
        for bindir, env in ((p.bin, {}), (p.peer_bin, p.peer_env)):
            p.own()
            full = p.i.tool('ctl_mboxlist', '-d', '-y', bindir=p.bin).stdout
            other = p.i.path('conf/other.db')
            if os.path.exists(other):
                os.unlink(other)
            p.own()
            r = p.i.tool('ctl_mboxlist', '-u', '-f', other, bindir=bindir, env=env, input=full)
            # theirs complains of tombstones in its own dumps too, and leaves them out
            assert not [x for x in r.stderr.splitlines() if not x.startswith('missing mbtype')]
            p.own()
            show = p.i.tool('cyr_dbtool', other, 'twoskip', 'show', bindir=p.bin).stdout
            dumps.append(sorted(re.sub(r' M \d+', ' M T', x) for x in show.split('\n') if '\t%(T ed' not in x))
        assert dumps[0] == dumps[1]
        assert any('H (%(N' in x for x in dumps[0])
    finally:
        p.i.close()
