#!/usr/bin/env python3
"""GETMETADATA, SETMETADATA, GETANNOTATION, SETANNOTATION: 190 commands, good and bad, answered as Debian's Cyrus 3.6.1 answered
them (metadata.json; `test_metadata.py --record` asks $PEER_ROOT again); then what that table does not show. Run by pytest."""
import json, os, re, sys

import pytest

from instance import Instance
from peer import SRC, Pair, needs_peer
from raw import Raw as Plain

TABLE = os.path.join(SRC, 'tests/metadata.json')
LEGACY = 'annotation_enable_legacy_commands: yes'
CONF = 'unixhierarchysep: yes\naltnamespace: yes\ncompatibility_level: 3.6\n'
VENDOR = '/vendor/cmu/cyrus-imapd/'
USERS = {'ad': 'admin', 'al': 'alice', 'bob': 'bob'}

# Where we answer otherwise on purpose.
OTHERWISE = {
    'GETMETADATA () INBOX (/shared)': ['* METADATA INBOX ("/shared" NIL)', 'OK Completed'],       # no options are no error
    'GETMETADATA (DEPTH 1) INBOX (MAXSIZE 3) (/shared)': ['BAD Missing arguments to Getmetadata'],
    'GETMETADATA INBOX ': ['BAD Missing arguments to Getmetadata'],
    'GETMETADATA (DEPTH infinity MAXSIZE 2) INBOX (/shared/comment /private/comment)':
        # RFC 5464 4.2.1: whatever else was told
        ['* METADATA INBOX ("/shared/comment" "a")', 'OK [METADATA LONGENTRIES 3] Completed'],
    'SETMETADATA INBOX (/private/comment ~{5+}\r\nabcde)': ['OK Completed'],                      # RFC 5464: literal8
    'GETMETADATA INBOX /private/comment!': ['* METADATA INBOX ("/private/comment" "abcde")', 'OK Completed'],
    'SETMETADATA "" (/shared/motd NIL)': ['OK Completed'],                                        # there was none
}
MASKS = [(re.compile(r'"[a-z0-9]{24}"'), '"ID"'), (re.compile(r'"\d\d-\w{3}-20[2-9]\d [^"]*"'), '"DATE"'),
         (re.compile(r'"\d{6,}(;\d+)?"'), '"SPACE"'), (re.compile(r'(foldermodseq"? (\("value.shared" )?)"\d+"'), r'\1"N"')]


def mask(line):
    for rx, to in MASKS:
        line = rx.sub(to, line)
    return line


class Raw(Plain):
    def mask(self, line):
        return mask(line)


def expand(command):
    return re.sub(r'<x\*(\d+)>', lambda m: 'x' * int(m.group(1)), command)


def play(port, commands):
    s = {'ad': Raw(port, 'admin')}
    for m in ('user/alice', 'user/alice/Sub', 'user/alice/Sub2', 'user/bob'):
        s['ad']('CREATE ' + m)
    s['ad']('SETACL user/alice admin lrswipkxtecda')
    s['al'], s['bob'] = Raw(port, 'alice'), Raw(port, 'bob')
    return [s[who](expand(c)) for who, c in commands]


def rows():
    with open(TABLE) as f:
        return json.load(f)


@pytest.fixture
def site(request):
    i = Instance(CONF + getattr(request, 'param', LEGACY), services=('imap',))
    i.start()
    yield i
    assert i.stop() == 0
    i.close()


def test_the_table(site):
    table, seen_nil = rows(), 0
    for (who, command, want), got in zip(table, play(site.ports['imap'], [r[:2] for r in table])):
        other = OTHERWISE.get(command + ('!' if command == table[-1][1] and want == table[-1][2] else ''))
        if command == 'SETMETADATA "" (/shared/motd NIL)':
            seen_nil += 1
        assert got == (other or want), (who, command)
    assert seen_nil == 2 and len(table) > 180


@needs_peer
def test_the_table_is_what_debians_cyrus_says():
    table = rows()
    p = Pair(LEGACY)
    try:
        p.theirs()
        for (who, command, want), got in zip(table, play(p.i.ports['imap'], [r[:2] for r in table])):
            assert got == want, (who, command)
        p.i.stop()
        p.ours()                                                 # on what they have stored
        c = Raw(p.i.ports['imap'], 'alice')
        assert c('GETMETADATA INBOX (/shared/sort /private/specialuse)') == [
            '* METADATA INBOX ("/private/specialuse" {5}\r\n\\Sent "/shared/specialuse" NIL "/shared/sort" "y2" '
            '"/private/sort" NIL)', 'OK Completed']
        assert c('SETMETADATA INBOX (/shared/sort "ours" /private/comment NIL)') == ['OK Completed']
        p.i.stop()
        p.theirs()
        c = Raw(p.i.ports['imap'], 'alice')
        assert c('GETMETADATA INBOX (/shared/sort /private/comment)')[0] == \
            '* METADATA INBOX ("/shared/comment" "bobs" "/private/comment" NIL "/shared/sort" "ours" "/private/sort" NIL)'
        p.i.stop()
        p.own()
        out = p.tool('reconstruct', '-n', 'user/alice')
        assert 'updating' not in out[1], out
    finally:
        p.i.close()


def test_25_says_it_its_own_way():
    i = Instance('compatibility_level: 2.5\n', services=('imap',))
    i.start()
    a = Raw(i.ports['imap'], 'admin')
    a('CREATE user.alice')
    c = Raw(i.ports['imap'], 'alice')
    assert ' ANNOTATEMORE METADATA ' in c('CAPABILITY')[0] and 'LIST-METADATA' not in c('CAPABILITY')[0]
    assert c('SETMETADATA INBOX (/shared/comment "x" /private/comment "y" /shared%ssharedseen "true")'
             % VENDOR) == ['OK Completed']
    assert c('GETMETADATA INBOX (/shared/comment /shared%ssharedseen /private/sort)' % VENDOR) == [
        '* METADATA INBOX (/private/sort NIL /shared/sort NIL)', '* METADATA INBOX (/shared%ssharedseen "true")' % VENDOR,
        '* METADATA INBOX (/shared/comment "x" /private/comment "y")', 'OK Completed']
    assert c('GETANNOTATION INBOX "/comment" ("value" "size.shared")') == [
        '* ANNOTATION INBOX "/comment" ("value.shared" "x" "size.shared" "1" "value.priv" "y")', 'OK Completed']
    assert c('SETANNOTATION INBOX "/comment" ("value.priv" NIL)') == ['OK Completed']
    i.stop()
    i.start()                                                    # kept
    c = Raw(i.ports['imap'], 'alice')
    assert c('GETMETADATA INBOX (/shared/comment /private/comment)') == ['* METADATA INBOX (/shared/comment "x" '
            '/private/comment NIL)', 'OK Completed']
    assert i.stop() == 0
    i.close()


def test_capability_and_options(site):
    c = Raw(site.ports['imap'], 'alice')
    words = c('CAPABILITY')[0].split()
    assert {'METADATA', 'LIST-METADATA', 'ANNOTATEMORE'} <= set(words)


@pytest.mark.parametrize('site', ['annotation_enable_legacy_commands: no\nannotation_allow_undefined: yes\n'], indirect=True)
def test_other_options(site):
    a = Raw(site.ports['imap'], 'admin')
    a('CREATE user/alice')
    c = Raw(site.ports['imap'], 'alice')
    assert 'ANNOTATEMORE' not in c('CAPABILITY')[0]
    assert c('GETANNOTATION INBOX "/comment" "value"') == c('SETANNOTATION INBOX "/comment" ("value.priv" "x")') == ['NO '
            'Permission denied']
    assert c('SETMETADATA INBOX (/private/vendor/some/thing "x" /shared/vendor/some/thing "y")') == ['OK Completed']
    assert c('GETMETADATA INBOX (/private/vendor/some/thing /shared/vendor/some/thing)') == [
        '* METADATA INBOX ("/shared/vendor/some/thing" "y" "/private/vendor/some/thing" "x")', 'OK Completed']
    assert c('SETMETADATA INBOX (/private/a* "x")') == c('SETMETADATA INBOX (/private "x")') == ['NO Permission denied']


def test_annotations_count(site):
    """Usage follows every change; a value over the limit changes nothing; reconstruct and quota -f agree."""
    a = Raw(site.ports['imap'], 'admin')
    a('CREATE user/alice')
    assert a('SETQUOTA user/alice (X-ANNOTATION-STORAGE 1)') == ['OK Completed']
    c = Raw(site.ports['imap'], 'alice')

    def used():
        return int(re.search(r'annotsize" "(\d+)"', c('GETMETADATA INBOX /shared%sannotsize' % VENDOR)[0]).group(1))
    assert c('SETMETADATA INBOX (/private/comment {600+}\r\n%s /shared/comment "abc")' % ('x' * 600)) == ['OK Completed']
    assert used() == 603
    assert c('SETMETADATA INBOX (/shared/comment "" /shared/sort {600+}\r\n%s)' % ('y' * 600)) == ['NO [OVERQUOTA] Over quota']
    assert used() == 603 and c('GETMETADATA INBOX /shared/comment')[0].endswith('"abc")')
    assert c('SETMETADATA INBOX (/private/comment "short")') == ['OK Completed'] and used() == 8
    before = c('STATUS INBOX (HIGHESTMODSEQ)')
    assert c('SETMETADATA INBOX (/private/comment "short")') == ['OK Completed'] and c('STATUS INBOX (HIGHESTMODSEQ)') == before
    assert c('SETMETADATA INBOX (/private/comment "other")') == ['OK Completed'] and c('STATUS INBOX (HIGHESTMODSEQ)') != before
    assert site.tool('quota', '-f', '-n', '-q').stdout == '' and 'updating' not in site.tool('reconstruct', '-n').stdout
    assert c('SETMETADATA INBOX (/private/comment NIL /shared/comment NIL)') == ['OK Completed'] and used() == 0
    assert site.tool('quota', '-f', '-n', '-q').stdout == ''


def test_hostile_input(site):
    a = Raw(site.ports['imap'], 'admin')
    a('CREATE user/alice')
    c = Raw(site.ports['imap'], 'alice')
    many = ' '.join('/private/c%d' % n for n in range(1000))
    assert c('GETMETADATA INBOX (%s)' % many)[-1] == 'OK Completed'
    assert c('GETMETADATA INBOX (%s)' % ' '.join('/private/d%d' % n for n in range(1025)))[-1].startswith('BAD ')
    for name in ('/private/' + 'x' * 100000, '/private' + '/' * 5000, '/shared/' + '*' * 1000, '/shared/' + '%*' * 500 + 'x',
                 '/private/../../etc/passwd'):
        assert c('GETMETADATA INBOX (%s)' % name)[-1] == 'OK Completed', name[:30]
        assert c('SETMETADATA INBOX (%s "x")' % name)[-1] == 'NO Permission denied', name[:30]
    assert c('GETMETADATA %s (/shared/comment)' % ('*' * 1000))[-1] == 'OK Completed'
    assert c('SETMETADATA "" (/shared/../motd "x")')[-1] == 'NO Permission denied'
    assert a('SETMETADATA "" (/shared/../../motd "x")')[-1] == 'NO Permission denied'
    value = ''.join(chr(n) for n in range(256)) * 400
    assert c('SETMETADATA INBOX (/private/comment {200000+}\r\n%s)' % ('x' * 200000)) == ['NO [TOOBIG] Literal too long']
    assert c('SETMETADATA INBOX (/private/comment {%d+}\r\n%s)' % (len(value), value)) == ['OK Completed']
    got = c('GETMETADATA INBOX /private/comment')
    assert got[0] == mask('* METADATA INBOX ("/private/comment" {%d}\r\n%s)' % (len(value), value)) and got[-1] == 'OK Completed'
    assert c('GETMETADATA (MAXSIZE 100) INBOX /private/comment') == ['OK [METADATA LONGENTRIES %d] Completed' % len(value)]
    for bad in ('(DEPTH', '(DEPTH) INBOX x', '(DEPTH 18446744073709551616) INBOX /shared', '(MAXSIZE -1) INBOX /shared',
                '(MAXSIZE 99999999999999999999) INBOX /shared',
                '(DEPTH 1 DEPTH) INBOX /shared', 'INBOX (((/shared)))', 'INBOX /shared /private', '"" ""'):
        assert c('GETMETADATA ' + bad)[-1].startswith('BAD '), bad
    assert c('NOOP') == ['OK Completed']


def test_a_deleted_or_unreadable_mailbox_says_nothing(site):
    a = Raw(site.ports['imap'], 'admin')
    for m in ('user/alice', 'user/bob', 'open'):
        a('CREATE ' + m)
    a('SETACL open anyone l')
    b = Raw(site.ports['imap'], 'bob')
    assert b('GETMETADATA "Other Users/alice" (/shared/comment /shared%ssize)' % VENDOR) == ['OK Completed']
    assert b('SETMETADATA "Other Users/alice" (/private/comment "x")') == ['NO Permission denied']
    assert b('GETMETADATA "Shared Folders/open" (/shared%spartition /shared%suniqueid)' % (VENDOR, VENDOR)) == [
        '* METADATA "Shared Folders/open" ("/shared%spartition" "default")' % VENDOR, 'OK Completed']
    assert b('GETMETADATA * (/shared/comment)') == ['* METADATA INBOX ("/shared/comment" NIL)', 'OK Completed']
    assert b('SETMETADATA * (/shared/comment "x")') == ['NO Permission denied']             # not on "open", and so
    assert b('GETMETADATA nosuch (/shared/comment)') == ['NO Mailbox does not exist']


if __name__ == '__main__' and '--record' in sys.argv:
    commands = [r[:2] for r in rows()]
    pair = Pair(LEGACY)
    pair.theirs()
    answers = play(pair.i.ports['imap'], commands)
    pair.i.close()
    with open(TABLE, 'w') as f:
        f.write('[\n' + ',\n'.join(json.dumps([w, c, a]) for (w, c), a in zip(commands, answers)) + '\n]\n')


# ---- annotation_definitions

DEFINITIONS = '''# a comment

/vendor/acme/one,mailbox,string,backend,value.shared value.priv,
/vendor/acme/two, mailbox, boolean, proxy_and_backend, value, r
/vendor/acme/Three,MAILBOX,Uint,Backend,VALUE.PRIV size.priv,
/vendor/acme/four,mailbox,int,backend,value.shared size.shared,
/vendor/acme/five,server,string,backend,value,
/vendor/acme/proxied,mailbox,string,proxy,value.shared,
/vendor/acme/eight,message,string,backend,value.shared,
/vendor/cmu/cyrus-imapd/nine,mailbox,string,backend,value.shared,
/flags/ten,message,string,backend,value.shared,
/flags/eleven,mailbox,string,backend,value.shared,
/vendor/acme/kind,mailbox,content-type,backend,value.shared,
/vendor/acme/bad1,mailbox,strang,backend,value.shared,
/vendor/acme/bad2,mailbix,string,backend,value.shared,
/vendor/acme/bad3,mailbox,string,backand,value.shared,
/vendor/acme/bad4,mailbox,string,backend,value.shored,
/vendor/acme/bad6,mailbox,string,backend,value.shared,lr,more
vendor/acme/bad7,mailbox,string,backend,value.shared,
/vendor/acme/*,mailbox,string,backend,value,
/vendor/acme/obs,mailbox,string,backend,value.shared content-type.shared modifiedsince,
/vendor/acme/twice,mailbox,string,backend,value.shared,
/vendor/acme/twice,mailbox,uint,backend,value.shared,
/vendor/acme/noattr,mailbox,string,backend,,
/vendor/acme/last,mailbox,string,backend,value.shared,e
/vendor/acme/bad5,mailbox,string,backend
'''


def defined_commands():
    out = [('al', 'GETMETADATA INBOX (/shared/vendor/acme/* /private/vendor/acme/%)')]
    for n in 'one two three four five proxied eight bad1 bad2 bad3 bad4 bad5 bad6 bad7 * obs twice noattr last none'.split():
        out += [('al', 'SETMETADATA INBOX (/%s/vendor/acme/%s "%s")' % (k, n, v)) for k, v in (('shared', 'a'), ('private', '1'))]
        out.append(('al', f'GETMETADATA INBOX (/shared/vendor/acme/{n} /private/vendor/acme/{n})'))
    for n, k in (('two', 'shared'), ('three', 'private'), ('four', 'shared')):
        for v in ('TRUE', 'false', '-5', '5', '007', '1x', '', ' 5', '+5', '+', '-', '99999999999'):
            out += [('al', f'SETMETADATA INBOX (/{k}/vendor/acme/{n} "{v}")'), ('al', f'GETMETADATA INBOX /{k}/vendor/acme/{n}')]
    for who in ('al', 'ad'):
        out += [(who, f'SETMETADATA "" (/{k}/vendor/acme/five "x")') for k in ('private', 'shared')]
    out += [('al', 'SETMETADATA INBOX (/shared/flags/eleven "x")'),
            ('al', 'SETMETADATA INBOX (/shared/vendor/cmu/cyrus-imapd/nine "x")'),
            ('al', 'SETMETADATA INBOX (/private/check "TRUE")'), ('al', 'GETMETADATA INBOX (/shared/* /private/*)'),
            ('al', 'GETMETADATA "" (/shared/vendor/*)'),
            ('al', 'GETANNOTATION INBOX "/vendor/acme/*" "*"'), ('ad', 'SETACL user/alice bob lrswe'),
            ('bob', 'SETMETADATA "Other Users/alice" (/shared/vendor/acme/last "y")'),
            ('bob', 'SETMETADATA "Other Users/alice" (/private/vendor/acme/two "True")'),
            ('bob', 'GETMETADATA "Other Users/alice" /private/vendor/acme/two'),
            ('ad', 'SETACL user/alice bob lr'), ('bob', 'SETMETADATA "Other Users/alice" (/shared/vendor/acme/one "y")'),
            ('bob', 'SETMETADATA "Other Users/alice" (/private/vendor/acme/one "y")')]
    return out


def define(i, text=DEFINITIONS):
    path = i.path('definitions')
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, 0o644)
    with open(i.path('imapd.conf'), 'a') as f:
        f.write(f'annotation_definitions: {path}\n')
    return path


@needs_peer
def test_definitions_are_read_as_debians_cyrus_reads_them():
    said = []
    for side in ('theirs', 'ours'):
        p = Pair(LEGACY)
        # they have no type content-type, which the manual page promises; of what is for proxies alone they say OK and forget it
        define(p.i, re.sub('(?m)^/vendor/acme/(kind|proxied),', '#', DEFINITIONS))
        try:
            getattr(p, side)()
            said.append(play(p.i.ports['imap'], defined_commands()))
        finally:
            p.i.stop()
            p.i.close()
    for (who, command), theirs, ours in zip(defined_commands(), *said):
        assert ours == theirs, (who, command)


def test_definitions():
    with Instance(CONF + LEGACY, services=('imap',)) as i:
        path = define(i)
        i.start()
        said = dict(zip((c for _, c in defined_commands()), play(i.ports['imap'], defined_commands())))
        assert said['SETMETADATA INBOX (/shared/vendor/acme/one "a")'] == ['OK Completed']
        assert said['GETMETADATA INBOX (/shared/vendor/acme/three /private/vendor/acme/three)'][0] == \
            '* METADATA INBOX ("/private/vendor/acme/three" "1" "/shared/vendor/acme/three" NIL)'
        for n in ('bad1', 'bad2', 'bad3', 'bad4', 'bad5', 'bad6', 'bad7', 'proxied', 'eight', 'noattr'):
            assert said[f'SETMETADATA INBOX (/shared/vendor/acme/{n} "a")'] == ['NO Permission denied'], n
        # by the manual page
        assert Raw(i.ports['imap'], 'alice')('SETMETADATA INBOX (/shared/vendor/acme/kind "text/plain")') == ['OK Completed']
        assert said['SETMETADATA INBOX (/shared/vendor/acme/two "1x")'] == ['NO Invalid annotation value']
        # more rights than the usual ones, by the manual page (Debian's Cyrus does not ask for them)
        ad, bob = Raw(i.ports['imap'], 'admin'), Raw(i.ports['imap'], 'bob')
        for rights, answer in (('lrsw', 'NO Permission denied'), ('lrswe', 'OK Completed')):
            ad('SETACL user/alice bob ' + rights)
            assert bob('SETMETADATA "Other Users/alice" (/shared/vendor/acme/last "z")') == [answer], rights
        os.unlink(path)                          # a file that is not there adds nothing, and costs nothing else
        al = Raw(i.ports['imap'], 'alice')
        assert al('SETMETADATA INBOX (/shared/vendor/acme/one "b")') == ['NO Permission denied']
        assert al('SETMETADATA INBOX (/shared/comment "b")') == ['OK Completed']
