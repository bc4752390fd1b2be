#!/usr/bin/env python3
"""Our master with the services of Debian's Cyrus (3.6.1), and Debian's master with ours: each service is started, serves, is
recycled by a reload, replaced by another file, and shut down; master counts no failure, and the log says what happened. Needs
what test_peer.py needs. The log is had without a syslog daemon, by tests/lib/syslog_file.c. Run by pytest."""
import base64, contextlib, imaplib, os, poplib, pwd, re, shutil, signal, smtplib, socket, subprocess, sys, tempfile, time

import pytest

from instance import BUILD, Instance, free_port, ok, program
from peer import PEER, SRC, needs_peer

sys.path.insert(0, os.path.join(SRC, 'tests/master'))
from test_library import Installed  # noqa: E402
from test_master import until  # noqa: E402

pytestmark = needs_peer

PATIENCE = 60
PEER_BIN = os.path.join(PEER or '', 'usr/lib/cyrus/bin')
TEXT = b'From: x@example.org\r\nSubject: hello\r\nMessage-ID: <%d@example.org>\r\n\r\nhello\r\n'


@pytest.fixture(scope='session')
def logger():
    d = tempfile.mkdtemp(prefix='camb-log-')
    os.chmod(d, 0o755)                     # for the account cyrus
    yield shutil.copy(os.path.join(BUILD, 'tests/syslog_file.so'), d)
    shutil.rmtree(d)


@pytest.fixture(scope='session')
def echo():
    lib = Installed()
    yield lib.example()
    lib.close()


class Lines:
    """A connection to a service that talks in lines."""

    def __init__(self, port):
        self.s = socket.create_connection(('127.0.0.1', port), PATIENCE)
        self.f = self.s.makefile('rwb')

    def say(self, *lines):
        self.f.write(b''.join(l.encode() + b'\r\n' for l in lines))
        self.f.flush()

    def until(self, start):
        """The lines up to the one that begins like this."""
        got = []
        while not got or not got[-1].upper().startswith(start.encode()):
            got.append(self.f.readline())
            assert got[-1], got
        return got

    def ended(self):
        assert self.f.readline() == b''
        self.s.close()


class Site:
    """A master and services of one or the other, all run as cyrus from copies of their own."""

    def __init__(self, logger, master, conf=''):
        self.i = Instance(conf
                          + '\nunixhierarchysep: yes\naltnamespace: yes\ndebug: yes\nprometheus_enabled: yes\n'
                          'prometheus_update_freq: 1\n'
                          f'sievedir: @/conf/sieve\nmupdate_admins: admin\nimapidlepoll: 1h\nimapidletimeout: 2h\n', services=())
        self.ports, self.programs, self.process = {}, {}, None
        for d in ('conf/db', 'conf/proc', 'conf/lock', 'conf/msg', 'conf/socket', 'conf/log', 'conf/stats', 'conf/sieve',
                  'spool/stage.', 'bin'):
            os.makedirs(self.i.path(d), exist_ok=True)
        with open(self.i.path('imapd.conf')) as f:
            text = f.read().replace('@/', self.i.root + '/')
        with open(self.i.path('imapd.conf'), 'w') as f:
            f.write(text)
        os.chmod(self.i.root, 0o755)
        cyrus = pwd.getpwnam('cyrus')
        for d in ('conf', 'spool'):
            subprocess.run(['chown', '-R', f'{cyrus.pw_uid}:{cyrus.pw_gid}', self.i.path(d)], check=True)
        self.log = self.i.path('log')
        open(self.log, 'w').close()
        os.chmod(self.log, 0o666)
        self.env = dict(self.i.env, CYRUS_USER='cyrus', CYRUS_GROUP='mail', LD_PRELOAD=logger, SYSLOG_FILE=self.log, PERL5LIB='',
                        LD_LIBRARY_PATH=os.path.join(PEER, 'usr/lib/x86_64-linux-gnu'),
                        ASAN_OPTIONS='detect_leaks=0:verify_asan_link_order=0')
        self.master = self.copy(master)
        self.conf = {'START': [], 'SERVICES': [], 'DAEMON': []}

    def copy(self, path):
        """A program of its own to run: copies are replaced while they run. The original stays known."""
        to = self.i.path('bin/' + os.path.basename(path))
        shutil.copy(path, to)
        self.programs[to] = path
        return to

    def replace(self, path):
        shutil.copy(self.programs[path], path + '.new')
        os.rename(path + '.new', path)

    def add(self, section, name, path, arguments='', keys=''):
        self.conf[section].append(f'  {name} cmd="{self.copy(path)} -C {self.i.path("imapd.conf")} {arguments}" {keys}\n')

    def listen(self, name):
        """The words of cyrus.conf for a port of the service's own."""
        self.ports[name] = free_port()
        return f'listen="127.0.0.1:{self.ports[name]}" proto="tcp4"'

    def start(self):
        with open(self.i.path('cyrus.conf'), 'w') as f:
            for section, lines in self.conf.items():
                f.write(section + ' {\n' + ''.join(lines) + '}\n')
        self.process = subprocess.Popen([self.master, '-C', self.i.path('imapd.conf'), '-M', self.i.path('cyrus.conf'), '-p',
                                         self.i.path('pid'), '-D'],
                                        env=self.env, start_new_session=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until('ready', lambda: self.logged(r'master\[\d+\] debug: ready for work') or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()
        return self

    def text(self):
        with open(self.log, errors='replace') as f:
            return f.read()

    def logged(self, pattern):
        return re.search(pattern, self.text())

    def running(self, path, children=True):
        """The processes, children of master, that run this program, be it there still or replaced."""
        found = set()
        for name in os.listdir('/proc'):
            with contextlib.suppress(OSError):
                if name.isdigit() and os.readlink(f'/proc/{name}/exe').replace(' (deleted)', '') == path:
                    with open(f'/proc/{name}/stat') as f:
                        fields = f.read().rpartition(')')[2].split()
                    if fields[0] != 'Z' and (int(fields[1]) == self.process.pid or not children):
                        found.add(int(name))
        return found

    def settled(self, path, by_hup=False):
        """The processes of this program, when all of them have come as far as waiting for clients: until they catch the signal, a
        reload kills them."""
        def ready(pid):
            with contextlib.suppress(OSError), open(f'/proc/{pid}/status') as f:
                caught = int(re.search(r'^SigCgt:\s*(\w+)', f.read(), re.M).group(1), 16)
                return self.logged(rf'\[{pid}\] debug: executed') and (by_hup or caught & 1)

        def all_there():
            pids = self.running(path)
            return pids if all(ready(pid) for pid in pids) else None
        return until('settled', all_there)

    def gone(self, pid, words):
        """Waits for master's word about a dead child."""
        return until(f'{pid} {words}', lambda: self.logged(rf'process type:\w+ name:\S+ path:\S+ age:\S+ pid:{pid} {words}'))

    def metric(self, metric, service):
        with contextlib.suppress(OSError):
            with open(self.i.path('conf/stats/master.txt')) as f:
                m = re.search(rf'^cyrus_master_{metric}{{service="{service}",family="\w+"}} (\S+)', f.read(), re.M)
                return int(float(m.group(1))) if m else None

    def reload(self):
        n = self.text().count('Services reconfigured.')
        self.process.send_signal(signal.SIGHUP)
        until('reload', lambda: self.text().count('Services reconfigured.') > n)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(PATIENCE) == 0
        finally:
            self.close()
        assert self.logged(r'attempting clean shutdown on signal') and self.logged(r'All children have exited, closing down')
        assert not self.logged(r'too many failures|long dead child|software bug'), self.text()

    def errors(self, who=r'(?:\w+/)?master'):
        """Lines of this program at err and above; without those about children that a signal found before they were there."""
        def starting(l):
            m = re.search(r' pid:(\d+) signaled to death by signal (1|15) ', l)
            return m and not self.logged(rf'\[{m.group(1)}\] debug: executed')
        return [l for l in self.text().splitlines() if re.match(who + r'\[\d+\] (?:emerg|alert|crit|err): ', l)
                and not starting(l)]

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process:
            for path in self.programs:
                for pid in self.running(path, children=False):
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

    # what a client does with each service
    def imap(self, user='alice'):
        c = imaplib.IMAP4('127.0.0.1', self.ports['imap'])
        ok(c.login(user, 'pw'))
        return c

    def user(self):
        c = self.imap('admin')
        if not [x for x in ok(c.list('""', 'user/alice')) if x]:
            ok(c.create('user/alice'))
        c.logout()

    def use_imap(self):
        self.user()
        c = self.imap()
        ok(c.append('INBOX', None, None, TEXT % 1))
        ok(c.select('INBOX'))
        assert b'Subject: hello' in ok(c.fetch('1', '(BODY.PEEK[])'))[0][1]
        assert c.logout()[0] == 'BYE'

    def use_pop3(self):
        self.user()
        p = poplib.POP3('127.0.0.1', self.ports['pop3'], timeout=PATIENCE)
        p.user('alice')
        p.pass_('pw')
        assert p.stat()[0] >= 0
        p.quit()

    def use_lmtp(self):
        self.user()
        with smtplib.LMTP(self.i.path('conf/socket/lmtp')) as s:
            assert s.ehlo('client')[0] == 250
            for code, text in (s.mail('sender@example.com'), s.rcpt('alice'), s.data(TEXT % time.monotonic_ns())):
                assert code == 250, text
            assert s.quit()[0] == 221
        c = self.imap()
        assert int(ok(c.select('INBOX'))[0]) > 0
        c.logout()

    def use_sieve(self):
        self.user()
        c = Lines(self.ports['sieve'])
        assert any(b'"SASL"' in l for l in c.until('OK'))
        c.say('AUTHENTICATE "PLAIN" "%s"' % base64.b64encode(b'\0alice\0pw').decode())
        c.until('OK')
        c.say('PUTSCRIPT "a" {7+}', 'keep;', '', 'LISTSCRIPTS')
        c.until('OK')
        assert b'"a"' in c.until('OK')[0]
        c.say('LOGOUT')
        c.until('OK')
        c.ended()

    def use_mupdate(self):
        c = Lines(self.ports['mupdate'])
        c.until('* OK MUPDATE')
        c.say('A1 AUTHENTICATE "PLAIN" "%s"' % base64.b64encode(b'\0admin\0pw').decode())
        c.until('A1 OK')
        c.say('A2 NOOP')
        c.until('A2 OK')
        c.say('A3 LOGOUT')
        c.until('A3 OK')
        c.ended()

    def use_idle(self):
        """One client idles, another appends: with nobody but idled to tell the first."""
        self.user()
        a, b = Lines(self.ports['imap']), self.imap()
        a.until('* OK')
        a.say('1 LOGIN alice pw', '2 SELECT INBOX')
        a.until('2 OK')
        a.say('3 IDLE')
        a.until('+')
        ok(b.append('INBOX', None, None, TEXT % 2))
        assert any(l.endswith(b' EXISTS\r\n') for l in a.until('* 1 RECENT'[:2]) + [a.f.readline()])
        a.say('DONE', '4 LOGOUT')
        a.until('4 OK')
        a.ended()
        b.logout()

    def use_echo(self):
        c = Lines(self.ports['echo'])
        assert b'process' in c.until('* ECHO')[0]
        c.say('some text')
        assert c.f.readline() == b'some text\r\n'
        c.say('quit')
        c.ended()


@pytest.fixture
def site(logger):
    made = []

    def make(master, conf=''):
        made.append(Site(logger, master, conf))
        return made[-1]
    yield make
    for s in made:
        s.close()
        s.i.close()


# maxchild=1 below: no second worker is starting while a signal is sent, which would kill it, before any program could help it.
def life(s, name, path, use, killed_by_hup=False, replaceable=True):
    """What every service goes through under every master."""
    s.start()
    use()
    use()
    # reload: whoever idles leaves, with 0
    first = s.settled(path, killed_by_hup)
    s.reload()
    for pid in first:
        s.gone(pid, 'signaled to death by signal 1 ' if killed_by_hup else 'exited normally')
    assert not s.running(path) & first
    use()
    second = s.settled(path, killed_by_hup)
    assert not second & first
    # a new program file: served at once, and by the new one in the end
    s.replace(path)
    if replaceable:
        def replaced():
            use()
            return not s.running(path) & second
        until('replaced', replaced)
        for pid in second:
            s.gone(pid, 'exited normally')
    use()
    use()
    assert until('counted', lambda: (s.metric('forks_total', name) or 0) >= 2)
    assert s.metric('ready_fails_total', name) == 0
    s.stop()


THEIRS = {
    # name: program, arguments, keys, dialogue
    'imap': ('imapd', '', 'prefork=1', Site.use_imap),
    'pop3': ('pop3d', '-U 30', 'prefork=0', Site.use_pop3),
    'lmtp': ('lmtpd', '', 'prefork=1', Site.use_lmtp),
    'sieve': ('timsieved', '', 'prefork=1', Site.use_sieve),
    'mupdate': ('mupdate', '-m', 'prefork=1', Site.use_mupdate),
}


def their_site(site, *names, more='maxchild=1'):
    s = site(program('master'))
    s.add('START', 'recover', os.path.join(PEER_BIN, 'ctl_cyrusdb'), '-r')
    for name in names:
        prog, arguments, keys, _ = THEIRS[name]
        where = f'listen="{s.i.path("conf/socket/lmtp")}"' if name == 'lmtp' else s.listen(name)
        s.add('SERVICES', name, os.path.join(PEER_BIN, prog), arguments, f'{where} {keys} {more}')
    return s


@pytest.mark.parametrize('name', THEIRS)
def test_our_master_runs_their_service(site, name):
    s = their_site(site, *{'imap': ['imap'], 'mupdate': ['mupdate']}.get(name, ['imap', name]))
    prog, _, _, use = THEIRS[name]
    threaded = name == 'mupdate'           # which installs no handler for the reload, and looks for no new program file
    life(s, name, s.i.path('bin/' + prog), lambda: use(s), killed_by_hup=threaded, replaceable=not threaded)
    errors = [e for e in s.errors() if not (threaded and re.search('name:mupdate .* signaled to death by signal (1|15) ', e))]
    assert errors == []


@pytest.mark.parametrize('section', ['DAEMON', 'START'])
def test_our_master_runs_their_idled(site, section):
    s = their_site(site, 'imap', more='')
    s.add(section, 'idled', os.path.join(PEER_BIN, 'idled'))
    path = s.i.path('bin/idled')
    s.start()
    until('idled', lambda: s.running(path, children=section == 'DAEMON'))
    s.use_idle()
    first = s.running(path, children=False)
    assert len(first) == 1
    s.reload()
    if section == 'DAEMON':
        until('idled again', lambda: s.running(path))
        assert until('counted', lambda: s.metric('active_children', 'idled')) == 1
        assert s.metric('ready_fails_total', 'idled') == 0
    else:
        assert s.running(path, children=False) == first, 'what START left behind is not ours to recycle'
    s.use_idle()
    s.stop()
    assert s.errors() == []


OURS = {'imap': ('imapd', '', 'prefork=1', Site.use_imap), 'lmtp': ('lmtpd', '', 'prefork=1', Site.use_lmtp),
        'echo': (None, '', 'prefork=1', Site.use_echo)}


@pytest.mark.parametrize('name', OURS)
def test_their_master_runs_our_service(site, name, echo):
    s = site(os.path.join(PEER_BIN, 'master'))
    s.add('START', 'recover', program('ctl_cyrusdb'), '-r')
    for n in {'imap': ['imap'], 'echo': ['echo']}.get(name, ['imap', name]):
        prog, arguments, keys, use = OURS[n]
        where = f'listen="{s.i.path("conf/socket/lmtp")}"' if n == 'lmtp' else s.listen(n)
        s.add('SERVICES', n, program(prog) if prog else echo, arguments, f'{where} {keys} maxchild=1')
    life(s, name, s.i.path('bin/' + (prog or 'echo')), lambda: use(s))
    assert s.errors() == []
    assert s.errors(name) == []
    assert s.logged(r'\] debug: accepted connection') and s.logged(r'\] debug: telling master 1') and s.logged(
            r'\] debug: executed')
