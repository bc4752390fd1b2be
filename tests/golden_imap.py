#!/usr/bin/env python3
"""golden_imap - replays the recorded IMAP conversations of the reference servers against our imapd and compares every answer.

  golden_imap.py [--store NAME]... [--only TEXT] [--file TEXT] [--show N] [--write] [--doc FILE] [--keep]

Each store of cunit/golden is unpacked anew, imapd (from the working directory) serves each recorded connection on a socket pair,
and every exchange is one of
  matched     the answer is the recorded one, after the masks of what differs from run to run
  pending     it needs an extension that is not there yet; counted by its name
  intended    we answer otherwise on purpose: listed in tests/golden_differences.json with its reason and a hash of our answer
  FAILED      anything else
After the read phase the store must be, byte for byte, as it was unpacked, but for what the reference touched too; the select
phase may change seen states and index headers, nothing else.
--write takes the failures that a reason in the table fits into the table; read the change before you commit it. --doc renders the
table. The exit status is 0 when nothing failed."""
import argparse, collections, difflib, glob, hashlib, json, lzma, os, re, shutil, socket, subprocess, sys, tarfile, tempfile

SRC = os.environ.get('srcdir', '.')
GOLDEN = os.path.join(SRC, 'cunit/golden')
TABLE = os.path.join(SRC, 'tests/golden_differences.json')
STORES = ['2.5.7', '2.5.7-alt', '3.6.1', '3.6.1-alt']
CLOSED = '\u27e6closed\u27e7'

# ------------------------------------------------------------------------------------------------ recorded form and masks
LITERAL = re.compile(rb'~?\{(\d+)\+?\}\r\n')
KEEP = re.compile(rb'(HEADER|MIME|HEADER\.FIELDS(\.NOT)? \([^)]*\))\](<\d+>)? $')
MASKS = [
    (re.compile(r'SESSIONID=<[^>]*>'), 'SESSIONID=<*>'),
    (re.compile(r'\(\d+\.\d+ secs?( \d+ calls)?\)'), '(* sec)'),
    (re.compile(r'\((\d+) msgs in \d+\.\d+ secs\)'), r'(\1 msgs in * secs)'),
    (re.compile(r'(/freespace[a-z/]*"? \(?[^\r\n]*?)"?\d+[;\d]*"?(?=[ )])'), r'\1*'),
    (re.compile(r'it is NOW: \d+'), 'it is NOW: *'),
    # We name only the capabilities that we have, and our own version.
    (re.compile(r'\[CAPABILITY [^]]*\]'), '[CAPABILITY *]'),
    (re.compile(r'^\* CAPABILITY [^\r\n]*', re.M), '* CAPABILITY *'),
    (re.compile(r'Cyrus IMAP (Murder )?\S+ server ready'), r'Cyrus IMAP \1* server ready'),
]


def mask(s):
    for rx, to in MASKS:
        s = rx.sub(to, s)
    return s


def latin(b):
    return b.decode('latin-1')


def squeeze(raw, keep=65536, other=256):
    """The recorded form of an answer: long literals become their SHA-1."""
    out, pos = [], 0
    while True:
        m = LITERAL.search(raw, pos)
        if not m or m.end() + int(m.group(1)) > len(raw):
            break
        n, start = int(m.group(1)), m.end()
        out.append(latin(raw[pos:start]))
        before = raw[max(0, start - 200):start]
        before = before[:before.rfind(b'{')].rstrip(b'~')
        data = raw[start:start + n]
        out.append(latin(data) if n <= (keep if KEEP.search(before) else other) else
                   '\u27e6sha1:' + hashlib.sha1(data).hexdigest() + '\u27e7')
        pos = start + n
    out.append(latin(raw[pos:]))
    return ''.join(out)


def load(path):
    op = lzma.open if path.endswith('.xz') else open
    with op(path, 'rt', encoding='utf-8', newline='\n') as f:
        return [json.loads(line) for line in f if line.strip()]


# ------------------------------------------------------------------------------------------------ a session
class Gone(Exception):
    pass


class Session:
    """One imapd process and our end of its connection."""
    def __init__(self, root):
        ours, theirs = socket.socketpair()
        env = dict(os.environ, TZ='UTC', CYRUS_SERVICE='imap')
        if os.getuid() == 0:
            env.update(CYRUS_USER='root', CYRUS_GROUP='root')
        self.p = subprocess.Popen([os.path.abspath('imapd'), '-X', '-C', root + '/imapd.conf'], stdin=theirs, stdout=theirs,
                                  env=env)
        theirs.close()
        ours.settimeout(60)
        self.s, self.buf, self.pos = ours, bytearray(), 0
        self.greeting = self.line()

    def more(self):
        if self.pos > 1 << 20:
            del self.buf[:self.pos]
            self.pos = 0
        try:
            d = self.s.recv(1 << 18)
        except (ConnectionError, socket.timeout):
            d = b''
        if not d:
            raise Gone()
        self.buf += d

    def line(self):
        start = self.pos
        while (i := self.buf.find(b'\n', start)) < 0:
            left = len(self.buf) - self.pos
            self.more()
            start = self.pos + left
        l = bytes(self.buf[self.pos:i + 1])
        self.pos = i + 1
        return l

    def take(self, n):
        while len(self.buf) - self.pos < n:
            self.more()
        d = bytes(self.buf[self.pos:self.pos + n])
        self.pos += n
        return d

    def response(self):
        parts = []
        while True:
            l = self.line()
            parts.append(l)
            m = re.search(rb'\{(\d+)\+?\}\r\n$', l)
            if not m:
                return b''.join(parts)
            parts.append(self.take(int(m.group(1))))

    def exchange(self, sends):
        sends = [x.encode('latin-1') for x in sends]
        tag = sends[0].split(b' ', 1)[0].rstrip(b'\r\n')
        rest, out = sends[1:], []
        try:
            self.s.sendall(sends[0])
            while True:
                r = self.response()
                out.append(r)
                if r.startswith(b'+') and rest:
                    self.s.sendall(rest.pop(0))
                elif r.startswith(tag + b' '):
                    return squeeze(b''.join(out))
        except (Gone, ConnectionError):
            return squeeze(b''.join(out) + bytes(self.buf[self.pos:])) + CLOSED

    def close(self):
        """The exit status of the process: negative when it died of a signal."""
        self.s.close()
        return self.p.wait(30)


# ------------------------------------------------------------------------------------------------ what is pending
PENDING_COMMANDS = set('''COMPRESS GENURLAUTH MOVE RESETKEY SCAN SORT THREAD
    UNAUTHENTICATE URLFETCH XMOVE'''.split())
FETCH_ITEMS = re.compile(
        r'\b(ANNOTATION|BINARY|BINARY\.SIZE|VANISHED|BASECID|CID|CREATEDMODSEQ|DIGEST\.SHA1|EMAILID|FOLDER|LASTUPDATED|MAILBOXES|'
                         r'MAILBOXIDS|PREVIEW|RFC822\.FILESIZE|RFC822\.SHA1|SAVEDATE|THREADID|UIDVALIDITY)\b', re.I)
SEARCH_KEYS = re.compile(
        r'\b(RETURN|ANNOTATION|CID|CONV\w+|DELIVEREDTO|EMAILID|FOLDER|FUZZY|SAVEDATESUPPORTED|SAVEDBEFORE|SAVEDON|SAVEDSINCE|'
                         r'SPAM\w+|THREADID|XATTACHMENT\w+|XCONTENTTYPE|XLISTID)\b', re.I)


def command(send):
    words = send.split()
    if len(words) < 2:
        return ''
    return ' '.join(words[1:3 if words[1].upper() == 'UID' else 2]).upper()


def pending(send):
    """The name of the extension that an exchange needs, or None."""
    name = command(send)
    bare = name.replace('UID ', '')
    if bare in PENDING_COMMANDS:
        return name
    if bare == 'FETCH' and (m := FETCH_ITEMS.search(send)):
        return name + ' ' + m.group(1).upper()
    if bare == 'SEARCH' and (m := SEARCH_KEYS.search(send)):
        return name + ' ' + m.group(1).upper()
    if name in ('SELECT', 'EXAMINE') and re.search(r'\((QRESYNC|ANNOTATE)', send):
        return name + ' ' + re.search(r'\((QRESYNC|ANNOTATE)', send).group(1)
    if name == 'ENABLE' and 'QRESYNC' in send:
        return 'ENABLE QRESYNC'
    if name == 'STATUS' and (m := re.search(r'\b(MAILBOXID|SIZE|CREATEDMODSEQ|XCONV\w+)\b', send)):
        return 'STATUS ' + m.group(1)
    return None


class Taint:
    """Whether an exchange stands in the shadow of a pending one: QRESYNC that was not enabled, a mailbox that was not
    selected."""
    def __init__(self):
        self.why = self.selection = None

    def note(self, send, ours_is_theirs):
        name = command(send)
        p = pending(send)
        if name in ('SELECT', 'EXAMINE', 'UNSELECT', 'CLOSE'):
            self.selection = 'after ' + p if p and not ours_is_theirs else None
        elif p == 'ENABLE QRESYNC' and not ours_is_theirs:
            self.why = 'after ENABLE QRESYNC'

    def now(self):
        return self.selection or self.why


# ------------------------------------------------------------------------------------------------ intended differences
class Table:
    def __init__(self):
        self.t = json.load(open(TABLE)) if os.path.exists(TABLE) else {'reasons': [], 'exchanges': {}}
        self.t['exchanges'] = {s: dict(v) for s, v in self.t['exchanges'].items()}
        self.used = collections.defaultdict(set)

    def knows(self, store, where, got):
        row = self.t['exchanges'].get(store, {}).get(where)
        if row:
            self.used[store].add(where)
        return row and row[1] == hashlib.sha1(got.encode()).hexdigest()[:12]

    def reason(self, store, where, send, want, got):
        for r in self.t['reasons']:
            if re.search(r.get('store', ''), store) and re.search(r.get('file', ''), where) and re.search(r.get('send', ''), send,
                    re.I | re.S) and \
                    re.search(r.get('want', ''), want, re.S) and re.search(r.get('got', ''), got, re.S):
                return r['name']
        return None

    def add(self, store, where, reason, got):
        self.t['exchanges'].setdefault(store, {})[where] = [reason, hashlib.sha1(got.encode()).hexdigest()[:12]]

    def write(self):
        with open(TABLE, 'w') as f:
            rows = lambda d: ',\n'.join('  %s: %s' % (json.dumps(k), json.dumps(v)) for k, v in sorted(d.items()))
            f.write('{"reasons": [\n' + ',\n'.join(' ' + json.dumps(r) for r in self.t['reasons']) + '\n],\n"exchanges": {\n')
            f.write(',\n'.join(' %s: {\n%s\n }' % (json.dumps(s), rows(v)) for s, v in sorted(self.t['exchanges'].items()))
                    + '\n}}\n')

    def doc(self, path):
        n = collections.Counter(row[0] for v in self.t['exchanges'].values() for row in v.values())
        with open(path, 'w') as f:
            f.write('# Where we answer otherwise than the originals\n\nRendered by `tests/golden_imap.py --doc` from '
                    '`tests/golden_differences.json`, '
                    'which names every single exchange.\nNumbers are exchanges of the recorded conversations with 2.5.7 and '
                    '3.6.1.\n\n'
                    '| Difference | Releases | Exchanges | Reason |\n|---|---|---|---|\n')
            for r in self.t['reasons']:
                if n[r['name']]:
                    f.write('| %s | %s | %d | %s |\n' % (r['name'], r.get('releases', 'both'), n[r['name']], r['text']))
            f.write('\nCapability lists name only what works, and the banner has our version: both are left out of the '
                    'comparison.\n')


# ------------------------------------------------------------------------------------------------ one store
def unpack(store, root):
    with tarfile.open(os.path.join(GOLDEN, 'store-%s.tar.xz' % store)) as t:
        for m in t.getmembers():
            m.uid, m.gid, m.uname, m.gname = os.getuid(), os.getgid(), '', ''
        t.extractall(root, **({'filter': 'fully_trusted'} if hasattr(tarfile, 'data_filter') else {}))
    with open(root + '/imapd.conf.in') as f:
        text = f.read().replace('@ROOT@', root).replace('@BIN@', '/nonexistent')
    with open(root + '/imapd.conf', 'w') as f:
        f.write(text)


def snapshot(root):
    out = {}
    for d, _, files in os.walk(root):
        for name in files:
            path = os.path.join(d, name)
            if not os.path.islink(path) and os.path.isfile(path):
                with open(path, 'rb') as f:
                    data = f.read()
                out[os.path.relpath(path, root)] = hashlib.sha1(data).hexdigest()
                if name == 'cyrus.index':
                    start, size = (int.from_bytes(data[n:n + 4], 'big') for n in (12, 16))
                    out[os.path.relpath(path, root) + ' (records)'] = [data[n:n + size] for n
                            in range(start, len(data), size or len(data))]
    return out


TOUCHABLE = re.compile(r'^conf/(lock|proc|socket)/|^imapd\.conf$|(^|/)cyrus\.lock$')


def disk_differences(before, after, meta):
    may = meta['files_changed_by_read_phase']
    listed = set(may['created']) | set(may['modified'])
    for path in sorted(set(before) | set(after)):
        if before.get(path) != after.get(path) and not TOUCHABLE.search(path) and path not in listed:
            yield '%s: %s' % (path, 'created' if path not in before else 'removed' if path not in after else 'modified')


# SELECT takes the recent messages, and each session sets \Seen once: seen states, one record, index headers, and who is told of
# changes.
SELECT_CHANGES = re.compile(r'(\.seen|/seen\.db|(^|/)cyrus\.index|^conf/sync/log|^conf/statuscache\.db)$')


def select_differences(before, after):
    for path in sorted(set(before) | set(after)):
        old, new = before.get(path), after.get(path)
        if old == new or TOUCHABLE.search(path) or (path in after and SELECT_CHANGES.search(path)):
            continue
        if path.endswith(' (records)') and old and new and len(old) == len(new) and sum(o != n for o, n in zip(old, new)) == 1:
            continue
        yield '%s: %s' % (path, 'created' if path not in before else 'removed' if path not in after else 'modified')


class Run:
    def __init__(self, options, table):
        self.o, self.table = options, table
        self.matched = self.intended = self.failed = self.shown = 0
        self.pending = collections.Counter()
        self.failures = collections.Counter()

    def fail(self, name, lines):
        self.failed += 1
        self.failures[name] += 1
        self.shown += 1
        if self.shown <= self.o.show:
            print('\n'.join(lines))

    def judge(self, store, where, row, got, taint):
        send, want, got = ''.join(row['send']), mask(row['recv']), mask(got)
        same = want == got
        shadow = taint.now()
        taint.note(send, same)
        if self.o.only and self.o.only.lower() not in send.lower():
            return
        if same:
            self.matched += 1
        elif self.table.knows(store, where, got):
            self.intended += 1
        elif (p := pending(send) or shadow):
            self.pending[p] += 1
        else:
            reason = self.table.reason(store, where, send, want, got)
            if reason and self.o.write:
                self.table.add(store, where, reason, got)
                self.intended += 1
                return
            diff = difflib.unified_diff(want.splitlines(True), got.splitlines(True), 'expected', 'got', n=0)
            self.fail(command(send), ['--- %s %s: %r%s' % (store, where, send[:200], ' (fits: %s)' % reason if reason else '')] +
                      [repr(l[:400]) for l in list(diff)[2:12]])

    def conversation(self, store, root, path):
        rows, short = load(path), os.path.basename(path).split('.jsonl')[0]
        if rows[0].get('protocol', 'imap') != 'imap':
            return
        s, taint = Session(root), Taint()
        self.judge(store, short + ':0', {'send': ['(connect)'], 'recv': rows[0]['greeting']}, latin(s.greeting), taint)
        for i, row in enumerate(rows[1:], 1):
            if row.get('connect'):
                self.ended(store, short, s)
                s, taint = Session(root), Taint()
                self.judge(store, '%s:%d' % (short, i), dict(row, send=['(connect)']), latin(s.greeting), taint)
                continue
            if 'send' not in row:
                continue
            self.judge(store, '%s:%d' % (short, i), row, s.exchange(row['send']), taint)
        self.ended(store, short, s)

    def ended(self, store, short, s):
        rc = s.close()
        if rc:
            self.fail('(exit status)', ['--- %s %s: imapd ended with %d' % (store, short, rc)])

    def store(self, name):
        root = tempfile.mkdtemp(prefix='golden-')
        try:
            unpack(name, root)
            expect = os.path.join(GOLDEN, 'expect-' + name)
            meta = json.load(open(expect + '/meta.json'))
            before = snapshot(root)
            for phase in ('read', 'select'):
                for path in sorted(glob.glob('%s/%s-*.jsonl*' % (expect, phase))):
                    if not self.o.file or self.o.file in path:
                        self.conversation(name, root, path)
                after = snapshot(root)
                for d in disk_differences(before, after, meta) if phase == 'read' else select_differences(before, after):
                    self.fail('(disk)', ['--- %s: after the %s phase: %s' % (name, phase, d)])
                before = after
        finally:
            if self.o.keep:
                print('kept', root)
            else:
                shutil.rmtree(root, ignore_errors=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--store', action='append', choices=STORES)
    ap.add_argument('--only', help='only exchanges whose command contains this text')
    ap.add_argument('--file', help='only conversations whose file name contains this text')
    ap.add_argument('--show', type=int, default=20, metavar='N', help='failures shown')
    ap.add_argument('--write', action='store_true')
    ap.add_argument('--doc')
    ap.add_argument('--keep', action='store_true', help='leave the unpacked store')
    o = ap.parse_args()
    table = Table()
    if o.doc:
        table.doc(o.doc)
        return 0
    run = Run(o, table)
    for store in o.store or STORES:
        whole = not o.only and not o.file
        if whole and o.write:
            table.t['exchanges'][store] = {}
        run.store(store)
        for where in sorted(set(table.t['exchanges'].get(store, {})) - table.used[store]):
            if whole and not o.write:
                run.fail('(table)', ['--- %s %s: listed as intended, but it matches now' % (store, where)])
    if o.write:
        table.write()
    print('matched %d, pending %d, intended %d, FAILED %d' % (run.matched, sum(run.pending.values()), run.intended, run.failed))
    print('pending: ' + ', '.join('%s %d' % x for x in run.pending.most_common()))
    if run.failures:
        print('failed: ' + ', '.join('%s %d' % x for x in run.failures.most_common()))
    return 1 if run.failed else 0


if __name__ == '__main__':
    sys.exit(main())
