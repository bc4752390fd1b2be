"""The story of 2023, as a test: a spool with links into /sys and circles, on which LIST walked for ever. LIST from the spool,
reconstruct -r, quota -f and ctl_mboxlist --rebuild answer as without the links, ask the kernel the same questions, and name each
link in the log. Dovecot, where it is installed, is configured to the same directory, to show that the links would lead somewhere.

The other half of the story, a LIST that costs what the server holds, is test_list.py:
test_what_a_list_reads_does_not_grow_with_the_server."""
import os, pwd, re, shutil, socket, subprocess, tempfile

import pytest

import dovecot
from instance import Instance, syslog_file
from raw import Raw

BOXES = ['', '/Sent', '/lists', '/lists/one', '/lists/one/deep', '/Work']
KINDS = {'2.5': 'compatibility_level: 2.5', '3.6, by name': 'compatibility_level: 3.6\nmailbox_legacy_dirs: yes',
         '3.6, by id': 'compatibility_level: 3.6'}
LINKS = [('/sys', 'sys'), ('/sys/class', '77.'), ('/proc/self', 'proc'), ('..', 'up'), ('.', 'self'), ('loop', 'loop'),
         ('b', 'a'), ('a', 'b'), ('../../..', 'root'),
         ('/', 'slash')]
SPOOL_LINKS = [('/sys', 'sys'), ('.', 'self'), ('..', 'up')]


class Story:
    def __init__(self, kind, **kw):
        self.kind = kind
        self.i = Instance(
                f'{KINDS[kind]}\nunixhierarchysep: yes\naltnamespace: no\ndebug: yes\nmboxlist_spool_age: 0\n'
                f'{kw.get("conf", "")}', users=('admin', 'alice', 'bob'),
                          services=('imap',))
        self.log = self.i.path('log')
        self.env = syslog_file(self.log, ':detect_leaks=0')
        self.i.start()
        admin = Raw(self.i.ports['imap'], 'admin')
        for user in ('alice', 'bob'):
            for box in BOXES:
                admin.ok(f'CREATE user/{user}{box}')
        admin.ok('SETACL user/bob/Work alice lrs')
        admin.ok('CREATE news')
        alice = Raw(self.i.ports['imap'], 'alice')
        for box in BOXES[:3]:
            alice.ok('APPEND INBOX%s {23+}\r\nSubject: x\r\n\r\nhello!\r\n' % box.replace('/', '/'))
        self.i.stop()

    def links(self):
        """Plants them everywhere; returns how many."""
        n = 0
        for d in [d for d, _, files in os.walk(self.i.path('spool')) if 'cyrus.header' in files]:
            for target, name in LINKS:
                os.symlink(target, os.path.join(d, name))
                n += 1
        for target, name in SPOOL_LINKS:
            os.symlink(target, self.i.path('spool/' + name))
            n += 1
        return n

    def said(self):
        try:
            with open(self.log, errors='replace') as f:
                return f.read().splitlines()
        except OSError:
            return []
        finally:
            open(self.log, 'w').close()

    def list(self, source):
        """What alice and the administrator are told, by the list in the database or from the spool."""
        with open(self.i.path('imapd.conf')) as f:
            conf = re.sub(r'\nmboxlist_source: .*', '', f.read())
        with open(self.i.path('imapd.conf'), 'w') as f:
            f.write(conf.rstrip('\n') + f'\nmboxlist_source: {source}\n')
        self.said()
        self.i.start(env=self.env)
        out = []
        for user in ('alice', 'admin'):
            c = Raw(self.i.ports['imap'], user)
            for command in ('LIST "" "*"', 'LIST "" "%"', 'LIST "" "%/%"', 'LIST "" "user/*" RETURN (CHILDREN STATUS (MESSAGES))',
                            'LSUB "" "*"'):
                out.append((user, command, c.ok(command)))
            c.ok('LOGOUT')
        self.i.stop()
        return out

    def tool(self, *args):
        self.said()
        return self.i.tool(*args, env=self.env).stdout

    def walked(self):
        """Directories, entries, links, circles and calls of each walk that the log tells of: one for each process that made the
        list."""
        return {tuple((what, int(n)) for n, what in re.findall(r'(\d+) (directories|entries|links|circles|system calls)', line))
                for line in self.last if 'debug: spool: walked ' in line}


@pytest.fixture(params=list(KINDS))
def story(request):
    s = Story(request.param)
    yield s
    s.i.close()


TOOLS = [('reconstruct', '-r', '-o', 'user/*'), ('quota', '-f'), ('ctl_mboxlist', '--rebuild', '-n')]


def everything(s):
    """What users and tools are told, and what the walks behind it met."""
    answers, walks = {}, {}
    for source in ('database', 'spool'):
        answers[source] = s.list(source)
        s.last = s.said()
        walks[source] = s.walked()
    s.list('database')
    for tool in TOOLS:
        answers[tool] = s.tool(*tool)
        s.last = s.said()
        walks[tool] = s.walked()
    return answers, walks


def test_links_into_sys_and_circles_change_nothing(story):
    before, walked = everything(story)
    assert before['spool'] == before['database'] and len(before['database'][0][2]) > len(BOXES)
    links = story.links()
    after, linked = everything(story)
    assert after == before
    # the whole spool: the same directories and calls, and every link is met
    for what in ('spool', TOOLS[2]):
        (was,), (now,) = [dict(w) for w in walked[what]], [dict(w) for w in linked[what]]
        assert now == {**was, 'links': links, 'entries': was['entries'] + links}, what
        assert was['links'] == was['circles'] == 0 < was['directories'], what


def dovecot_on(spool, home):
    """Dovecot on alice's directory of our spool, of which it gets a copy, because it serves nobody whose files are root's."""
    who = pwd.getpwnam('mail')
    for d in ('control', 'index'):
        os.makedirs(os.path.join(home, d), exist_ok=True)
    shutil.copytree(spool, os.path.join(home, 'spool'), symlinks=True)
    for d in ('control', 'index', 'spool'):
        subprocess.run(['chown', '-hR', f'{who.pw_uid}:{who.pw_gid}', os.path.join(home, d)], check=True)
    return dovecot.start(home, who, f'maildir:{home}/spool/user/alice:LAYOUT=fs:CONTROL={home}/control:INDEX={home}/index', home)


def names_told(port, enough):
    """The names of a LIST, until there is one that `enough` accepts, or the end."""
    names, data = [], b''
    with socket.create_connection(('127.0.0.1', port), 60) as c:
        c.recv(4096)
        c.sendall(b'a LOGIN alice pw\r\nb LIST "" "*"\r\n')
        while b'\r\nb ' not in data[-4096:]:
            got = c.recv(1 << 16)
            if not got:
                break
            data += got
            fresh = re.findall(rb'\* LIST \([^)]*\) "/" "?([^"\r\n]*)"?\r\n', data)
            names = [n.decode(errors='replace') for n in fresh]
            if any(map(enough, names)):
                break
    return names


@pytest.mark.skipif(not os.path.exists(dovecot.PROGRAM), reason='Dovecot is not installed (it may not be installed beside Cyrus)')
@pytest.mark.skipif(os.geteuid() != 0, reason='Dovecot wants root')
def test_the_links_would_lead_somewhere():
    """The same directory, with one link into /sys: Dovecot tells names from there, we tell the same names as before."""
    s = Story('2.5')
    home = tempfile.mkdtemp(prefix='story-')
    before = s.list('spool')
    # a part without circles: in the others it would not answer at all
    os.symlink('/sys/kernel/mm', s.i.path('spool/user/alice/net'))
    os.chmod(s.i.root, 0o755)
    os.chmod(home, 0o755)
    server, ports = dovecot_on(s.i.path('spool'), home)
    try:
        theirs = names_told(ports['imap'], lambda name: name.startswith('net/'))
        assert any(name.startswith('net/') for name in theirs), theirs
        assert s.list('spool') == before
        assert not any('net' in line for _, _, lines in before for line in lines)
    finally:
        server.terminate()
        server.wait(60)
        s.i.close()
        shutil.rmtree(home, ignore_errors=True)
