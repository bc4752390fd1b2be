#!/usr/bin/env python3
"""Debian's Cyrus (3.6.1) and ours on one database file, in turn: what a crash of ours left, what ours wrote in good health, what
theirs wrote. Needs $PEER_ROOT (tests/peer.sh) and root. Run by pytest."""
import os, pwd, shutil, subprocess, tempfile

import pytest

PEER = os.environ.get('PEER_ROOT')
SRC = os.path.abspath(os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')))
BUILD = os.path.abspath(os.environ.get('builddir', '.'))
THEIRS = os.path.join(PEER or '', 'usr/lib/cyrus/bin/cyr_dbtool')
OURS = os.path.join(BUILD, 'imap/tools/cyr_dbtool')
CRASH = os.path.join(BUILD, 'check_dbcrash')
ROUNDS = os.environ.get('DBCRASH_ROUNDS', '40')
ENGINES = ['twoskip', 'skiplist', 'flat']

pytestmark = pytest.mark.skipif(not (PEER and os.geteuid() == 0 and os.path.exists(THEIRS)),
                                reason='no cyr_dbtool of Debian\'s ($PEER_ROOT), or not root')


class Place:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='peer-db.', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
        os.makedirs(self.path('conf/db'))
        with open(self.path('imapd.conf'), 'w') as f:
            f.write('configdirectory: %s/conf\npartition-default: %s/spool\ndefaultpartition: default\nsql_engine: sqlite\n'
                    % (self.dir, self.dir))
        os.chmod(self.dir, 0o755)

    def path(self, name):
        return os.path.join(self.dir, name)

    def own(self):
        cyrus = pwd.getpwnam('cyrus')
        subprocess.run(['chown', '-R', '%d:%d' % (cyrus.pw_uid, cyrus.pw_gid), self.dir], check=True)

    def tool(self, program, *args, data=b''):
        self.own()
        env = dict(os.environ, CYRUS_USER='cyrus', CYRUS_GROUP='mail')
        if program == THEIRS:
            env['LD_LIBRARY_PATH'] = os.path.join(PEER, 'usr/lib/x86_64-linux-gnu')
        r = subprocess.run([program, '-C', self.path('imapd.conf'), *args], input=data, env=env, capture_output=True, timeout=60)
        return r.returncode, r.stdout, r.stderr

    def show(self, program, name, engine):
        code, out, err = self.tool(program, self.path(name), engine, 'show')
        return out if code == 0 and b'fatal' not in err else None


@pytest.fixture
def place():
    p = Place()
    yield p
    shutil.rmtree(p.dir)


@pytest.fixture(scope='module')
def crashes():
    """Files as deaths of ours left them, and the content that ours found in each."""
    with tempfile.TemporaryDirectory() as keep:
        subprocess.run([CRASH], env=dict(os.environ, DBCRASH_KEEP=keep, DBCRASH_ROUNDS=ROUNDS, CK_RUN_CASE='lost', srcdir=SRC),
                       check=True)
        yield keep


def states(keep, engine, end):
    names = [n for n in sorted(os.listdir(keep)) if n.startswith('%s.%s.' % (engine, end)) and not n.endswith('.want')]
    for n in names:
        text, want = b'', os.path.join(keep, n + '.want')
        if os.path.exists(want):                          # nothing is in the table without it
            with open(want, 'rb') as f:
                text = f.read()
        yield n, b''.join(x.replace(b'=', b'\t', 1) + b'\n' for x in text.split(b' ') if x)


# 3.6 refuses a skiplist file in which a power failure left a hole behind the last commit; it must not find anything else in it
@pytest.mark.parametrize('engine,end,may_refuse',
                         [(e, end, (e, end) == ('skiplist', 'lose-some')) for e in ENGINES for end
                          in ('kill', 'lose-all', 'lose-some')])
def test_crash_states(place, crashes, engine, end, may_refuse):
    seen = refused = 0
    for name, want in states(crashes, engine, end):
        shutil.copy(os.path.join(crashes, name), place.path('x.db'))
        got = place.show(THEIRS, 'x.db', engine)
        if got is None and may_refuse:
            refused += 1
            continue
        assert got == want, name
        seen += 1
        if engine != 'flat':
            assert b'Yes, consistent' in place.tool(THEIRS, place.path('x.db'), engine, 'consistent')[1], name
    print('%s %s: %d read as we do, %d refused' % (engine, end, seen, refused))
    assert seen > refused


KEYS = (b'user.fred', b'user.fred.a', b'user.fred-x', b'a b', b'zz', b'\xc3\xa9', b'\xff\xfe', b"it's", b'50%')
LINES = b''.join(b'%s\tvalue of %s\n' % (k, k) for k in KEYS) + b'empty\t\n'


def lines(text):
    return sorted(text.split(b'\n')) if text is not None else None


@pytest.mark.parametrize('engine', ENGINES + ['sql'])
def test_healthy_files(place, engine):
    """Ours writes, theirs reads, checks, changes; ours reads that; and the other way round."""
    if engine == 'sql' and (b'not supported' in place.tool(THEIRS, '-n', place.path('y.db'), 'sql', 'set', 'a', 'b')[2]
                            or not sqlite()):
        pytest.skip('not both have sql')
    # theirs does not quote what it puts into a statement
    text = LINES if engine != 'sql' else LINES.replace(b"it's", b'its')
    for first, second in ((OURS, THEIRS), (THEIRS, OURS)):
        if os.path.exists(place.path('x.db')):
            os.unlink(place.path('x.db'))
        code, _, err = place.tool(first, '-n', place.path('x.db'), engine, 'set', data=text)
        assert code == 0, err
        assert lines(place.show(second, 'x.db', engine)) == lines(text)
        assert place.show(second, 'x.db', engine) == place.show(first, 'x.db', engine)
        assert b'Yes, consistent' in place.tool(second, place.path('x.db'), engine, 'consistent')[1]
        assert place.tool(second, place.path('x.db'), engine, 'set', 'user.new', 'by the second')[0] == 0
        assert place.tool(second, place.path('x.db'), engine, 'delete', 'zz')[0] == 0
        want = lines(text.replace(b'zz\tvalue of zz\n', b'') + b'user.new\tby the second\n')
        assert lines(place.show(first, 'x.db', engine)) == want
        assert place.tool(first, place.path('x.db'), engine, 'set', 'user.new', 'again')[0] == 0
        assert lines(place.show(second, 'x.db', engine)) == [x.replace(b'by the second', b'again') for x in want]


def sqlite():
    with open(os.path.join(BUILD, 'config.h')) as f:
        return '#define HAVE_SQLITE 1' in f.read()


@pytest.mark.parametrize('name', ['0-clean', '1-dirty-only', '2-uncommitted', '3-torn-append', '4-commit-written-header-not',
                                  '5-junk-tail-not-dirty'])
def test_golden_crash_states(place, name):
    """One file, both recoveries."""
    for program, copy in ((OURS, 'a.db'), (THEIRS, 'b.db')):
        shutil.copy(os.path.join(SRC, 'cunit/golden/cyrusdb/crash', name), place.path(copy))
    assert place.show(OURS, 'a.db', 'twoskip') == place.show(THEIRS, 'b.db', 'twoskip') is not None
