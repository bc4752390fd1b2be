#!/usr/bin/env python3
"""test_fetch - what the recorded conversations do not show of FETCH: damaged mailboxes, \\Seen, other sessions. Runs ./imapd on a
golden store."""
import glob, os, re, shutil, sys, tempfile, unittest

sys.path.insert(0, os.path.join(os.environ.get('srcdir', '.'), 'tests'))
import golden_imap as golden


def read(path):
    with open(path, 'rb') as f:
        return f.read()


class Client(golden.Session):
    def __init__(self, root, user):
        super().__init__(root)
        self.n = 0
        assert ' OK ' in self.do('LOGIN %s pw' % user)

    def do(self, command):
        self.n += 1
        return self.exchange(['t%d %s\r\n' % (self.n, command)]).replace('t%d ' % self.n, 'tag ')


class Fetch(unittest.TestCase):
    STORE = '2.5.7'
    NAMES = {}

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='fetch-')
        golden.unpack(self.STORE, self.root)
        self.dir = next(d for d, _, f in os.walk(self.root + '/spool') if 'cyrus.header' in f and b'kw00 kw01'
                        in read(d + '/cyrus.header'))
        self.clients = []

    def tearDown(self):
        for c in self.clients:
            self.assertEqual(c.close(), 0)
        shutil.rmtree(self.root)

    def client(self, user='alice', mailbox='INBOX.Flags', how='SELECT'):
        c = Client(self.root, user)
        self.clients.append(c)
        self.assertIn('tag OK', c.do('%s "%s"' % (how, self.NAMES.get(mailbox, mailbox))))
        return c

    def files(self):
        return sorted((f for f in glob.glob(self.dir + '/*.') if re.search(r'/\d+\.$', f)),
                      key=lambda f: int(f.split('/')[-1][:-1]))

    def test_a_missing_file_is_nil_and_the_session_goes_on(self):
        os.unlink(self.files()[0])
        c = self.client()
        self.assertRegex(c.do('FETCH 1 (BODY.PEEK[] BODY.PEEK[1] RFC822.HEADER)'),
                         r'RFC822.HEADER NIL BODY\[\] NIL BODY\[1\] NIL\)\r\ntag OK')
        self.assertRegex(c.do('FETCH 2 BODY.PEEK[]'), r'BODY\[\] \{\d+\}')
        self.assertIn('tag OK', c.do('SEARCH TEXT "zzz"'))

    def test_the_cache_answers_without_the_file(self):
        for f in self.files():
            os.unlink(f)
        r = self.client().do('FETCH 1 (FLAGS UID RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE INTERNALDATE BODY.PEEK[HEADER.FIELDS '
                             '(REFERENCES X-PRIORITY)])')
        self.assertRegex(r, r'ENVELOPE \("')
        self.assertRegex(r, r'BODY\[HEADER.FIELDS \(REFERENCES X-PRIORITY\)\] \{2\}\r\n')

    def test_a_short_file_gives_what_there_is(self):
        path = self.files()[0]
        whole = read(path)
        os.truncate(path, 20)
        r = self.client().do('FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[]<10.100>)')
        self.assertIn('BODY[] {20}\r\n' + whole[:20].decode('latin-1'), r)
        self.assertIn('BODY[TEXT] ""', r)
        self.assertIn('BODY[]<10> {10}\r\n', r)

    def test_an_empty_file(self):
        os.truncate(self.files()[0], 0)
        self.assertIn('BODY[] "" BODY[TEXT] "")\r\ntag OK', self.client().do('FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT])'))

    def test_without_a_cache_the_message_is_parsed(self):
        items = '(ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[1] BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (SUBJECT X-NONE)])'
        with_cache = self.client(how='EXAMINE').do('FETCH 1:* ' + items)
        for damage in (lambda p: os.unlink(p), lambda p: open(p, 'r+b').write(b'\xff' * 4096), lambda p: os.truncate(p, 4)):
            copy = self.root + '/keep'
            shutil.copy(self.dir + '/cyrus.cache', copy)
            damage(self.dir + '/cyrus.cache')
            now = self.client(how='EXAMINE').do('FETCH 1:* ' + items)
            self.assertEqual(golden.mask(with_cache), golden.mask(now))
            shutil.copy(copy, self.dir + '/cyrus.cache')

    def unseen(self, c):
        return re.search(r'\* SEARCH ?([\d ]*)', c.do('SEARCH UNSEEN')).group(1).split()

    def test_reading_sets_seen_once(self):
        c, other = self.client(), self.client()
        n = self.unseen(c)[0]
        r = c.do('FETCH %s BODY[TEXT]' % n)
        self.assertRegex(r, r'^\* %s FETCH \(FLAGS \([^)]*\\Seen[^)]*\) BODY\[TEXT\]' % n)
        self.assertEqual(r.count('FETCH ('), 1)
        self.assertNotIn('FLAGS', c.do('FETCH %s BODY[TEXT]' % n))
        self.assertNotIn(n, self.unseen(c))
        self.assertRegex(other.do('NOOP'), r'\* %s FETCH \(FLAGS \([^)]*\\Seen' % n)
        self.assertNotIn(n, self.unseen(self.client()))

    def test_peek_and_headers_of_rfc822_do_not(self):
        c = self.client()
        before = self.unseen(c)
        c.do('FETCH 1:* (BODY.PEEK[] RFC822.HEADER RFC822.PEEK RFC822.TEXT.PEEK RFC822.HEADER.LINES (From))')
        self.assertEqual(before, self.unseen(c))

    def test_examine_sets_nothing(self):
        c = self.client(how='EXAMINE')
        before, disk = self.unseen(c), golden.snapshot(self.root + '/spool')
        self.assertNotIn('FLAGS', c.do('FETCH 1:* (RFC822 BODY[])'))
        self.assertEqual(before, self.unseen(c))
        self.assertEqual(disk, golden.snapshot(self.root + '/spool'))

    def test_seen_of_a_shared_mailbox_is_each_users_own(self):
        name = 'shared.announce'
        bob, carol = self.client('bob', name), self.client('carol', name)
        n = self.unseen(carol)[0]
        others = self.unseen(bob)
        self.assertIn('\\Seen', carol.do('FETCH %s BODY[]' % n))
        self.assertNotIn(n, self.unseen(self.client('carol', name)))
        self.assertEqual(others, self.unseen(self.client('bob', name)))

    def test_changedsince_leaves_the_others_unseen(self):
        c = self.client()
        before = self.unseen(c)
        high = int(re.search(r'HIGHESTMODSEQ (\d+)', c.do('STATUS %s (HIGHESTMODSEQ)'
                                                          % self.NAMES.get('INBOX.Flags', 'INBOX.Flags'))).group(1))
        self.assertNotIn('BODY[]', c.do('FETCH 1:* (BODY[]) (CHANGEDSINCE %d)' % high))
        self.assertEqual(before, self.unseen(c))

    def test_a_condstore_session_is_told_the_new_modseq(self):
        c = self.client()
        self.assertRegex(c.do('FETCH 1 MODSEQ'), r'^\* OK \[HIGHESTMODSEQ \d+\]')
        n = self.unseen(c)[0]
        old = int(re.search(r'MODSEQ \((\d+)\)', c.do('FETCH %s MODSEQ' % n)).group(1))
        new = int(re.search(r'FLAGS \([^)]*\) MODSEQ \((\d+)\)', c.do('FETCH %s BODY[TEXT]' % n)).group(1))
        self.assertGreater(new, old)

    def test_expunged_elsewhere_is_said_and_not_renumbered(self):
        c, other = self.client(), self.client()
        total = len(self.files())
        other.do('STORE 1 +FLAGS.SILENT (\\Deleted)')
        other.do('EXPUNGE')
        c.do('STORE 2 +FLAGS.SILENT (\\Flagged)')       # looks, but may not tell of the expunge
        self.assertRegex(c.do('FETCH 1:2 UID'), r'^\* NO Message 1 no longer exists\r\n\* 2 FETCH \(UID 2\)\r\ntag OK')
        self.assertRegex(c.do('FETCH 1 UID'), r'^\* NO Message 1 no longer exists\r\ntag NO')
        self.assertNotIn(' 1 ', c.do('SEARCH 1:2').split('\r\n')[0] + ' ')
        self.assertIn('* 1 EXPUNGE', c.do('NOOP'))
        self.assertGreater(total, 1)

    def test_a_large_body_comes_whole(self):
        path = self.files()[0]
        head = read(path)
        with open(path, 'wb') as f:
            f.write(head + b'x' * 5000000)
        r = self.client().do('FETCH 1 (BODY.PEEK[] BODY.PEEK[]<4999000.1000000>)')
        self.assertIn('BODY[] {%d}' % (len(head) + 5000000), r)
        self.assertIn('BODY[]<4999000> {%d}' % (len(head) + 1000), r)


class Fetch36(Fetch):
    STORE = '3.6.1'
    NAMES = {'INBOX.Flags': 'Flags', 'shared.announce': 'Shared Folders/shared/announce'}


if __name__ == '__main__':
    unittest.main(warnings='ignore')
