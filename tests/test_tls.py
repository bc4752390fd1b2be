#!/usr/bin/env python3
"""Each TLS option of imapd.conf seen to act on the wire, at imapd and lmtpd; certificates by the openssl program. Then files that
are not there or not what they should be: STARTTLS is not announced and not given. Run by pytest."""
import fcntl, imaplib, os, re, socket, ssl, struct, subprocess

import pytest

from instance import Instance


def openssl(*args, **kw):
    return subprocess.run(['openssl', *map(str, args)], check=True, capture_output=True, text=True, **kw).stdout


class Certificates:
    """A CA with a server's certificate, clients' alice, bob (revoked) and late (expired); another CA with a client 'alice'."""

    def __init__(self, root):
        self.root = root
        self.ca('ca')
        self.ca('strangers')
        self.leaf('server', 'ca', '/CN=localhost')
        self.leaf('alice', 'ca', '/CN=alice')
        self.leaf('bob', 'ca', '/CN=bob')
        self.leaf('two', 'ca', '/CN=alice/CN=admin')
        self.leaf('late', 'ca', '/CN=alice', '-startdate', '20200101000000Z', '-enddate', '20200102000000Z')
        self.leaf('stranger', 'strangers', '/CN=alice')
        self.sign('ca', '-revoke', self['bob.pem'])
        self.sign('ca', '-gencrl', '-crldays', '2', '-out', self['crl.pem'])
        os.mkdir(self['hashed'])
        name = openssl('x509', '-in', self['ca.pem'], '-noout', '-subject_hash').strip() + '.0'
        os.symlink(self['ca.pem'], os.path.join(self['hashed'], name))
        os.mkdir(self['empty'])

    def __getitem__(self, name):
        return str(self.root / name)

    def ca(self, name):
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self[name + '.key'], '-out', self[name + '.pem'],
                '-days', '2',
                '-subj', f'/CN={name}')
        (self.root / (name + '.db')).write_text('')
        (self.root / (name + '.cnf')).write_text(f'''[ca]
default_ca = c
[c]
database = {self[name + '.db']}
new_certs_dir = {self.root}
certificate = {self[name + '.pem']}
private_key = {self[name + '.key']}
rand_serial = yes
default_md = sha256
default_days = 2
policy = any
unique_subject = no
[any]
commonName = supplied
''')

    def sign(self, ca, *args):
        openssl('ca', '-batch', '-notext', '-config', self[ca + '.cnf'], *args)

    def leaf(self, name, ca, subject, *dates):
        openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', self[name + '.key'], '-out', self[name + '.csr'], '-subj',
                subject)
        self.sign(ca, '-in', self[name + '.csr'], '-out', self[name + '.pem'], *dates)


@pytest.fixture(scope='module')
def certs(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp('certs'))


def site(certs, conf='', mechs='PLAIN LOGIN EXTERNAL', server=True, services=('imap',), **how):
    own = f'tls_server_cert: {certs["server.pem"]}\ntls_server_key: {certs["server.key"]}\n' if server else ''
    i = Instance(own + conf, services=services)
    path = i.path('imapd.conf')
    with open(path) as f:
        text = f.read()
    with open(path, 'w') as f:
        f.write(text.replace('sasl_mech_list: PLAIN LOGIN', 'sasl_mech_list: ' + mechs))
    return i.start(**how)


def context(certs, client=None, version=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if client:
        c.load_cert_chain(certs[client + '.pem'], certs[client + '.key'])
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def imap(i):
    return imaplib.IMAP4('127.0.0.1', i.ports['imap'], 30)


def enter(i, ctx):
    """STARTTLS, and one command inside. The connection, or None when the server would not have us."""
    c = imap(i)
    try:
        c.starttls(ctx)
        assert c.noop()[0] == 'OK'
        return c
    except (ssl.SSLError, ConnectionError, imaplib.IMAP4.abort):
        return None


def s_client(i, *args):
    """Output of openssl s_client, after the handshake."""
    r = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{i.ports["imap"]}', '-starttls', 'imap', *args],
                       input='', capture_output=True, text=True, timeout=60)
    return r.stdout + r.stderr


# ---- client certificates

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
CA = 'tls_client_ca_file: {ca}\n'
CLIENTS = [
    # conf, who is let in; 'None' shows no certificate
    ('', [None, 'alice', 'stranger']),                                           # no CA: nobody is asked
    ('tls_client_certs: off\n' + CA, [None, 'alice', 'bob', 'late', 'stranger']),
    # optional is the default; what is shown must be good
    (CA, [None, 'alice', 'bob']),
    ('tls_client_certs: optional\n' + CA, [None, 'alice', 'bob']),
    ('tls_client_certs: require\n' + CA, ['alice', 'bob']),
    ('tls_client_certs: require\ntls_client_ca_dir: {dir}\n', ['alice', 'bob']),
    ('tls_client_certs: require\ntls_client_ca_dir: {empty}\n', []),
    ('tls_client_certs: require\ntls_ca_file: {ca}\n', ['alice', 'bob']),        # the names of old
    ('tls_client_certs: require\ntls_ca_path: {dir}\n', ['alice', 'bob']),
    ('tls_client_certs: require\ntls_crl_file: {crl}\n' + CA, ['alice']),
    ('tls_crl_file: {crl}\n' + CA, [None, 'alice']),
]


def fill(certs, conf):
    return conf.format(ca=certs['ca.pem'], dir=certs['hashed'], empty=certs['empty'], crl=certs['crl.pem'])


@pytest.mark.parametrize('conf,welcome', CLIENTS, ids=[c.replace('\n', ' ') or 'none' for c, _ in CLIENTS])
def test_client_certificates(certs, conf, welcome):
    known = [None, 'alice', 'bob', 'late', 'stranger']
    if not conf:
        welcome = known
    with site(certs, 'compatibility_level: 3.6\n' + fill(certs, conf)) as i:
        for version in VERSIONS:
            got = [who for who in known if enter(i, context(certs, who, version))]
            assert got == welcome, version


def test_no_certificate_no_session_at_imaps(certs):
    conf = 'tls_client_certs: require\nallowstarttls: no\n' + fill(certs, CA)          # which is not about TLS from the start
    with site(certs, conf, args={'imap': ' -s'}) as i:
        for who, welcome in ((None, False), ('stranger', False), ('alice', True)):
            try:
                with context(certs, who).wrap_socket(socket.create_connection(('127.0.0.1', i.ports['imap']), 30)) as s:
                    answer = s.recv(4096)
            except (ssl.SSLError, ConnectionError):
                answer = b''
            assert answer.startswith(b'* OK [CAPABILITY') == welcome, (who, answer)
            assert b'STARTTLS' not in answer


def test_names_of_the_ca_are_sent(certs):
    with site(certs, fill(certs, CA)) as i:
        text = s_client(i)
        assert re.search(r'Acceptable client certificate CA names\nCN ?= ?ca\n', text), text
    with site(certs, 'tls_client_certs: off\n' + fill(certs, CA)) as i:
        assert 'No client certificate CA names sent' in s_client(i)


def test_the_certificate_is_who_logs_in(certs):
    with site(certs, fill(certs, CA)) as i:
        assert not [w for w in imap(i).capabilities if w == 'AUTH=EXTERNAL']
        c = enter(i, context(certs))
        assert 'AUTH=EXTERNAL' not in c.capabilities
        with pytest.raises(imaplib.IMAP4.error):
            c.authenticate('EXTERNAL', lambda _: b'alice')
        for who, wanted, ok in (('alice', b'', True), ('alice', b'alice', True), ('alice', b'admin', False), ('two', b'', False),
                                ('two', b'admin', False)):
            c = enter(i, context(certs, who))
            assert ('AUTH=EXTERNAL' in c.capabilities) == (who != 'two')
            if ok:
                assert c.authenticate('EXTERNAL', lambda _: wanted)[0] == 'OK'
                assert c.create('user/alice')[0] == 'NO'                       # she is no administrator
            else:
                with pytest.raises(imaplib.IMAP4.error):
                    c.authenticate('EXTERNAL', lambda _: wanted)


# ---- sessions, curves, DH, versions, names of old

def resumed(i, ctx):
    first = enter(i, ctx)
    session = first.sock.session
    first.logout()
    s = socket.create_connection(('127.0.0.1', i.ports['imap']), 30)
    s.recv(4096)
    s.sendall(b'a STARTTLS\r\n')
    s.recv(4096)
    with ctx.wrap_socket(s, session=session) as t:
        t.sendall(b'b NOOP\r\n')
        assert t.recv(4096) == b'b OK Completed\r\n'
        return session.ticket_lifetime_hint, t.session_reused


@pytest.mark.parametrize('version', VERSIONS)
@pytest.mark.parametrize('who', [None, 'alice'])
@pytest.mark.parametrize('option,seconds', [('', 86400), ('tls_session_timeout: 10\n', 600),
                                            ('tls_session_timeout: 9999\n', 86400),
                                            ('tls_session_timeout: 0\n', 0)])
def test_sessions(certs, option, seconds, who, version):
    with site(certs, 'compatibility_level: 3.6\n' + option + fill(certs, CA), service='maxchild=1') as i:
        # one process, because each knows only its own sessions
        timeout, reused = resumed(i, context(certs, who, version))
        assert reused == (seconds > 0)
        if seconds:
            assert timeout == seconds


# ---- sessions of TLS 1.2 by their ids, in a file that every process reads

def by_id(i, certs, take_up=None, keep=None, port='imap'):
    """One full or short handshake by s_client without tickets. True: the session was taken up again."""
    args = ['-tls1_2', '-no_ticket'] + (['-sess_in', take_up] if take_up else []) + (['-sess_out', keep] if keep else [])
    r = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{i.ports[port]}', '-starttls', 'imap' if port == 'imap'
                        else 'lmtp', *args],
                       input='a LOGOUT\n' if port == 'imap' else 'QUIT\n', capture_output=True, text=True, timeout=60)
    assert 'Cipher is ECDHE' in r.stdout, r.stdout + r.stderr
    return '\nReused, ' in r.stdout


def rows(i):
    out = i.tool('cyr_dbtool', i.path('conf/tls_sessions.db'), 'twoskip', 'consistent').stdout
    assert 'Yes' in out
    with open(i.path('conf/tls_sessions.db'), 'rb') as f:
        return struct.unpack('>Q', f.read(48)[32:40])[0]


def prune(i):
    i.tool('tls_prune')
    return rows(i)


def test_sessions_are_shared_by_processes(certs):
    a, b = certs['session.a'], certs['session.b']
    with site(certs, fill(certs, CA), services=('imap', 'lmtp'), service='maxchild=1') as i:
        assert not by_id(i, certs, keep=a)
        assert by_id(i, certs, a) and by_id(i, certs, a)              # more than once, and after the client has gone
        assert rows(i) == 1
        assert i.stop() == 0
        i.start()                                                     # other processes
        assert by_id(i, certs, a)
        assert not by_id(i, certs, keep=b)
        assert rows(i) == 2
        assert prune(i) == 2                                          # none is over
        i.stop()


def test_a_database_that_cannot_be_used(certs):
    a = certs['session.c']
    with site(certs) as i:
        path = i.path('conf/tls_sessions.db')
        assert not by_id(i, certs, keep=a)
        assert by_id(i, certs, a)
        with open(path, 'rb') as f:
            good = f.read()
        with open(path, 'wb') as f:                                   # not a database any more
            f.write(b'\xff' * 4096)
        assert not by_id(i, certs, a)
        os.unlink(path)                                               # none
        assert not by_id(i, certs, a)
        assert rows(i) == 1                                           # of the new one
        os.unlink(path)
        os.mkdir(path)                                                # cannot be
        assert not by_id(i, certs, a)
        os.rmdir(path)
        with open(path, 'wb') as f:
            f.write(good)
        os.chmod(path, 0o666)
        assert by_id(i, certs, a)
        with open(path, 'r+b') as f:                                  # locked by somebody who does not let go
            fcntl.lockf(f, fcntl.LOCK_EX)
            assert not by_id(i, certs, a)
            fcntl.lockf(f, fcntl.LOCK_UN)
        assert by_id(i, certs, a)
        i.stop()


def test_no_session_is_kept(certs):
    with site(certs, 'tls_session_timeout: 0\n') as i:
        a = certs['session.d']
        by_id(i, certs, keep=a)
        assert not (os.path.exists(a) and by_id(i, certs, a))
        assert not os.path.exists(i.path('conf/tls_sessions.db'))
        i.stop()


def test_curve(certs):
    with site(certs, 'tls_eccurve: secp384r1\n') as i:
        assert 'ECDH, secp384r1, 384 bits' in s_client(i).replace('P-384', 'secp384r1')
        assert 'Cipher is (NONE)' in s_client(i, '-curves', 'P-256')
    with site(certs) as i:
        assert 'ECDH, prime256v1, 256 bits' in s_client(i, '-curves', 'P-256').replace('P-256', 'prime256v1')


def test_dh_parameters(certs):
    dh, small = certs['dh.pem'], certs['small.pem']
    openssl('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe3072', '-out', dh)
    with open(small, 'w') as f:
        f.write(openssl('dhparam', '512'))
    dhe = ('-tls1_2', '-cipher', 'DHE-RSA-AES256-GCM-SHA384')
    with site(certs, f'tls_server_dhparam: {dh}\n') as i:
        assert 'Temp Key: DH, 3072 bits' in s_client(i, *dhe)
    with site(certs) as i:
        assert 'Temp Key: DH, 2048 bits' in s_client(i, *dhe)
    with open(certs['both.pem'], 'w') as f:
        f.write(open(dh).read() + open(certs['server.pem']).read())
    with site(certs, f'tls_server_cert: {certs["both.pem"]}\ntls_server_key: {certs["server.key"]}\n', server=False) as i:
        assert 'Temp Key: DH, 3072 bits' in s_client(i, *dhe)
    with site(certs, f'tls_server_dhparam: {small}\n') as i:
        assert 'STARTTLS' not in imap(i).capabilities


def test_versions_are_substrings(certs):
    with site(certs, 'tls_versions: tls1_1,tls1_2\n') as i:
        assert enter(i, context(certs, version=ssl.TLSVersion.TLSv1_2))
        assert not enter(i, context(certs, version=ssl.TLSVersion.TLSv1_3))


def test_names_of_old(certs):
    conf = f'tls_cert_file: {certs["server.pem"]}\ntls_key_file: {certs["server.key"]}\ntls_cipher_list: AES128-SHA256\n'
    with site(certs, conf, server=False) as i:
        c = enter(i, context(certs, version=ssl.TLSVersion.TLSv1_2))
        assert c.sock.cipher()[0] == 'AES128-SHA256'


# ---- allowstarttls

class Lmtp:
    def __init__(self, i):
        self.s = socket.create_connection(('127.0.0.1', i.ports['lmtp']), 30)
        self.f = self.s.makefile('rwb')
        self.f.readline()

    def ask(self, line):
        self.f.write(line + b'\r\n')
        self.f.flush()
        answer = [self.f.readline()]
        while answer[-1][3:4] == b'-':
            answer.append(self.f.readline())
        return b''.join(answer)

    def starttls(self, ctx):
        assert self.ask(b'STARTTLS') == b'220 Begin TLS negotiation now\r\n'
        self.s = ctx.wrap_socket(self.s)
        self.f = self.s.makefile('rwb')
        return self.ask(b'LHLO x')


@pytest.mark.parametrize('level', ['2.5', '3.6'])
@pytest.mark.parametrize('option,offered', [('', True), ('allowstarttls: yes\n', True), ('allowstarttls: no\n', False)])
def test_allowstarttls(certs, level, option, offered):
    with site(certs, f'compatibility_level: {level}\n{option}', services=('imap', 'lmtp'), args={'lmtp': ''}) as i:
        c = imap(i)
        assert ('STARTTLS' in c.capabilities) == offered
        s = socket.create_connection(('127.0.0.1', i.ports['imap']), 30)
        s.recv(4096)
        s.sendall(b'a STARTTLS\r\n')
        assert s.recv(4096) == (b'a OK Begin TLS negotiation now\r\n' if offered else b'a BAD Unrecognized command\r\n')
        c = Lmtp(i)
        assert (b'STARTTLS' in c.ask(b'LHLO x')) == offered
        assert c.ask(b'STARTTLS') == (b'220 Begin TLS negotiation now\r\n' if offered else b'500 5.5.2 Syntax error\r\n')


def test_the_certificate_is_a_login_at_lmtp(certs):
    with site(certs, fill(certs, CA), services=('lmtp',), args={'lmtp': ''}) as i:
        for who, known in ((None, False), ('two', False), ('alice', True)):
            c = Lmtp(i)
            assert b'AUTH EXTERNAL' not in c.ask(b'LHLO x')
            c.starttls(context(certs, who))
            assert c.ask(b'AUTH EXTERNAL =').startswith(b'503 5.5.0 already authenticated') == known, who
            assert c.ask(b'MAIL FROM:<a@b.example>').startswith(b'250') == known, who
        c = Lmtp(i)
        c.ask(b'LHLO x')
        with pytest.raises((ssl.SSLError, ConnectionError, OSError)):
            if not c.starttls(context(certs, 'stranger', ssl.TLSVersion.TLSv1_2)):
                raise ConnectionError


# ---- bad files

BAD = [
    'tls_client_ca_file: {none}', 'tls_client_ca_file: {text}', 'tls_client_ca_file: {empty}', 'tls_client_ca_dir: {none}',
    'tls_client_ca_dir: {text}', 'tls_ca_file: {none}', 'tls_ca_path: {none}', 'tls_crl_file: {none}', 'tls_crl_file: {text}',
    'tls_crl_file: {empty}', 'tls_server_dhparam: {none}', 'tls_server_dhparam: {text}', 'tls_server_dhparam: {empty}',
    'tls_eccurve: nosuchcurve', 'tls_ciphers: NOSUCHCIPHER', 'tls_client_certs: require',
    'tls_client_certs: off\ntls_client_ca_file: {none}',
]
OWN = ['tls_server_cert: {none}\ntls_server_key: {key}', 'tls_server_cert: {cert}\ntls_server_key: {none}',
       'tls_server_cert: {text}\ntls_server_key: {key}', 'tls_server_cert: {cert}\ntls_server_key: {text}',
       'tls_server_cert: {cert}\ntls_server_key: {other}',
       'tls_server_cert: {cert}\ntls_server_key: {locked}', 'tls_cert_file: {none}\ntls_key_file: {key}']


@pytest.mark.parametrize('conf,server', [(c, True) for c in BAD] + [(c, False) for c in OWN])
def test_bad_files(certs, conf, server):
    text, empty = certs['text'], certs['nothing']
    for path, content in ((text, 'this is no PEM\n'), (empty, '')):
        with open(path, 'w') as f:
            f.write(content)
    locked = certs['locked.key']
    if '{locked}' in conf:
        openssl('rsa', '-aes128', '-passout', 'pass:secret', '-in', certs['server.key'], '-out', locked)
    conf = conf.format(none=certs['nosuchfile'], text=text, locked=locked, empty=empty,
                       cert=certs['server.pem'], key=certs['server.key'], other=certs['alice.key'])
    with site(certs, conf + '\n', server=server, services=('imap', 'lmtp'), args={'lmtp': ''}) as i:
        assert 'STARTTLS' not in imap(i).capabilities
        s = socket.create_connection(('127.0.0.1', i.ports['imap']), 30)
        s.recv(4096)
        s.sendall(b'a STARTTLS\r\n')
        assert s.recv(4096) == b'a NO Error initializing TLS\r\n'
        c = Lmtp(i)
        assert b'STARTTLS' not in c.ask(b'LHLO x')
        assert c.ask(b'STARTTLS') == b'454 4.3.3 Error initializing TLS\r\n'
