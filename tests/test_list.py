#!/usr/bin/env python3
"""LIST and its kin through our own master: what must be refused, who sees what under every combination of the namespace options,
every selection and return option, and how much of the mailbox list is read for it. Beside Debian's Cyrus: test_list_peer.py. Run
by pytest."""
import itertools, os, re, shutil, time

import pytest

from instance import Instance, syslog_file
from raw import Raw as Plain

LEVELS = ['2.5', '3.6']


class Raw(Plain):
    def list(self, arguments, verb='LIST'):
        """{name: attributes} in the order of the answer."""
        out = {}
        for line in self.ok(f'{verb} {arguments}'):
            m = re.fullmatch(r'\* (?:X?LIST|LSUB) \((.*?)\) "(.)" ("[^"]*"|\S+)( .*)?', line)
            assert m, line
            name = m.group(3).strip('"') + (m.group(4) or '')
            assert name not in out, line
            out[name] = m.group(1)
        return out

    def names(self, arguments):
        return list(self.list(arguments))


class Site:
    def __init__(self, level, conf='', users=('alice', 'bob'), **kw):
        self.level = level
        # the answers come by way of the index beside the list; that they are those of the whole list is a test of its own
        self.i = Instance(f'compatibility_level: {level}\nmboxlist_acl_index: 1\n{conf}', users=('admin',) + tuple(users),
                          services=('imap',))
        self.i.start(**kw)
        self.admin = Raw(self.i.ports['imap'], 'admin')

    def login(self, user):
        return Raw(self.i.ports['imap'], user)

    def close(self):
        status = self.i.stop()
        self.i.close()
        assert status == 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind:
            self.i.close()
        else:
            self.close()


# A tree with everything in it; S stands for the separator.
def fill(site, sep):
    def a(command):
        site.admin.ok(command.replace('S/', sep))
    for user in ('alice', 'bob'):
        a(f'CREATE userS/{user}')
    for name in ('pub', 'priv', 'privS/pub2'):
        a(f'CREATE userS/bobS/{name}')
    a('SETACL userS/bobS/pub anyone lrs')
    a('SETACL userS/bobS/privS/pub2 alice l')
    for name in ('news', 'newsS/a', 'newsS/b', 'closed', 'closedS/in', 'closedS/inS/open', 'empty'):
        a(f'CREATE {name}')
    for name, acl in (('news', 'lrs'), ('newsS/a', 'lrs'), ('newsS/b', 'lrs'), ('closed', '""'), ('closedS/in', '""'),
                      ('closedS/inS/open', 'lrs'),
                      ('empty', '""')):
        a(f'SETACL {name} anyone {acl}')
    a('SETACL newsS/b -alice l')                               # negative rights hide it from her
    a('SETACL empty group:root lrs')                             # she is in no such group


def own(site):
    """What alice's names begin with."""
    return '' if site.level == '3.6' else 'INBOX.'


@pytest.fixture(params=LEVELS)
def site(request):
    s = Site(request.param)
    fill(s, '/' if request.param == '3.6' else '.')
    c = s.login('alice')
    o, sep = own(s), '/' if s.level == '3.6' else '.'
    for name in ('Work', 'Work%sone' % sep, 'Work%sone%stwo' % (sep, sep), 'Sent'):
        c.ok(f'CREATE {o}{name}')
    yield s
    s.close()


# ---------------------------------------------------------------------------------------------------- bad input first
BAD = [                                            # what is sent after the name of the command, and how the answer begins
    ('', 'BAD Missing required argument to List'),
    (' ', 'BAD Missing required argument to List: reference name'),
    (' ""', 'BAD Missing required argument to List: mailbox pattern'),
    (' "" ', 'BAD Unexpected extra arguments to List'),
    (' "" a b', 'BAD Unexpected extra argument to List: "b"'),
    (' "" a FOO (CHILDREN)', 'BAD Unexpected extra argument to List: "foo"'),
    (' "" (', 'BAD Invalid syntax in List command'),
    (' "" ()', 'BAD Invalid syntax in List command'),
    (' "" ("a"', 'BAD Invalid syntax in List command'),
    (' "" ("a"  "b")', 'BAD Invalid syntax in List command'),
    (' "" ("a" "b" )', 'BAD Invalid syntax in List command'),
    (' "" (("a"))', 'BAD Invalid syntax in List command'),
    (' "" ("a") "b"', 'BAD Unexpected extra arguments to List'),
    (' "" "a', 'BAD Invalid syntax in List command'),
    (' "" "a\0b"', 'BAD Invalid syntax in List command'),
    (' "\0" "*"', 'BAD Invalid syntax in List command'),
    (' (SUBSCRIBED', 'BAD Missing close parenthesis for List selection options'),
    (' (SUBSCRIBED "" "*"', 'BAD Invalid syntax in List command'),
    (' (SUBSCRIBED)', 'BAD Missing required argument to List: reference name'),
    (' (SUBSCRIBED) ""', 'BAD Missing required argument to List: mailbox pattern'),
    (' ( SUBSCRIBED) "" "*"', 'BAD Invalid syntax in List command'),
    (' ((SUBSCRIBED)) "" "*"', 'BAD Invalid syntax in List command'),
    (' (NONSENSE) "" "*"', 'BAD Invalid List selection option "nonsense"'),
    (' (SUBSCRIBED NONSENSE) "" "*"', 'BAD Invalid List selection option "nonsense"'),
    (' (RECURSIVEMATCH) "" "*"', 'BAD Invalid combination of selection options'),
    (' (RECURSIVEMATCH REMOTE) "" "*"', 'BAD Invalid combination of selection options'),
    (' (RECURSIVEMATCH SPECIAL-USE) "" "*"', 'BAD Invalid combination of selection options'),
    (' "" a RETURN', 'BAD Missing return argument list'),
    (' "" a RETURN CHILDREN', 'BAD Missing return argument list'),
    (' "" a RETURN (', 'BAD Invalid syntax in List command'),
    (' "" a RETURN (CHILDREN', 'BAD Missing close parenthesis for List return options'),
    (' "" a RETURN (CHILDREN) x', 'BAD Unexpected extra arguments to List'),
    (' "" a RETURN ((CHILDREN))', 'BAD Invalid syntax in List command'),
    (' "" a RETURN (NONSENSE)', 'BAD Invalid List return option "nonsense"'),
    (' "" a RETURN (STATUS)', 'BAD Bad status string'),
    (' "" a RETURN (STATUS ())', 'BAD Bad status string'),
    (' "" a RETURN (STATUS MESSAGES)', 'BAD Bad status string'),
    (' "" a RETURN (STATUS (FOO))', 'BAD Invalid Status attributes foo'),
    (' "" a RETURN (STATUS (MESSAGES', 'BAD Missing close parenthesis in Status'),
    (' "" a RETURN (STATUS (MESSAGES)', 'BAD Missing close parenthesis for List return options'),
]
BAD_36 = [
    (' "" a RETURN (METADATA)', 'BAD Missing close parenthesis for List return options'),
    (' "" a RETURN (METADATA ())', 'BAD Missing metadata entry'),
    (' "" a RETURN (METADATA (/shared/comment)', 'BAD Missing close parenthesis for List return options'),
    (' "" a RETURN (METADATA (' + ' '.join(['/shared/comment'] * 65) + '))', 'NO [LIMIT]'),
]
BAD_25 = [(' "" a RETURN (METADATA (/shared/comment))', 'BAD Invalid List return option "metadata"')]
# patterns that are not refused and must cost nothing
HARMLESS = ['*' * 10000, '%' * 10000, '*%' * 5000, '%*a' * 3000, '*a' * 5000, 'a*' * 5000, '*a*b' * 2500, '%.' * 5000,
            '*/' * 5000, 'x' * 10000, '&', '&&&&', 'a&b',
            '&AOk', '&AOk-&AOk-', '&2D0-', '/', '.', '//', '..', '/*', '.*', '*/', 'a//b', 'INBOX//', '^', '!', 'a!b', '@',
            'a@b@c', '~', '#', '$', '[', ']', '+',
            'user..', 'user.', 'Other Users/', 'Other Users', 'Shared Folders/', 'DELETED', 'DELETED.', 'DELETED/', 'NIL']


def test_bad_input(site):
    c = site.login('alice')
    for args, want in BAD + (BAD_36 if site.level == '3.6' else BAD_25):
        got = c.do('LIST' + args)
        assert got[-1].startswith(want) and len(got) == 1, (args[:80], got)
    for verb in ('LSUB', 'RLIST', 'RLSUB'):
        name = verb.capitalize()
        for args, want in ((' (SUBSCRIBED) "" "*"', f'BAD Missing required argument to {name}'),
                           (' "" ("a" "b")', f'BAD Unexpected extra arguments to {name}'),
                           (' "" a RETURN (CHILDREN)', f'BAD Unexpected extra arguments to {name}'),
                           ('', f'BAD Missing required argument to {name}')):
            assert c.do(verb + args) == [want], verb + args
    assert c.names('"" INBOX') == ['INBOX']                  # and the session is none the worse


def test_harmless_patterns_cost_nothing(site):
    c = site.login('alice')
    start = time.monotonic()
    for pattern in HARMLESS:
        for verb in ('LIST', 'LSUB', 'XLIST'):
            c.ok(f'{verb} "" "{pattern}"')
            c.ok(f'{verb} "{pattern}" "*"')
        c.ok(f'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("{pattern}" "%") RETURN (STATUS (MESSAGES) SUBSCRIBED CHILDREN)')
        site.admin.ok(f'LIST "" "{pattern}"')
    assert time.monotonic() - start < 120                     # minutes would be a matcher that backtracks
    assert c.names('"" "%s"' % ('*' * 10000)) == c.names('"" "*"')


def test_literals_and_sizes(site):
    c = site.login('alice')
    everything = c.names('"" "*"')
    assert c.names('"" {1+}\r\n*') == everything
    assert c.names('{0+}\r\n {1+}\r\n*') == everything
    assert c.names('"" ({5+}\r\nINBOX {3+}\r\nx%y)') == ['INBOX']
    for data in (b'{3+}\r\na\0b', b'"a\x80b"', b'{4+}\r\n\xff\xfe\xfd\xfc', b'{2+}\r\n\r\n', b'{4+}\r\na\tb*'):
        answer = c.do(b'LIST "" ' + data)
        assert answer[-1].startswith(('OK', 'BAD Invalid syntax')) and len(answer) == 1, (data, answer)
    for n in (100_000, 1_000_000):                            # a megabyte: refused for its size, or answered
        for data in (b'*' * n, b'%a' * (n // 2)):
            try:
                fresh = site.login('alice')
                fresh.do(b'LIST "" {%d+}\r\n%s' % (n, data))
            except (ConnectionError, AssertionError):
                pass
    many = ' '.join('"%d"' % n for n in range(1024))
    assert c.do(f'LIST "" ({many})') == ['OK Completed']
    assert c.do(f'LIST "" ({many} "x")')[-1].startswith('NO [LIMIT]')
    assert c.names('"" "*"') == everything


# ---------------------------------------------------------------------------------------------------- who sees what
@pytest.mark.parametrize('level', LEVELS)
@pytest.mark.parametrize('sep,alt,virt,prefixes', itertools.product('./', (False, True), ('off', 'userid'), (False, True)))
def test_every_namespace(level, sep, alt, virt, prefixes):
    """Names and NAMESPACE under every combination of options. U and O stand for the two prefixes, / for the separator."""
    yes = {False: 'no', True: 'yes'}
    conf = f'unixhierarchysep: {yes[sep == "/"]}\naltnamespace: {yes[alt]}\nvirtdomains: {virt}\ndefaultdomain: test.example\n'
    users, shared = ('Their Own', 'Public') if prefixes else ('Other Users', 'Shared Folders')
    if prefixes:
        conf += f'userprefix: {users}\nsharedprefix: {shared}{sep}\n'

    def shown(names):
        return [n.replace('U/', users + '/').replace('O/', shared + '/').replace('/', sep) for n in names]
    mine = ['INBOX', 'Work', 'Work/sub'] if alt else ['INBOX', 'INBOX/Work', 'INBOX/Work/sub']
    theirs = ['U/bob/priv/pub2', 'U/bob/pub'] if alt else ['user/bob/priv/pub2', 'user/bob/pub']
    common = ['O/closed/in/open', 'O/news', 'O/news/a'] if alt else ['closed/in/open', 'news', 'news/a']
    rest = theirs + common if alt or level == '3.6' else common + theirs            # 2.5 without prefixes: the order of the list
    all_users = ['user/alice', 'user/alice/Work', 'user/alice/Work/sub', 'user/bob', 'user/bob/priv', 'user/bob/priv/pub2',
                 'user/bob/pub']
    all_shared = ['closed', 'closed/in', 'closed/in/open', 'empty', 'news', 'news/a', 'news/b']
    with Site(level, conf) as s:
        fill(s, sep)
        c = s.login('alice')
        c.ok(f'CREATE {mine[2].rsplit("/", 1)[0].replace("/", sep)}')
        c.ok(f'CREATE {mine[2].replace("/", sep)}')
        assert c.names('"" "*"') == shown(mine + rest)
        assert s.admin.names('"" "*"') == shown(all_users + all_shared if level == '3.6' else all_shared + all_users)
        # the top level, and the levels that are only places
        tops = c.list('"" "%"')
        assert list(tops) == (['INBOX', 'Work'] if alt else ['INBOX']) + \
            (([users, shared] if level == '3.6' else [users]) if alt else ['user', 'closed', 'news'] if level == '3.6'
             else ['closed', 'news', 'user'])
        assert tops['INBOX'] == ('\\HasNoChildren' if alt and level == '3.6' else '\\Noinferiors \\HasNoChildren' if alt
                                 else '\\HasChildren')
        assert tops[users if alt else 'user'] == '\\Noselect \\HasChildren'
        for pattern, want in (('U/%', ['U/bob']), ('U/bob/%', ['U/bob/priv', 'U/bob/pub']), ('U/b*', theirs),
                              ('U/bob/pub', theirs[1:]), ('U/nobody/*', []),
                              ('U/bob/priv/pub2', theirs[:1]), ('O/news/%', common[2:]), ('O/news', common[1:2]),
                              ('O/c*n', common[:1])):
            want = [w if alt else w.replace('U/', 'user/') for w in want]
            pattern = pattern if alt else pattern.replace('U/', 'user/').replace('O/', '')
            assert c.names('"" "%s"' % shown([pattern])[0]) == shown(want), pattern
        if not alt:
            assert c.names('"INBOX%s" "%%"' % sep) == shown(['INBOX/Work'])
        # NAMESPACE
        names = [('', users + sep, shared + sep) if alt else ('INBOX' + sep, 'user' + sep, '')][0]
        assert c.ok('NAMESPACE') == ['* NAMESPACE ' + ' '.join(f'(("{n}" "{sep}"))' for n in names)]
        assert s.admin.ok('NAMESPACE') == [f'* NAMESPACE NIL (("user{sep}" "{sep}")) (("" "{sep}"))']
        assert c.ok('LIST "" ""') == [f'* LIST (\\Noselect) "{sep}" ""']


def test_domains():
    """Two domains and none, in one store: each sees its own, the administrator without a domain all."""
    conf = 'virtdomains: userid\ndefaultdomain: test.example\nunixhierarchysep: yes\naltnamespace: yes'
    for level in LEVELS:
        with Site(level, conf, users=('alice', 'joe@far.example')) as s:
            for name in ('user/alice', 'user/joe@far.example', 'user/ann@far.example', 'team@far.example', 'team/x@far.example',
                         'news'):
                s.admin.ok(f'CREATE {name}')
            s.admin.ok('SETACL user/ann@far.example joe@far.example lrs')
            for name in ('team@far.example', 'team/x@far.example', 'news'):
                s.admin.ok(f'SETACL {name} anyone lrs')
            assert s.login('alice').names('"" "*"') == ['INBOX', 'Shared Folders/news']
            joe = s.login('joe@far.example')
            assert joe.names('"" "*"') == ['INBOX', 'Other Users/ann', 'Shared Folders/team', 'Shared Folders/team/x']
            assert joe.names('"" "Shared Folders/%"') == ['Shared Folders/team']
            assert sorted(s.admin.names('"" "*"')) == ['news', 'team/x@far.example', 'team@far.example', 'user/alice',
                                                       'user/ann@far.example', 'user/joe@far.example']
            assert sorted(s.admin.names('"" "team*"')) == ['team/x@far.example', 'team@far.example']


def test_odd_names_of_ones_own():
    """spec/names.md 6.2: what an administrator makes below a user's INBOX, as its owner sees it."""
    made = ['INBOX', 'INBOX/sub', 'inbox', 'Inbox/s', 'Shared Folders/k', 'Other Users/q', 'Alt Folders', 'user/fred.smith/zz',
            'DELETED']
    conf = 'virtdomains: userid\ndefaultdomain: test.example\nunixhierarchysep: yes\naltnamespace: yes'
    with Site('3.6', conf, users=('fred.smith',)) as s:
        s.admin.ok('CREATE user/fred.smith')
        for name in made:
            s.admin.ok(f'CREATE "user/fred.smith/{name}"')
        got = s.login('fred.smith').names('"" "*"')
        for name in ('INBOX/sub', 'Alt Folders/INBOX', 'Alt Folders/inbox', 'Alt Folders/Inbox/s', 'Alt Folders/Shared Folders/k',
                     'Alt Folders/Other Users/q',
                     'Alt Folders/Alt Folders', 'user/fred.smith/zz', 'DELETED'):
            assert name in got, (name, got)
        c = s.login('fred.smith')
        assert got[:2] == ['INBOX', 'INBOX/sub']
        assert set(c.names('"" "Alt Folders/%"')) == {'Alt Folders/' + n for n
                                                      in ('INBOX', 'Inbox', 'inbox', 'Shared Folders', 'Other Users',
                                                          'Alt Folders')}
        assert c.names('"" "INBOX/%"') == ['INBOX/sub'] and c.names('"" "inbox/*"') == ['INBOX/sub']


def test_namespaces_switched_off(site):
    level = site.level
    for options, hidden in (('disable_user_namespace: yes', 'bob'), ('disable_shared_namespace: yes', 'news')):
        with Site(level, options) as s:
            fill(s, '/' if level == '3.6' else '.')
            c = s.login('alice')
            assert not [n for n in c.names('"" "*"') + c.names('"" "*%"') if hidden in n]
            assert [n for n in s.admin.names('"" "*"') if hidden in n]
            assert c.ok('NAMESPACE')[0].count('NIL') == 1


def test_deleted_mailboxes(site):
    o, sep = own(site), '/' if site.level == '3.6' else '.'
    c = site.login('alice')
    c.ok(f'DELETE {o}Sent')
    for pattern in ('*', '%', 'DELETED*', f'DELETED{sep}%', '*Sent*'):
        assert not [n for n in c.names(f'"" "{pattern}"') if 'DELETED' in n or n.endswith('Sent')], pattern
    gone = site.admin.names(f'"" "DELETED{sep}*"')
    assert len(gone) == 1 and re.fullmatch(rf'DELETED.user.alice.Sent.[0-9A-F]{{8}}', gone[0])
    assert site.admin.list('"" "D%"') == {'DELETED': '\\Noselect \\HasChildren'}


# ---------------------------------------------------------------------------------------------------- options
def test_selection(site):
    c, o, sep = site.login('alice'), own(site), '/' if site.level == '3.6' else '.'
    shared = 'Shared Folders/news' if o == '' else 'news'
    for name in ('INBOX', f'{o}Work{sep}one{sep}two', f'{o}Sent', f'"{shared}"'):
        c.ok(f'SUBSCRIBE {name}')
    c.ok(f'CREATE {o}Gone')
    c.ok(f'SUBSCRIBE {o}Gone')
    c.ok(f'DELETE {o}Gone')
    deep, work = f'{o}Work{sep}one{sep}two', f'{o}Work'
    got = c.list('(SUBSCRIBED) "" "*"')
    assert set(got) == {'INBOX', deep, f'{o}Sent', shared, f'{o}Gone'}
    assert got[f'{o}Gone'].startswith('\\NonExistent \\Subscribed') and all('\\Subscribed' in v for v in got.values())
    assert f'{o}Gone' not in c.list('"" "*"', 'LSUB') and f'{o}Gone' not in c.names('"" "*"')
    assert c.list('(SUBSCRIBED) "" "*" RETURN (CHILDREN)')[deep] == '\\Subscribed \\HasNoChildren'
    assert c.list('(SUBSCRIBED REMOTE) "" "*"') == got and c.list('(REMOTE SUBSCRIBED SUBSCRIBED) "" "*"') == got
    # levels appear only with RECURSIVEMATCH, and say so
    assert work not in c.names(f'(SUBSCRIBED) "" "{o}%"')
    level = c.list(f'(SUBSCRIBED RECURSIVEMATCH) "" "{o}%" RETURN (CHILDREN)')
    assert level[work + ' (CHILDINFO ("SUBSCRIBED"))'] == '\\HasChildren'
    assert c.names('(SUBSCRIBED RECURSIVEMATCH) "" "*"').count(deep) == 1 and not [n for n
            in c.names('(SUBSCRIBED RECURSIVEMATCH) "" "*"') if 'CHILDINFO' in n]
    # RETURN (SUBSCRIBED) only marks
    marked = c.list('"" "*" RETURN (SUBSCRIBED)')
    assert list(marked) == c.names('"" "*"')
    assert {n for n, v in marked.items() if '\\Subscribed' in v} == {'INBOX', deep, f'{o}Sent', shared}
    # a subscription whose mailbox may not be looked up any more is as good as gone
    site.admin.ok('SETACL news anyone ""')
    assert c.list('(SUBSCRIBED) "" "*"')[shared].startswith('\\NonExistent')
    assert shared not in c.list('"" "*"', 'LSUB')


def test_levels_do_not_exist_when_asked_the_new_way(site):
    c = site.login('alice')
    top = 'Other Users' if site.level == '3.6' else 'user'
    assert c.list('"" "%"')[top] == '\\Noselect \\HasChildren'
    assert c.list('"" "%" RETURN ()')[top] == '\\NonExistent \\HasChildren'
    assert c.list('() "" "%"')[top] == '\\NonExistent \\HasChildren'
    assert c.list('"" ("%")')[top] == '\\NonExistent \\HasChildren'


def test_several_patterns(site):
    c, o = site.login('alice'), own(site)
    assert c.names(f'"" ("{o}Se%" INBOX "{o}W%" "{o}Se*" inbox)') == ['INBOX', f'{o}Sent', f'{o}Work']
    assert c.names(f'"{o}" ("Se%" "W%")') == [f'{o}Sent', f'{o}Work']
    assert c.names('"" ("" "INBOX" "")') == ['INBOX']
    assert c.do('LIST "" ("")') == ['OK Completed'] == c.do('LIST "" "" RETURN (CHILDREN)')
    assert set(c.names('"" ("%" "*")')) == set(c.names('"" "%"')) | set(c.names('"" "*"'))


def test_inbox_in_any_case(site):
    c = site.login('alice')
    for pattern in ('INBOX', 'inbox', 'InBoX'):
        assert c.names(f'"" {pattern}') == ['INBOX']
        assert list(c.list(f'"" {pattern}', 'XLIST').values())[0].endswith('\\Inbox')
    assert c.names('"" "inbo*"') == []


def test_status_and_rights(site):
    c, o, sep = site.login('alice'), own(site), '/' if site.level == '3.6' else '.'
    pub2 = f'Other Users/bob/priv/pub2' if o == '' else 'user.bob.priv.pub2'          # `l` and no `r`
    c.ok('APPEND INBOX {26+}\r\nSubject: x\r\nFrom: a\r\n\r\nx\r\n')
    lines = c.ok('LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT UNSEEN) MYRIGHTS)')
    for i, line in enumerate(lines):
        if not line.startswith('* LIST'):
            continue
        name = line.split(f'"{sep}" ', 1)[1]
        if name.strip('"') == pub2:
            assert '\\Noselect' in line and lines[i + 1] == f'* MYRIGHTS {name} l'
        else:
            assert '\\Noselect' not in line
            assert lines[i + 1] == c.ok(f'STATUS {name} (MESSAGES UIDNEXT UNSEEN)')[0]
            assert lines[i + 2] == c.ok(f'MYRIGHTS {name}')[0]
    assert '* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UNSEEN 1)' in lines
    levels = c.ok('LIST "" "%" RETURN (STATUS (MESSAGES) MYRIGHTS)')
    assert not [l for l in levels if re.match(r'\* (STATUS|MYRIGHTS) "?(user|Other Users|Shared Folders)"?( |$)', l)]
    gone = c.ok('LIST (SUBSCRIBED) "" "*" RETURN (STATUS (MESSAGES) MYRIGHTS)')
    assert gone == []


def test_capability_names_it(site):
    words = site.login('alice').ok('CAPABILITY')[0].split()
    for word in ('LIST-EXTENDED', 'LIST-STATUS', 'LIST-MYRIGHTS', 'SPECIAL-USE', 'CHILDREN', 'XLIST', 'NAMESPACE'):
        assert word in words


def test_odd_options(site):
    level = site.level
    with Site(level, 'ignorereference: yes\nfoolstupidclients: yes\nallowallsubscribe: yes') as s:
        s.admin.ok('CREATE user%salice' % ('/' if level == '3.6' else '.'))
        c = s.login('alice')
        assert c.names('"nonsense" "INBOX"') == ['INBOX']
        o = own(s)
        c.ok(f'CREATE {o}x')
        assert c.names('"" *') == (['INBOX'] if level == '3.6' else ['INBOX', 'INBOX.x'])
        c.ok(f'SUBSCRIBE {o}never.was')
        assert c.list('"" "*"', 'LSUB') == {f'{o}never.was': ''}


# ---------------------------------------------------------------------------------------------------- how much is read
def dump(users, boxes, extra=()):
    """A mailbox list as ctl_mboxlist -u reads it."""
    out = []
    for n in range(users):
        user = 'alice' if n == 0 else 'u%04d' % n
        out += [f'user.{user}{box}\t0 default {user}\tlrswipkxtecdan\t' for box in [''] + ['.b%d' % b for b in range(boxes - 1)]]
    return '\n'.join(out + list(extra)) + '\n'


def rows(site, log, c, command):
    """How many records of the mailbox list the command looked at."""
    with open(log) as f:
        before = len(f.read())
    c.ok(command)
    for _ in range(100):
        with open(log) as f:
            found = re.findall(r'list: looked at (\d+) records', f.read()[before:])
        if found:
            return int(found[0])
        time.sleep(0.05)
    raise AssertionError('nothing logged')


def listing_site(level, conf, text):
    s = Site.__new__(Site)
    s.level = level
    if 'altnamespace' not in conf:
        conf += '\naltnamespace: no'
    s.i = Instance(f'compatibility_level: {level}\ndebug: yes\nunixhierarchysep: no\n{conf}', users=('admin', 'alice'),
                   services=('imap',))
    s.i.tool('ctl_mboxlist', '-u', input=text)
    log = s.i.path('log')
    open(log, 'w').close()
    s.i.start(env=syslog_file(log))
    s.admin = Raw(s.i.ports['imap'], 'admin')
    return s, log


SHARED = ['news\t0 default anyone\tlrs\t', 'news.a\t0 default anyone\tlrs\t',
          'user.u0007.pub\t0 default u0007\tlrswipkxtecdan\talice\tlrs\t']
# what, how many records at most (the user owns 10), for the user and for the administrator
COST = [
    ('LIST "" "INBOX"', 5, 5), ('LIST "" "INBOX*"', 14, 5), ('LIST "" "INBOX.%"', 14, 5), ('LIST "" "INBOX.b3"', 5, 5),
    ('LIST "" "user.u0042.%"', 12, 14),
    ('LIST "" "user.u0007.pub"', 8, 6), ('LIST "" "news*"', 9, 5), ('LIST "" "nothing"', 5, 5), ('LSUB "" "*"', 5, 5),
    ('LIST (SUBSCRIBED) "" "*" RETURN (CHILDREN)', 5, 5), ('LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"', 5, 5),
]


@pytest.mark.parametrize('level,index', [('2.5', ''), ('3.6', ''), ('3.6', 'in the list'), ('2.5', 'beside'), ('3.6', 'beside')])
def test_what_a_list_reads_does_not_grow_with_the_server(level, index):
    s, log = listing_site(level,
                          f'reverseacls: {"yes" if index == "in the list" else "no"}\n'
                          f'mboxlist_acl_index: {int(index == "beside")}',
                          dump(200, 10, SHARED))
    try:
        c = s.login('alice')
        for command, user, admin in COST:
            assert rows(s, log, c, command) <= user, command
            assert rows(s, log, s.admin, command) <= admin, command
        assert rows(s, log, s.admin, 'LIST "" "%"') <= 8                     # one record of all users', two of the shared ones
        assert rows(s, log, s.admin, 'LIST "" "user.%"') <= 3 * 200 + 5
        everything = rows(s, log, c, 'LIST "" "*"'), rows(s, log, c, 'LIST "" "%"')
        if index:
            assert max(everything) <= 24                                    # one's own ten, and those that name one
        else:
            assert everything[0] > 2000                                      # the truth about others is in their records
        assert c.names('"" "*"')[-3:] == (['user.u0007.pub', 'news', 'news.a'] if level == '3.6'
                                          else ['news', 'news.a', 'user.u0007.pub'])
    finally:
        s.close()


def test_ones_own_tree_is_read_in_part():
    """In the alternative namespace too, where INBOX lies beside the others."""
    text = '\n'.join(['user.alice\t0 default alice\tlrswipkxtecdan\t']
                     + [f'user.alice.b{n:03}{x}\t0 default alice\tlrswipkxtecdan\t' for n in range(300) for x in ('', '.x')])
    for level in LEVELS:
        s, log = listing_site(level, 'altnamespace: yes', text + '\n')
        try:
            c = s.login('alice')
            for command, most in (('LIST "" "b2%"', 210), ('LIST "" "b200*"', 5), ('LIST "" "b200.%"', 4),
                                  ('LIST "" "Other Users.%"', 4), ('LIST "" "x*"', 4),
                                  ('LIST "" "INBOX"', 610 if level == '2.5' else 4), ('LIST "" "%"', 612)):
                assert rows(s, log, c, command) <= most, command
            assert len(c.names('"" "%"')) == 301 and len(c.names('"" "b2%"')) == 100 and c.names('"" inbox') == ['INBOX']
        finally:
            s.close()


def test_the_index_tells_the_truth():
    """The same answers with the reverse ACL rows in the list, in a file beside it, and without, whatever happens to ACLs and
    names."""
    patterns = ('*', '%', 'user.%', 'user.u0003.*', 'news*', 'news.%', 'u%', '*x*', 'user.*.b1', '%.%', '%.%.%')
    commands = [f'LIST "" "{p}"' for p in patterns] + [f'LIST "" "{p}" RETURN (CHILDREN MYRIGHTS)' for p in patterns]
    answers = {}
    for level, index, beside in (('3.6', 'no', 0), ('3.6', 'yes', 0), ('3.6', 'no', 1), ('2.5', 'no', 0), ('2.5', 'no', 1)):
        s, _ = listing_site(level, f'reverseacls: {index}\nmboxlist_acl_index: {beside}', '')
        try:
            for user in ['alice'] + ['u%04d' % n for n in range(8)]:
                for box in ('', '.b0', '.b1', '.b2'):
                    s.admin.ok(f'CREATE user.{user}{box}')
            for name in ('news', 'news.a'):
                s.admin.ok(f'CREATE {name}')
            c = s.login('alice')
            for step in ('SETACL user.u0003.b1 alice lrs', 'SETACL user.u0003.b2 anyone r', 'SETACL user.u0004 alice l',
                         'SETACL user.u0004.b1 group:daemon lrs',
                         'SETACL user.u0005 anyone lrs', 'SETACL user.u0005 -alice l', 'CREATE news.x', 'SETACL news.x anyone ""',
                         'CREATE news.x.y',
                         'SETACL news.x.y alice lr', 'SETACL news alice ""', 'DELETEACL news.a anyone',
                         'SETACL user.alice.b1 anyone lrs',
                         'SETACL user.u0003.b1 admin lrswipkxte', 'RENAME user.u0003.b1 user.u0003.moved',
                         'SETACL news.x.y alice ""', 'SETACL news.x.y anyone l'):
                s.admin.ok(step)
                for command in commands:
                    answers.setdefault((level, step, command), []).append(c.do(command))
            assert os.path.exists(s.i.path('conf/mailboxes.db.racl')) == bool(beside)
        finally:
            s.close()
    for key, (without, *with_index) in answers.items():
        assert all(a == without for a in with_index), key


@pytest.mark.parametrize('level', LEVELS)
def test_the_index_beside_is_not_fooled(level):
    """A list that is changed without us, put back from a copy, damaged, and an index that is lost, damaged or cannot be made."""
    s, _ = listing_site(level, 'mboxlist_acl_index: 1', dump(20, 3, SHARED))
    index, db = s.i.path('conf/mailboxes.db.racl'), s.i.path('conf/mailboxes.db')

    def others():
        c = s.login('alice')                                       # a new process may answer, or one that has the files open
        out = {n for n in c.names('"" "*"') if not n.startswith('INBOX')}
        c.ok('LOGOUT')
        return out
    try:
        base = {'user.u0007.pub', 'news', 'news.a'}
        assert others() == base and os.path.exists(index)
        for n in range(3):
            s.admin.ok(f'CREATE user.a{n}')
            s.admin.ok(f'CREATE user.b{n}')
        shutil.copy(db, db + '.copy')
        for n in range(3):                                         # the file's own history, then another one of the same length
            s.admin.ok(f'SETACL user.a{n} alice lrs')
            assert others() == base | {f'user.a{n}'}
            s.i.tool('ctl_cyrusdb', '-r')                          # writes down what it knows
            shutil.copyfile(db + '.copy', db)                      # over it: the same inode
            s.admin.ok(f'SETACL user.b{n} alice lrs')
            assert others() == base | {f'user.b{n}'}
            shutil.copyfile(db + '.copy', db)
            assert others() == base
            s.admin.ok(f'SETACL user.a{n} alice lrs')
            shutil.copy(db, db + '.copy')
            base |= {f'user.a{n}'}
            assert others() == base
        os.unlink(index)
        assert others() == base and os.path.exists(index)
        for damage in (b'', b'not a database at all, but some text that is long enough to look at',
                       open(index, 'rb').read()[:-40]):
            with open(index, 'wb') as f:
                f.write(damage)
            assert others() == base
        os.unlink(index)
        os.mkdir(index)
        open(index + '/x', 'w').close()
        assert others() == base
    finally:
        s.close()
