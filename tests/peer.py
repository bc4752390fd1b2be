"""peer - Debian's Cyrus (3.6.1) beside ours: $PEER_ROOT is where its packages are unpacked (tests/lib/peer.sh). Needs root,
because its programs insist on the account cyrus."""
import imaplib, os, pwd, shutil, smtplib, subprocess

import pytest

from instance import Instance, ok, program

PEER = os.environ.get('PEER_ROOT')
SRC = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
OURS = ['master', 'imapd', 'lmtpd', 'ctl_cyrusdb']

imaplib._MAXLINE = 100_000_000


def have_peer():
    return PEER and os.geteuid() == 0 and os.path.exists(os.path.join(PEER, 'usr/lib/cyrus/bin/imapd'))


needs_peer = pytest.mark.skipif(not have_peer(), reason='Debian\'s Cyrus is not unpacked ($PEER_ROOT), or not root')


class Pair:
    """One store, two sets of programs, both run as cyrus."""

    def __init__(self, conf=''):
        self.i = Instance(conf + '\nunixhierarchysep: yes\naltnamespace: yes', services=('imap', 'lmtp'))
        self.bin = self.i.path('bin')
        os.makedirs(self.bin)
        for name in OURS:
            shutil.copy(program(name), os.path.join(self.bin, name))
        self.peer_bin = os.path.join(PEER, 'usr/lib/cyrus/bin')
        self.peer_env = {'LD_LIBRARY_PATH': os.path.join(PEER, 'usr/lib/x86_64-linux-gnu'), 'PERL5LIB': ''}
        self.i.env.update(CYRUS_USER='cyrus', CYRUS_GROUP='mail')
        for d in ('conf/db', 'conf/proc', 'conf/lock', 'conf/msg', 'conf/socket', 'conf/log', 'spool/stage.'):
            os.makedirs(self.i.path(d), exist_ok=True)
        os.chmod(self.i.root, 0o755)
        self.own()

    def own(self):
        cyrus = pwd.getpwnam('cyrus')
        for d in ('conf', 'spool'):
            subprocess.run(['chown', '-R', f'{cyrus.pw_uid}:{cyrus.pw_gid}', self.i.path(d)], check=True)

    def theirs(self):
        self.own()
        self.i.start(self.peer_bin, self.peer_env)
        return self

    def ours(self):
        self.own()
        self.i.start(self.bin)
        return self

    def mixed(self, ours):
        """The programs named are ours, the others theirs."""
        self.own()
        mix = self.i.path('mix')
        shutil.rmtree(mix, ignore_errors=True)
        os.makedirs(mix)
        for name in OURS:
            os.symlink(os.path.join(self.bin if name in ours else self.peer_bin, name), os.path.join(mix, name))
        self.i.start(mix, self.peer_env)
        return self

    def login(self, user):
        c = imaplib.IMAP4('127.0.0.1', self.i.ports['imap'])
        ok(c.login(user, 'pw'))
        return c

    def lmtp(self, rcpts, data):
        with smtplib.LMTP('127.0.0.1', self.i.ports['lmtp']) as s:
            s.ehlo('client')
            for code, text in [s.mail('sender@example.com')] + [s.rcpt(r) for r in rcpts] + [s.data(data)] + [s.getreply() for r
                    in rcpts[1:]]:
                assert code == 250, (code, text)

    def tool(self, name, *args):
        r = self.i.tool(name, *args, bindir=self.peer_bin, env=self.peer_env, check=False)
        return r.returncode, r.stdout, r.stderr
