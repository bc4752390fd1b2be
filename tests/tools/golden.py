#!/usr/bin/env python3
"""The tools over the recorded stores: what they print there must be what the reference servers printed (bytes, status), dumps
must survive a round trip, and a healthy store must not be changed by looking at it. Run in the build directory; exits 1 on a
difference."""
import json, lzma, os, re, shutil, subprocess, sys, tarfile, tempfile

SRC = os.environ.get('srcdir', '.')
GOLDEN = os.path.join(SRC, 'cunit/golden')
TOOLS = 'imap/tools/'
VERSIONS = ['2.5.7', '2.5.7-alt', '3.6.1', '3.6.1-alt']
# Findings in the stores themselves. 2.5.7 counts mailboxes wrongly when they are renamed.
QUOTA = {
    '2.5.7': 'user.alice: X-NUM-FOLDERS usage was 37, now 34\nuser.alice.Projects: X-NUM-FOLDERS usage was 5, now 4\n'
             'user.dave: X-NUM-FOLDERS usage was 5, now 4\n',
    '2.5.7-alt': 'user.alice: X-NUM-FOLDERS usage was 39, now 36\nuser.alice.Projects: X-NUM-FOLDERS usage was 5, now 4\n'
                 'user.dave: X-NUM-FOLDERS usage was 5, now 4\n',
}
bad = 0


def fail(text):
    global bad
    bad += 1
    print('FAIL:', text)


def unpack(version, root):
    with tarfile.open(f'{GOLDEN}/store-{version}.tar.xz') as tar:
        try:
            tar.extractall(root, filter='tar')
        except TypeError:
            tar.extractall(root)
    if os.getuid() == 0:
        for base, dirs, files in os.walk(root):
            for name in dirs + files:
                os.chown(os.path.join(base, name), 0, 0, follow_symlinks=False)
    configure(root, root)


def configure(root, conf_root):
    text = open(f'{root}/imapd.conf.in').read()
    text = text.replace('@ROOT@', root).replace('@BIN@', '/nowhere').replace('@IMAP@', '0').replace('@POP3@', '0')
    text = text.replace('@LMTP@', '0').replace('@SIEVE@', '0')
    open(f'{conf_root}/imapd.conf', 'w').write(text)


def run(root, argv, stdin=None):
    p = subprocess.run([TOOLS + argv[0], '-C', root + '/imapd.conf'] + argv[1:], input=stdin, capture_output=True)
    clean = lambda b: b.decode('latin1').replace(root, '@ROOT@')
    return p.returncode, clean(p.stdout), clean(p.stderr)


def expected(version, o):
    """What the reference said, with its faults (manual pages, COMPATIBILITY) taken out."""
    if o['argv'] == ['ctl_mboxlist', '-v']:
        return 0, '', ''
    return o['rc'], o['stdout'], o['stderr']


def answers(version, root):
    n = 0
    for line in lzma.open(f'{GOLDEN}/expect-{version}/tools.jsonl.xz', 'rt'):
        o = json.loads(line)
        if o['argv'][0] not in ('ctl_mboxlist', 'mbpath', 'mbexamine', 'quota', 'reconstruct'):
            continue
        n += 1
        rc, out, err = run(root, o['argv'])
        if o['argv'][:2] == ['ctl_mboxlist', '-d']:            # 3.6.1 leaves out what it would read back
            out = re.sub(r'"name_history": \[.*?\]\}', '"name_history": []}', out)
        if (rc, out, err) != expected(version, o):
            fail(f"{version}: {o['argv']}")
    if n < 150:
        fail(f'{version}: only {n} recorded answers')


def snapshot(root):
    out = {}
    for base, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if not (d == 'lock' and base.endswith('/conf'))]
        for name in files:
            path = os.path.join(base, name)
            out[path] = (os.lstat(path).st_mtime_ns, open(path, 'rb').read())
    return out


def healthy(version, root):
    before = snapshot(root)
    if run(root, ['reconstruct', '-q', '-G']) != (0, '', ''):
        fail(f'{version}: reconstruct -q -G says something')
    after = snapshot(root)
    for path in sorted(set(before) | set(after)):
        if before.get(path) != after.get(path):
            fail(f'{version}: reconstruct changed {path}')


def round_trip(version, root):
    rc, dump, err = run(root, ['ctl_mboxlist', '-d'])
    with tempfile.TemporaryDirectory() as other:
        os.mkdir(other + '/conf')
        text = open(root + '/imapd.conf').read()
        open(other + '/imapd.conf', 'w').write(re.sub(r'(?m)^configdirectory: .*', f'configdirectory: {other}/conf', text))
        if run(other, ['ctl_mboxlist', '-u'], dump.encode('latin1')) != (0, '', ''):
            fail(f'{version}: undump')
        if run(other, ['ctl_mboxlist', '-d']) != (0, dump, ''):
            fail(f'{version}: the dump changes')


def as_ourselves():
    os.environ.update({'CYRUS_USER': subprocess.getoutput('id -un'), 'CYRUS_GROUP': subprocess.getoutput('id -gn'), 'TZ': 'UTC'})
    os.environ.pop('CYRUS_PREFIX', None)


def main():
    as_ourselves()
    for version in VERSIONS:
        root = tempfile.mkdtemp(prefix='tools-golden.')
        try:
            unpack(version, root)
            answers(version, root)
            round_trip(version, root)
            healthy(version, root)
            if run(root, ['quota', '-f', '-q']) != (0, QUOTA.get(version, ''), ''):
                fail(f'{version}: quota -f -q')
            if run(root, ['quota', '-f', '-q']) != (0, '', ''):
                fail(f'{version}: quota -f -q, second time')
        finally:
            shutil.rmtree(root)
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
