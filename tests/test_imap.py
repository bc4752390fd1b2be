#!/usr/bin/env python3
"""One message in and out again, and everything a user does to mailboxes, through our own master; both layouts; with Python's
imaplib as the client. Then input that no client should send. Run by pytest."""
import imaplib, os, re, socket, ssl, subprocess, time

import pytest

from instance import Instance, ok

LEVELS = ['2.5', '3.6']
MESSAGE = b'From: Ann <ann@example.org>\r\nTo: alice@test.example\r\nSubject: number %d\r\n' \
          b'Date: Mon, 1 Jan 2024 10:00:%02d +0000\r\n' \
          b'Message-ID: <m%d@example.org>\r\n\r\nbody of number %d\r\n'


def message(n):
    return MESSAGE % (n, n, n, n)


class Site:
    """A running instance of one level, with accounts alice and bob."""

    def __init__(self, level, conf=''):
        self.level = level
        self.i = Instance(f'compatibility_level: {level}\n{conf}', services=('imap',)).start()
        self.sep = '/' if level == '3.6' else '.'
        self.own = '' if level == '3.6' else 'INBOX.'
        self.shared = '"Shared Folders/%s"' if level == '3.6' else '%s'
        self.admin = self.login('admin')
        for user in ('alice', 'bob'):
            ok(self.admin.create(f'user{self.sep}{user}'))

    def login(self, user):
        c = imaplib.IMAP4('127.0.0.1', self.i.ports['imap'])
        ok(c.login(user, 'pw'))
        return c

    def raw(self):
        s = socket.create_connection(('127.0.0.1', self.i.ports['imap']), 30)
        f = s.makefile('rwb')
        assert f.readline().startswith(b'* OK [CAPABILITY IMAP4rev1 ')
        return s, f


@pytest.fixture(params=LEVELS)
def site(request):
    s = Site(request.param)
    yield s
    assert s.i.stop() == 0
    s.i.close()


def ask(f, line):
    """Sends one command; returns every line up to the tagged one."""
    f.write(line + b'\r\n')
    f.flush()
    tag, out = line.split(b' ')[0], []
    while True:
        l = f.readline()
        if not l:
            return out + [b'']
        out.append(l)
        if l.startswith(tag + b' '):
            return out


@pytest.mark.parametrize('level, order', [
    ('2.5', ['user.fred', 'user.fred.a', 'user.fred.a.b', 'user.fred-x', 'user.fred-x.y', 'user.freda']),
    ('3.6', ['user/fred', 'user/fred/a', 'user/fred/a/b', 'user/fred-x', 'user/fred-x/y', 'user/freda'])])
def test_improved_mboxlist_sort_is_the_order_of_the_files(level, order):
    """In 2.5's layout the files are sorted the other way; in 3.6's the option means nothing, and its keys sort so anyway."""
    s = Site(level, 'improved_mboxlist_sort: yes\nmboxlist_db: twoskip\nquota_db: twoskip\nsubscription_db: twoskip')
    for name in sorted(order):
        ok(s.admin.create(f'"{name}"'))
        ok(s.admin.subscribe(f'"{name}"'))
    for name in order[::3]:
        ok(s.admin.setquota(name, '(STORAGE 1000)'))
    listed = [x.decode().split('" ')[1] for x in ok(s.admin.list('""', '*'))]
    assert [x for x in listed if 'fred' in x] == order
    for name in order[::3]:
        assert b'STORAGE 0 1000' in ok(s.admin.getquota(name))[0]
    assert s.i.stop() == 0
    dbtool = [os.path.join(os.environ.get('builddir', '.'), 'imap/tools/cyr_dbtool'), '-C', s.i.path('imapd.conf')]
    for name in ('mailboxes.db', 'quotas.db'):
        said = subprocess.run(dbtool + (['-M'] if level == '2.5' else []) + [s.i.path('conf/' + name), 'twoskip', 'consistent'],
                              env=dict(os.environ, **s.i.env), capture_output=True, text=True).stdout
        assert 'Yes' in said, (name, said)
    s.i.close()


def test_who_is_served_shows_in_the_proc_file_and_the_process_title(site):
    c = site.login('alice')
    ok(c.select('INBOX'))
    ok(c.noop())
    names = {n: open(os.path.join(site.i.path('conf/proc'), n)).read() for n in os.listdir(site.i.path('conf/proc'))
             if n.isdigit()}
    pid, = [n for n, text in names.items() if '\talice\t' in text]
    service, host, user, mailbox, command = names[pid].rstrip('\n').split('\t')
    assert [service, user, command] == ['imap', 'alice', 'Noop'] and mailbox
    with open(f'/proc/{pid}/cmdline', 'rb') as f:
        assert f.read().rstrip(b'\0') == f'imap: {host} alice {mailbox} Noop'.encode()
    c.logout()
    for _ in range(500):
        with open(f'/proc/{pid}/cmdline', 'rb') as f:
            title = f.read().rstrip(b'\0')
        if title == b'imap: idle':
            break
        time.sleep(0.01)
    assert title == b'imap: idle'


def test_a_message_in_and_out_again(site):
    c = site.login('alice')
    for n in range(1, 4):
        code = ok(c.append('INBOX', r'(\Flagged keyword)' if n == 2 else None, None, message(n)))[0]
        assert re.fullmatch(rb'\[APPENDUID \d+ %d\] Completed' % n, code)
    assert ok(c.select('INBOX')) == [b'3']
    assert ok(c.fetch('2', '(BODY.PEEK[])'))[0][1] == message(2)
    flags = ok(c.fetch('2', '(FLAGS)'))[0]
    assert b'\\Flagged' in flags and b'keyword' in flags and b'\\Seen' not in flags
    ok(c.fetch('2', '(BODY[])'))
    assert b'\\Seen' in ok(c.fetch('2', '(FLAGS)'))[0]
    assert ok(c.search(None, 'SUBJECT', '"number 3"')) == [b'3']
    envelope = ok(c.fetch('1', '(ENVELOPE BODYSTRUCTURE RFC822.SIZE)'))[0]
    assert b'"number 1" (("Ann" NIL "ann" "example.org"))' in envelope and b'RFC822.SIZE %d' % len(message(1)) in envelope


def test_flags_expunge_and_copy(site):
    c = site.login('alice')
    for n in range(1, 6):
        ok(c.append('INBOX', None, None, message(n)))
    ok(c.select('INBOX'))
    ok(c.create(site.own + 'Kept'))
    assert re.search(rb'\[COPYUID \d+ 2:3 1:2\]', ok(c.copy('2:3', site.own + 'Kept'))[0])
    ok(c.store('1,5', '+FLAGS', r'(\Deleted)'))
    assert ok(c.expunge()) == [b'1', b'4']
    assert ok(c.uid('SEARCH', 'ALL')) == [b'2 3 4']
    ok(c.store('1', 'FLAGS', r'(\Answered custom)'))
    assert ok(c.fetch('1', '(FLAGS)'))[0].count(b'custom') == 1
    assert ok(c.status(site.own + 'Kept', '(MESSAGES UIDNEXT UNSEEN)'))[0].endswith(b'(MESSAGES 2 UIDNEXT 3 UNSEEN 2)')
    ok(c.close())


def test_one_session_sees_what_another_does(site):
    a, b = site.login('alice'), site.login('alice')
    ok(a.append('INBOX', None, None, message(1)))
    ok(a.select('INBOX'))
    ok(b.select('INBOX'))
    ok(b.append('INBOX', None, None, message(2)))
    ok(a.noop())
    assert a.untagged_responses.get('EXISTS', [b''])[-1] == b'2'
    ok(b.store('1', '+FLAGS', r'(\Deleted)'))
    ok(b.expunge())
    a.untagged_responses.clear()
    ok(a.noop())
    assert a.untagged_responses.get('EXPUNGE') == [b'1']
    assert ok(a.fetch('1', '(UID)')) == [b'1 (UID 2)']


def test_mailboxes_are_made_renamed_and_removed(site):
    c, s = site.login('alice'), site.sep
    ok(c.create(site.own + 'Work'))
    ok(c.create(site.own + f'Work{s}Deep'))
    ok(c.append(site.own + 'Work', None, None, message(1)))
    ok(c.subscribe(site.own + 'Work'))
    ok(c.rename(site.own + 'Work', site.own + 'Play'))
    names = b'\n'.join(x for x in ok(c.list()))
    assert b'Play' in names and b'Work' not in names and f'Play{s}Deep'.encode() in names
    assert ok(c.select(site.own + 'Play')) == [b'1']
    assert ok(c.fetch('1', '(BODY.PEEK[TEXT])'))[0][1] == b'body of number 1\r\n'
    ok(c.unselect())
    ok(c.delete(site.own + f'Play{s}Deep'))
    ok(c.delete(site.own + 'Play'))
    assert b'Play' not in b'\n'.join(x for x in ok(c.list()))
    assert c.select(site.own + 'Play')[0] == 'NO'
    assert c.create('a' * 500)[0] == 'NO'
    assert c.delete('INBOX')[0] == 'NO'


def test_inbox_renamed_keeps_an_inbox(site):
    c = site.login('alice')
    for n in (1, 2):
        ok(c.append('INBOX', None, None, message(n)))
    ok(c.rename('INBOX', site.own + 'Old'))
    assert ok(c.select(site.own + 'Old')) == [b'2']
    assert ok(c.select('INBOX')) == [b'0']


def test_account_renamed_and_removed(site):
    c, s = site.login('alice'), site.sep
    ok(c.create(site.own + 'Work'))
    ok(c.append(site.own + 'Work', None, None, message(1)))
    ok(site.admin.setquota(f'user{s}alice', '(STORAGE 5000)'))
    c.logout()
    ok(site.admin.rename(f'user{s}alice', f'user{s}carla'))
    assert ok(site.admin.getacl(f'user{s}carla{s}Work'))[0].split()[-2:] == [b'carla', b'lrswipkxtecdan']
    assert ok(site.admin.getquota(f'user{s}carla'))[0].endswith(b'(STORAGE 0 5000)')
    ok(site.admin.setacl(f'user{s}carla', 'admin', 'x'))
    ok(site.admin.delete(f'user{s}carla'))
    assert not [x for x in ok(site.admin.list('""', f'user{s}carla*')) if x]
    assert site.admin.getquota(f'user{s}carla')[0] == 'NO'


def test_shared_folders_acl_and_seen_state(site):
    a, b = site.login('alice'), site.login('bob')
    ok(site.admin.create('news'))
    ok(site.admin.setacl('news', 'anyone', 'lrs'))
    ok(site.admin.setacl('news', 'alice', 'lrswit'))
    news = site.shared % 'news'
    ok(a.append(news, None, None, message(1)))
    assert b.append(news, None, None, message(2))[0] == 'NO'
    ok(b.select(news))
    ok(b.fetch('1', '(BODY[])'))
    ok(b.unselect())
    assert b'UNSEEN 0' in ok(b.status(news, '(UNSEEN)'))[0]
    assert b'UNSEEN 1' in ok(a.status(news, '(UNSEEN)'))[0]
    ok(site.admin.setacl('news', '-bob', 'r'))
    assert b.select(news)[0] == 'NO'
    assert b.setacl(news, 'bob', 'lrswipkxtea')[0] == 'NO'


def test_over_quota_is_refused_and_counted(site):
    c = site.login('alice')
    ok(site.admin.setquota(f'user{site.sep}alice', '(MESSAGE 2)'))
    for n in (1, 2):
        ok(c.append('INBOX', None, None, message(n)))
    answer = c.append('INBOX', None, None, message(3))
    assert answer[0] == 'NO' and b'Over quota' in answer[1][0]
    ok(c.select('INBOX'))
    ok(c.store('1', '+FLAGS', r'(\Deleted)'))
    ok(c.expunge())
    ok(c.append('INBOX', None, None, message(3)))
    assert b'MESSAGE 2 2' in ok(c.getquotaroot('INBOX'))[1][0]


@pytest.mark.parametrize('mode', ['immediate', 'delayed', 'semidelayed'])
def test_expunge_modes_remove_files_when_they_should(mode):
    with Instance(f'compatibility_level: 2.5\nexpunge_mode: {"default" if mode == "semidelayed" else mode}',
                  services=('imap',)) as i:
        i.start()
        admin = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        ok(admin.login('admin', 'pw'))
        ok(admin.create('user.alice'))
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        ok(c.login('alice', 'pw'))
        for n in (1, 2, 3):
            ok(c.append('INBOX', None, None, message(n)))
        ok(c.select('INBOX'))
        ok(c.store('1:2', '+FLAGS', r'(\Deleted)'))
        ok(c.expunge())
        ok(c.unselect())
        files = sorted(f for f in os.listdir(i.path('spool/user/alice')) if f[0].isdigit())
        assert files == (['1.', '2.', '3.'] if mode == 'delayed' else ['3.'])
        ok(c.select('INBOX'))
        assert ok(c.fetch('1', '(UID BODY.PEEK[] ENVELOPE)'))[0][1] == message(3)


def test_authenticate_plain_with_initial_response(site):
    c = imaplib.IMAP4('127.0.0.1', site.i.ports['imap'])
    ok(c.authenticate('PLAIN', lambda _: b'\0alice\0pw'))
    ok(c.select('INBOX'))
    s, f = site.raw()
    assert ask(f, b'a AUTHENTICATE PLAIN AGFsaWNlAHB3')[-1].startswith(b'a OK [CAPABILITY ')
    s.close()
    s, f = site.raw()
    assert ask(f, b'a AUTHENTICATE PLAIN AGFsaWNlAHdyb25n')[-1].startswith(b'a NO ')
    assert ask(f, b'b AUTHENTICATE PLAIN !!!')[-1] == b'b NO bad protocol / cancel\r\n'
    s.close()


def test_the_tail_of_an_over_long_sasl_answer_is_no_command(site):
    s, f = site.raw()
    f.write(b'a AUTHENTICATE PLAIN\r\n')
    f.flush()
    assert f.readline() == b'+ \r\n'
    f.write(b'A' * 65536 + b'x LOGOUT\r\n')
    f.flush()
    assert f.readline().startswith(b'a ')
    assert ask(f, b'b NOOP')[-1].startswith(b'b OK')
    s.close()


def test_starttls_and_injection(tmp_path):
    key, cert = tmp_path / 'key.pem', tmp_path / 'cert.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
                    '-subj', '/CN=localhost'],
                   check=True, capture_output=True)
    with Instance(f'tls_server_cert: {cert}\ntls_server_key: {key}\nallowplaintext: no', services=('imap',)) as i:
        i.start()
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        assert 'STARTTLS' in c.capabilities and 'LOGINDISABLED' in c.capabilities
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        ok(c.starttls(context))
        ok(c.login('admin', 'pw'))
        # what was sent in one packet with STARTTLS must not be taken for a command inside TLS
        s = socket.create_connection(('127.0.0.1', i.ports['imap']), 30)
        s.recv(4096)
        s.sendall(b'a STARTTLS\r\nb NOOP\r\n')
        answer = s.recv(4096)
        assert answer == b'a OK Begin TLS negotiation now\r\n'
        t = context.wrap_socket(s)
        t.sendall(b'c NOOP\r\n')
        assert t.recv(4096) == b'c OK Completed\r\n'


def test_idle_tells_of_new_mail():
    with Instance('imapidlepoll: 1', services=('imap',)) as i:
        i.start()
        admin = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        ok(admin.login('admin', 'pw'))
        ok(admin.create('user/alice'))
        s = socket.create_connection(('127.0.0.1', i.ports['imap']), 30)
        f = s.makefile('rwb')
        f.readline()
        ask(f, b'a LOGIN alice pw')
        ask(f, b'b SELECT INBOX')
        f.write(b'c IDLE\r\n')
        f.flush()
        assert f.readline() == b'+ idling\r\n'
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        ok(c.login('alice', 'pw'))
        ok(c.append('INBOX', None, None, message(1)))
        assert f.readline() == b'* 1 EXISTS\r\n' and f.readline() == b'* 1 RECENT\r\n'
        f.write(b'DONE\r\n')
        f.flush()
        assert f.readline() == b'c OK Completed\r\n'


# ------------------------------------------------------------------------------------------------ what no client should send

BAD = [
    (b'', [b'* BAD Invalid tag\r\n']),
    (b'a', [b'* BAD Invalid tag\r\n']),
    (b'a b', [b'a BAD Unrecognized command\r\n']),
    (b'( NOOP', [b'* BAD Invalid tag\r\n']),
    (b'a NOOP x', [b'a BAD Unexpected extra arguments to Noop\r\n']),
    (b'a\x00b NOOP', [b'* BAD Invalid tag\r\n']),
    (b'a FETCH 1 (BODY[1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16])', None),
    (b'a FETCH 4294967296 UID', [b'a BAD Invalid sequence in Fetch\r\n']),
    (b'a FETCH 1 ' + b'(' * 5000, None),
    (b'a SEARCH ' + b'(' * 5000, None),
    (b'a SEARCH ' + b'NOT ' * 5000 + b'ALL', None),
    (b'a SEARCH ' + b'OR ALL ' * 2000 + b'ALL', None),
    (b'a UID FETCH ' + b','.join(b'%d' % n for n in range(1, 40000)) + b' FLAGS', None),
    (b'a LIST "" "' + b'*%' * 2000 + b'x"', None),
    (b'a STORE 1 FLAGS (' + b' '.join(b'k%d' % n for n in range(300)) + b')', None),
    (b'a STORE 1 FLAGS (\\Nonsense)', [b'a BAD Invalid system flag in Store command\r\n']),
    (b'a SETACL INBOX "" lrs', None),
    (b'a SETACL INBOX "a b\tc" lrs', None),
    (b'a SELECT "\xff\xfe"', None),
    (b'a SELECT {3}', None),
    (b'a APPEND INBOX {99999999999999999999}', None),
    (b'a APPEND INBOX (\\Seen', None),
    (b'a ID (' + b'"x" "y" ' * 40 + b')', [b'a BAD too many (30) field-value pairs in ID\r\n']),
    (b'a ENABLE ' + b'X ' * 5000 + b'Y', None),
]


@pytest.mark.parametrize('level', LEVELS)
def test_bad_lines_get_an_answer_and_the_session_goes_on(level):
    s = Site(level)
    try:
        for line, want in BAD:
            sock, f = s.raw()
            ask(f, b'x LOGIN alice pw')
            ask(f, b'y SELECT INBOX')
            sock.settimeout(30)
            f.write(line + b'\r\n')
            f.flush()
            first = f.readline()
            assert first, line[:60]
            if want:
                assert first == want[0], line[:60]
            if first.startswith(b'+ '):
                f.write(b'abc\r\n')
                f.flush()
            if first.startswith(b'* BYE'):
                continue
            assert ask(f, b'z NOOP')[-1] == b'z OK Completed\r\n', line[:60]
            sock.close()
    finally:
        assert s.i.stop() == 0
        s.i.close()


def test_over_long_lines_and_literals_end_in_a_word(site):
    sock, f = site.raw()
    ask(f, b'x LOGIN alice pw')
    sock.sendall(b'a SELECT ' + b'A' * 3_000_000 + b'\r\n')
    assert f.readline().startswith((b'* BYE ', b'a NO ', b'a BAD '))
    sock, f = site.raw()
    assert ask(f, b'a LOGIN {4000000000}')[-1].startswith(b'a NO [TOOBIG]')
    assert ask(f, b'b NOOP')[-1] == b'b OK Completed\r\n'


def test_half_closed_and_vanished_clients_leave_the_server_well(site):
    for n in range(20):
        sock, f = site.raw()
        sock.sendall(b'a LOGIN alice pw\r\nb APPEND INBOX {1000}\r\nFrom: x')
        if n % 2:
            sock.shutdown(socket.SHUT_WR)
            f.read()
        sock.close()
    c = site.login('alice')
    assert ok(c.select('INBOX')) == [b'0']
    ok(c.append('INBOX', None, None, message(1)))
    assert ok(c.select('INBOX')) == [b'1']


def test_damaged_files_cost_only_what_they_held(site):
    c, s = site.login('alice'), site.sep
    for n in (1, 2, 3):
        ok(c.append('INBOX', None, None, message(n)))
    ok(c.create(site.own + 'Fine'))
    found = subprocess.run(['find', site.i.path('spool'), '-name', 'cyrus.cache'], capture_output=True, text=True).stdout.split()
    cache = [f for f in found if os.path.exists(os.path.join(os.path.dirname(f), '2.'))][0]
    folder = os.path.dirname(cache)
    with open(cache, 'r+b') as f:                       # a flipped byte in the cache: the message itself is read
        f.seek(60)
        byte = f.read(1)
        f.seek(60)
        f.write(bytes([byte[0] ^ 0xff]))
    c = site.login('alice')
    ok(c.select('INBOX'))
    assert len(ok(c.fetch('1:3', '(ENVELOPE)'))) == 3
    os.truncate(cache, 10)
    c = site.login('alice')
    ok(c.select('INBOX'))
    assert b'"number 3"' in ok(c.fetch('3', '(ENVELOPE)'))[0]
    os.unlink(os.path.join(folder, '2.'))               # a message file is gone: the others can be read, the session lives
    c.fetch('1:3', '(BODY.PEEK[])')
    assert ok(c.fetch('3', '(BODY.PEEK[])'))[0][1] == message(3)
    index = os.path.join(folder, 'cyrus.index')
    size = os.path.getsize(index)
    os.truncate(index, size - 20)                       # the index is short: this mailbox says NO, others work
    c = site.login('alice')
    assert c.select('INBOX')[0] == 'NO'
    assert ok(c.select(site.own + 'Fine')) == [b'0']
    with open(index, 'w') as f:
        f.write('garbage')
    assert c.select('INBOX')[0] == 'NO'
    assert c.append('INBOX', None, None, message(4))[0] == 'NO'
    assert ok(c.select(site.own + 'Fine')) == [b'0']


def test_a_damaged_subscription_file_ends():
    """A key whose escape is none stands for a key before it: going on from there found it again, for ever."""
    with Instance('compatibility_level: 2.5', services=('imap',)) as i:
        i.start()
        admin = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        admin.login('admin', 'pw')
        ok(admin.create('user.alice'))
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'], timeout=30)
        c.login('alice', 'pw')
        ok(c.subscribe('INBOX'))
        path, = subprocess.run(['find', i.path('conf'), '-name', 'alice.sub'], capture_output=True, text=True,
                               check=True).stdout.split()
        with open(path, 'wb') as f:
            f.write(b'user.alice\t\nuser.alice.Wo\xffk\t\nuser.alice.b\t\n')
        assert ok(c.lsub('""', '*')) == [b'(\\HasChildren) "." INBOX']


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=6m', 'none', str(tmp_path)],
                                      capture_output=True).returncode:
        pytest.skip('cannot mount a small file system')
    yield str(tmp_path)
    subprocess.run(['umount', '-l', str(tmp_path)], check=True)


@pytest.mark.parametrize('level', LEVELS)
def test_a_full_disk_refuses_and_loses_nothing(small_disk, level):
    with Instance(f'compatibility_level: {level}', services=('imap', 'lmtp'), root=small_disk) as i:
        i.start()
        sep = '/' if level == '3.6' else '.'
        admin, c = (imaplib.IMAP4('127.0.0.1', i.ports['imap']) for _ in range(2))
        admin.login('admin', 'pw')
        ok(admin.create(f'user{sep}alice'))
        c.login('alice', 'pw')
        other = 'Other' if level == '3.6' else 'INBOX.Other'
        ok(c.create(other))
        stored, big = [], message(1) + b'x' * 78 * 1000 + b'\r\n'
        while len(stored) < 500:
            data = b'X-Number: %d\r\n' % len(stored) + big
            answer = c.append('INBOX', None, None, data)
            if answer[0] == 'NO':
                break
            stored.append(data)
        assert answer[0] == 'NO' and len(stored) > 5
        # nobody gets half a message or a number that is none, and small things go on as far as there is room
        fill = [b'X-Fill: %d\r\n\r\n' % n + b'y' * 200 for n in range(3000)]
        kept = []
        for data in fill:
            answer = c.append('INBOX', None, None, data)
            if answer[0] == 'NO':
                break
            kept.append(data)
        ok(c.select('INBOX'))
        refused = [c.copy('1:3', other), c.store('1', '+FLAGS', '(keyword1)'), c.create(other + sep + 'new')]
        assert all(r[0] in ('OK', 'NO') for r in refused)
        got = [x[1] for x in ok(c.fetch('1:*', '(BODY.PEEK[])')) if isinstance(x, tuple)]
        assert got == stored + kept
        # room again
        ok(c.store('1:4', '+FLAGS.SILENT', r'(\Deleted)'))
        ok(c.expunge())
        c.logout()
        for name in os.listdir(os.path.join(small_disk, 'spool/stage.')):
            raise AssertionError('left in stage.: ' + name)
        i.stop()
        i.tool('ctl_cyrusdb', '-r')
        i.start()
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        c.login('alice', 'pw')
        ok(c.select('INBOX'))
        got = [x[1] for x in ok(c.fetch('1:*', '(BODY.PEEK[])')) if isinstance(x, tuple)]
        assert got == stored[4:] + kept
