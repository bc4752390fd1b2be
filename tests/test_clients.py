#!/usr/bin/env python3
"""Clients that people use, against our server: curl, mbsync (isync) and mutt. Python's imaplib is in test_imap.py. Run by
pytest."""
import imaplib, os, pty, shutil, subprocess, time

import pytest

from instance import Instance

MESSAGE = (b'From: a@example.org\r\nTo: alice@example.org\r\nSubject: %s\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n'
           b'Message-ID: <%s@example.org>\r\n\r\nbody of %s\r\n')


@pytest.fixture(params=['2.5', '3.6'])
def server(request):
    with Instance(f'compatibility_level: {request.param}\nunixhierarchysep: yes\naltnamespace: yes') as i:
        i.start()
        c = imaplib.IMAP4('127.0.0.1', i.ports['imap'])
        c.login('admin', 'pw')
        assert c.create('user/alice')[0] == 'OK'
        c.logout()
        yield i


def connect(server):
    c = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    c.login('alice', 'pw')
    return c


def message(word):
    return MESSAGE % (word, word, word)


def run(*args, **kw):
    r = subprocess.run(args, capture_output=True, timeout=120, **kw)
    assert r.returncode == 0, (args, r.stdout, r.stderr)
    return r.stdout


@pytest.mark.skipif(not shutil.which('curl'), reason='curl is not installed')
def test_curl(server, tmp_path):
    url, who = f'imap://127.0.0.1:{server.ports["imap"]}', ['-sS', '-u', 'alice:pw']
    eml = tmp_path / 'm.eml'
    eml.write_bytes(message(b'curl'))
    run('curl', *who, url, '-X', 'CREATE Mail/Deep')
    assert b'"Mail/Deep"' in run('curl', *who, url) or b' Mail/Deep' in run('curl', *who, url)
    run('curl', *who, '-T', str(eml), url + '/INBOX')
    assert run('curl', *who, url + '/INBOX;UID=1') == message(b'curl')
    assert run('curl', *who, url + '/INBOX;UID=1;SECTION=TEXT') == b'body of curl\r\n'
    assert run('curl', *who, url + '/INBOX?SUBJECT%20curl').strip() == b'* SEARCH 1'
    assert b'EXISTS' in run('curl', *who, url + '/INBOX', '-X', 'EXAMINE INBOX')


@pytest.mark.skipif(not shutil.which('mbsync'), reason='isync is not installed')
def test_mbsync_both_ways(server, tmp_path):
    c = connect(server)
    for word in (b'one', b'two', b'three'):
        assert c.append('INBOX', None, None, message(word))[0] == 'OK'
    assert c.create('Lists/c')[0] == 'OK'
    assert c.append('Lists/c', '(\\Seen)', None, message(b'list'))[0] == 'OK'
    maildir, rc = tmp_path / 'mail', tmp_path / 'rc'
    maildir.mkdir()
    rc.write_text(f'''IMAPStore far
Host 127.0.0.1
Port {server.ports['imap']}
User alice
Pass pw
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
''')

    def files(box):
        return sorted(p for d in ('cur', 'new') for p in (maildir / box / d).iterdir())

    run('mbsync', '-c', str(rc), '-a')
    assert len(files('INBOX')) == 3 and len(files('Lists/c')) == 1
    text = files('Lists/c')[0].read_bytes().replace(b'\r\n', b'\n')
    assert b'Subject: list\n' in text and text.endswith(b'\n\nbody of list\n')
    assert files('Lists/c')[0].name.endswith('S')
    # now from here to there: a new message, a flag, a message gone
    (maildir / 'INBOX/new/9.fresh').write_bytes(message(b'fresh').replace(b'\r\n', b'\n'))
    two = next(p for p in files('INBOX') if b'Subject: two' in p.read_bytes())
    two.rename(maildir / 'INBOX/cur' / (two.name.split(':')[0] + ':2,FS'))
    next(p for p in files('INBOX') if b'Subject: three' in p.read_bytes()).unlink()
    run('mbsync', '-c', str(rc), '-a')
    c.select('INBOX')
    assert c.search(None, 'SUBJECT', 'fresh')[1] != [b'']
    assert c.search(None, 'FLAGGED', 'SEEN', 'SUBJECT', 'two')[1] == [b'2']
    assert c.search(None, 'SUBJECT', 'three')[1] == [b'']
    before = [p.name for p in files('INBOX')]
    run('mbsync', '-c', str(rc), '-a')
    assert [p.name for p in files('INBOX')] == before
    c.logout()


@pytest.mark.skipif(not shutil.which('mutt'), reason='mutt is not installed')
def test_mutt_reads_and_saves(server, tmp_path):
    """mutt on a terminal: opens INBOX, flags the first message, copies it to another folder, deletes the second and leaves."""
    c = connect(server)
    for word in (b'one', b'two'):
        assert c.append('INBOX', None, None, message(word))[0] == 'OK'
    assert c.create('Saved')[0] == 'OK'
    url = f'imap://alice:pw@127.0.0.1:{server.ports["imap"]}'
    rc = tmp_path / 'muttrc'
    rc.write_text('set ssl_starttls=no ssl_force_tls=no confirmappend=no delete=yes move=no quit=yes mark_old=no '
                  'sort=mailbox-order\n'
                  f'set header_cache="" folder="{url}/"\n'
                  f'push "<first-entry><flag-message><first-entry><copy-message>{url}/Saved<enter>'
                  '<last-entry><delete-message><quit>"\n')
    ours, theirs = pty.openpty()
    p = subprocess.Popen(['mutt', '-n', '-F', str(rc), '-f', url + '/INBOX'], stdin=theirs, stdout=theirs, stderr=theirs,
                         env=dict(os.environ, TERM='xterm', HOME=str(tmp_path)), start_new_session=True)
    os.close(theirs)
    screen = bytearray()
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            data = os.read(ours, 4096)
            if not data:
                break
            screen += data
    except OSError:
        pass                                        # the terminal is gone: mutt has left
    if p.poll() is None:
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
    os.close(ours)
    assert p.returncode == 0, bytes(screen)
    assert c.status('Saved', '(MESSAGES)')[1] == [b'Saved (MESSAGES 1)']
    c.select('INBOX')
    assert c.search(None, 'ALL')[1] == [b'1']
    assert c.search(None, 'FLAGGED')[1] == [b'1']
    c.logout()
