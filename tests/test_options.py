#!/usr/bin/env python3
"""Options of imapd.conf that limit, refuse or record: that they act, and that without them nothing changes. Run by pytest."""
import base64, os, re, socket, subprocess, time

import pytest

from instance import Instance, syslog_file

LEVELS = ['2.5', '3.6']
BOTH = 'compatibility_level: {}\nunixhierarchysep: no\naltnamespace: no'
MESSAGE = (b'From: a@example.org\r\nSubject: s\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <%s@example.org>\r\n\r\n'
           b'body\r\n')


class Wire:
    """A connection that sends bytes as they are and reads up to the tagged answer."""

    def __init__(self, server, user=None):
        self.sock = socket.create_connection(('127.0.0.1', server.ports['imap']), 30)
        self.f = self.sock.makefile('rb')
        self.greeting = self.f.readline()
        if user:
            assert self.ask(f'LOGIN {user} pw')[-1].startswith(b't OK')

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, tag=b't '):
        lines = []
        while not lines or not lines[-1].startswith((tag, b'* BYE', b'+')):
            line = self.f.readline()
            if not line:
                break
            lines.append(line)
        return lines

    def ask(self, command):
        self.send(b't ' + (command if isinstance(command, bytes) else command.encode()) + b'\r\n')
        return self.answer()

    def last(self, command):
        return self.ask(command)[-1].decode().strip()

    def append(self, mailbox, word=b'm'):
        m = MESSAGE % word
        self.send(b't APPEND %s {%d+}\r\n' % (mailbox.encode(), len(m)) + m + b'\r\n')
        return self.answer()[-1].decode().strip()


def started(level, conf=''):
    return Instance(f'{BOTH.format(level)}\n{conf}').start()


def again(server, level, conf):
    """The same store under another configuration."""
    server.stop()
    server.write_conf(f'{BOTH.format(level)}\n{conf}')
    server.start()


def make_user(server, user='alice'):
    assert Wire(server, 'admin').last(f'CREATE user.{user}').startswith('t OK')


def lmtp(server, *commands):
    with socket.create_connection(('127.0.0.1', server.ports['lmtp']), 30) as s:
        f = s.makefile('rb')
        out = [f.readline()]
        for c in commands:
            s.sendall(c + b'\r\n')
            while True:
                out.append(f.readline())
                if not out[-1] or out[-1][3:4] == b' ':
                    break
        return out[-1].decode().strip()


REFUSED = 't NO This connection is configured for read-only access'


@pytest.mark.parametrize('level', LEVELS)
def test_readonly(level):
    with started(level) as server:
        make_user(server)
        c = Wire(server, 'alice')
        assert c.append('INBOX').startswith('t OK')
        assert lmtp(server, b'LHLO x', b'MAIL FROM:<>').startswith('250 2.1.0')
        again(server, level, 'readonly: yes')
        c = Wire(server, 'alice')
        assert c.append('INBOX') == REFUSED
        for command in ('CREATE INBOX.a', 'DELETE INBOX.a', 'RENAME INBOX.a INBOX.b', 'SUBSCRIBE INBOX', 'UNSUBSCRIBE INBOX',
                        'SETACL INBOX bob lr', 'DELETEACL INBOX alice', 'SETQUOTA user.alice (STORAGE 5)'):
            assert c.last(command) == REFUSED, command
        assert c.ask('SELECT INBOX')[-1].startswith(b't OK [READ-ONLY]')
        for command in ('STORE 1 +FLAGS (\\Deleted)', 'UID STORE 1 +FLAGS (\\Seen)', 'COPY 1 INBOX', 'UID COPY 1 INBOX',
                        'EXPUNGE',
                        'UID EXPUNGE 1'):
            assert c.last(command) == REFUSED, command
        assert c.last('FETCH 1 BODY[]').startswith('t OK')
        assert b'\\Seen' not in b''.join(c.ask('FETCH 1 FLAGS'))
        assert c.last('CLOSE').startswith('t OK')
        assert Wire(server, 'admin').last('CREATE user.bob') == REFUSED
        assert lmtp(server, b'LHLO x', b'MAIL FROM:<>').startswith('451 4.3.2 ')
        again(server, level, '')
        assert b'EXISTS' in Wire(server, 'alice').ask('SELECT INBOX')[0]
        assert Wire(server, 'alice').append('INBOX').startswith('t OK')


def login(server, user, plain=False):
    """Logs in by LOGIN or AUTHENTICATE; the connection and the answer."""
    c = Wire(server)
    if plain:
        return c, c.last('AUTHENTICATE PLAIN ' + base64.b64encode(b'\0%s\0pw' % user.encode()).decode())
    return c, c.last(f'LOGIN {user} pw')


def eventually(ask, good):
    """A process that has gone takes a moment to take its proc file away."""
    deadline = time.monotonic() + 20
    while not good(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert good(answer), answer


@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('plain', [False, True])
def test_maxlogins(level, plain):
    with started(level, 'maxlogins_per_user: 2\nmaxlogins_per_host: 3') as server:
        first, second = login(server, 'alice', plain), login(server, 'alice', plain)
        assert first[1].startswith('t OK') and second[1].startswith('t OK')
        c, answer = login(server, 'alice', plain)
        assert re.fullmatch(r't NO Too many open connections \(2 of 2 for alice\)', answer)
        assert c.last('SELECT INBOX') == 't BAD Please login first'
        third = login(server, 'bob', plain)
        assert third[1].startswith('t OK')
        d, answer = login(server, 'bob', plain)
        assert re.fullmatch(r't NO Too many open connections \(3 of 3 from .*\[127\.0\.0\.1\]\)', answer)
        answer = login(server, 'alice', plain)[1]
        assert re.fullmatch(r't NO Too many open connections \(3 of 3 from .*\[127\.0\.0\.1\], 2 of 2 for alice\)', answer)
        first[0].last('LOGOUT')
        eventually(lambda: d.last('LOGIN bob pw'), lambda a: a.startswith('t OK'))


def test_maxlogins_dead_process():
    """The proc file of a process that was killed does not count for ever."""
    with started('3.6', 'maxlogins_per_user: 1') as server:
        os.makedirs(server.path('conf/proc'), exist_ok=True)
        dead = subprocess.Popen(['true'])
        dead.wait()
        with open(server.path(f'conf/proc/{dead.pid}'), 'w') as f:
            f.write('imap\t[127.0.0.1]\talice\t\tNoop\n')
        first = login(server, 'alice')
        assert first[1].startswith('t OK')
        assert 'Too many' in login(server, 'alice')[1]


def test_no_limit_by_default():
    with started('3.6') as server:
        assert all(c[1].startswith('t OK') for c in [login(server, 'alice') for _ in range(5)])


def test_maxword():
    with started('3.6', 'maxword: 50') as server:
        c = Wire(server, 'alice')
        assert c.last('LIST "" ' + 'a' * 50).startswith('t OK')
        assert c.last('LIST "" "' + 'a' * 51 + '"').startswith('t OK')
        assert c.ask('LIST "" ' + 'a' * 51) == [b'* BYE Fatal error: word too long\r\n']
        assert c.f.readline() == b''


def test_maxquoted():
    with started('3.6', 'maxquoted: 50') as server:
        c = Wire(server, 'alice')
        assert c.last('LIST "" ' + 'a' * 51).startswith('t OK')
        assert c.last('LIST "" "' + 'a' * 48 + '\\\\\\"' + '"').startswith('t OK')      # 50 when unquoted
        assert c.ask('LIST "" "' + 'a' * 51 + '"') == [b'* BYE Fatal error: quoted value too long\r\n']


@pytest.mark.parametrize('conf', ['maxliteral: 50B', 'maxargssize: 60B'])
def test_literals(conf):
    with started('3.6', conf) as server:
        c = Wire(server, 'alice')
        c.send(b't LIST {0+}\r\n {40+}\r\n' + b'a' * 40 + b'\r\n')
        assert c.answer()[-1].startswith(b't OK')
        assert c.last('LIST "" {90}').startswith('t NO [TOOBIG]')
        assert c.last('NOOP').startswith('t OK')                       # one answer, and the session goes on
        c.send(b't LIST "" {90+}\r\n' + b'x' * 80 + b'\r\nx LOGOUT {11+}\r\nx LOGOUT\r\n\r\nt NOOP\r\n')
        assert c.answer()[-1].startswith(b't NO [TOOBIG]')             # what follows a refused literal is no command
        assert c.answer() == [b't OK Completed\r\n']


def test_maxargssize_counts_all():
    with started('3.6', 'maxargssize: 100B') as server:
        c = Wire(server, 'alice')
        assert c.last('LIST "" (' + 'a ' * 60 + ')').startswith('t NO [TOOBIG]')
        c.send(b't STATUS INBOX {30+}\r\n' + b'a' * 30 + b' {30+}\r\n' + b'a' * 30 + b' {30+}\r\n' + b'a' * 30 + b'\r\n')
        assert c.answer()[-1].startswith(b't NO [TOOBIG]')
        assert c.ask('NOOP') == [b't OK Completed\r\n']
        message = MESSAGE % (b'm' * 200)
        c.send(b't APPEND ' + b'a' * 120 + b' {%d+}\r\n' % len(message) + message + b'\r\n')
        assert c.answer()[-1].startswith(b't NO [TOOBIG]')
        assert c.ask('NOOP') == [b't OK Completed\r\n']
        make_user(server)
        assert c.append('INBOX', b'm' * 200).startswith('t OK')        # a message is no argument


def test_no_limit_is_bounded():
    with started('3.6', 'maxword: 0\nmaxquoted: 0\nmaxliteral: 0\nmaxargssize: 0') as server:
        c = Wire(server, 'alice')
        assert c.last('LIST "" ' + 'a' * 200000).startswith('t OK')
        c.send(b't LIST "" {1000000+}\r\n' + b'a' * 1000000 + b'\r\n')
        assert c.answer()[-1].startswith(b't OK')
        assert c.last('LIST "" {100000000}').startswith('t NO [TOOBIG]')


@pytest.mark.parametrize('level', LEVELS)
def test_delete_unsubscribe(level):
    for conf, kept in (('', True), ('delete_unsubscribe: yes', False)):
        with started(level, conf) as server:
            make_user(server)
            c = Wire(server, 'alice')
            for command in ('CREATE INBOX.a', 'SUBSCRIBE INBOX.a', 'SUBSCRIBE INBOX', 'DELETE INBOX.a'):
                assert c.last(command).startswith('t OK')
            assert c.last('CREATE INBOX.a').startswith('t OK')         # LSUB leaves out what is not there
            names = b''.join(c.ask('LSUB "" *'))
            assert (b'INBOX.a' in names) == kept and b' INBOX' in names


def test_literalminus():
    for conf, word in (('', 'LITERAL+'), ('literalminus: yes', 'LITERAL-')):
        with started('3.6', conf) as server:
            c = Wire(server)
            assert f' {word} ' in c.greeting.decode() and f' {word} ' in c.ask('CAPABILITY')[0].decode()
            assert ' LITERAL' not in c.greeting.decode().replace(word, '')


@pytest.mark.parametrize('level', LEVELS)
def test_mailbox_initial_flags(level):
    flags = ['First', 'Second'] + [f'Kept{i}' for i in range(8)]
    with started(level, 'mailbox_initial_flags: ' + ' '.join(flags + ['first', 'not(a)flag'])) as server:
        make_user(server)
        c = Wire(server, 'alice')
        assert c.append('INBOX').startswith('t OK')
        shown = [line for line in c.ask('SELECT INBOX') if line.startswith(b'* FLAGS')][0].decode()
        made = ' ' + ' '.join(flags) if level == '2.5' else ''
        assert shown.strip() == f'* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen{made})'
        for i in range(100 - (len(flags) if level == '2.5' else 0)):
            assert c.last(f'STORE 1 +FLAGS.SILENT (k{i})').startswith('t OK')
        assert c.last('STORE 1 +FLAGS (onemore)') == 't NO Too many user flags in mailbox'
        assert c.last('STORE 1 +FLAGS (second)').startswith('t OK')


@pytest.mark.parametrize('level', LEVELS)
def test_mailbox_maxmessages(level):
    with started(level, 'mailbox_maxmessages_email: 2') as server:
        make_user(server)
        c = Wire(server, 'alice')
        assert c.append('INBOX', b'1').startswith('t OK') and c.append('INBOX', b'2').startswith('t OK')
        assert re.fullmatch(r't NO (\[OVERQUOTA\] )?Over quota', c.append('INBOX', b'3'))
        answer = lmtp(server, b'LHLO x', b'MAIL FROM:<>', b'RCPT TO:<alice>', b'DATA', MESSAGE % b'4' + b'.')
        assert answer.startswith('452 4.2.2 Over quota')
        assert c.ask('SELECT INBOX')[0] == b'* 2 EXISTS\r\n'
        assert 'Over quota' in c.last('COPY 1 INBOX')
        assert c.last('CREATE INBOX.b').startswith('t OK') and c.last('COPY 1:2 INBOX.b').startswith('t OK')
        assert c.last('STORE 1 +FLAGS (\\Deleted)').startswith('t OK') and c.last('EXPUNGE').startswith('t OK')
        assert c.append('INBOX', b'5').startswith('t OK')


@pytest.mark.parametrize('option', ['', 'auditlog: yes'])
def test_auditlog(option):
    """The lines in full are in cunit/store/check_audit.c; here: they reach the log, with the session they belong to."""
    with Instance(f'{BOTH.format("3.6")}\n{option}') as server:
        log = server.path('log')
        server.start(env=syslog_file(log))
        make_user(server)
        assert Wire(server, 'admin').last('SETQUOTA user.alice (STORAGE 500)').startswith('t OK')
        c = Wire(server)
        session = re.search(r'SESSIONID=<(.*?)>', c.last('LOGIN alice pw')).group(1)
        assert c.append('INBOX', b'one').startswith('t OK')
        for command in ('SELECT INBOX', 'STORE 1 +FLAGS.SILENT (\\Deleted)', 'EXPUNGE', 'CREATE INBOX.a',
                        'RENAME INBOX.a INBOX.b', 'LOGOUT'):
            assert c.last(command).startswith('t OK') or command == 'LOGOUT'
        eventually(lambda: open(log).read(), lambda text: not option or f'traffic sessionid=<{session}>' in text)
        server.stop()
        with open(log) as f:
            text = f.read()
        mine = re.findall(r'notice: auditlog: (\w+) sessionid=<' + re.escape(session) + '>', text)
        if option:
            assert [e for e in mine if e != 'modseq'] == ['append', 'touched', 'expunge', 'create', 'rename', 'traffic']
            assert 'auditlog: newquota root=<user.alice> STORAGE=<500>' in text
            assert ' messageid=<one@example.org> size=' in text
        else:
            assert 'User logged in' in text and 'auditlog' not in text
