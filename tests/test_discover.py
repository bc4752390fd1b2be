#!/usr/bin/env python3
"""reconstruct -f: mailboxes that lie in the spool and in no list, in both layouts; and all the damage that may lie there instead.
ipurge, cyr_df."""
import grp
import json
import os
import pwd
import shutil
import subprocess
import unittest

from test_walk import BOXES, MESSAGE, NAMES, Store

KINDS = (('2.5', False), ('3.6', False), ('3.6', True))
BELOW = [n for n in NAMES if n.startswith('user.u1.lists')]


def drop(s, *names):
    """The mailbox list without these; their files stay."""
    dump = s.run('ctl_mboxlist', '-d')
    if dump.startswith('{'):
        rows = json.loads(dump)
        text = json.dumps({k: v for k, v in rows.items() if k not in names})
    else:
        text = ''.join(x + '\n' for x in dump.splitlines() if x.split('\t')[0] not in names)
    os.unlink(s.path('conf/mailboxes.db'))
    s.run('ctl_mboxlist', '-u', input=text)


def listed(s):
    dump = s.run('ctl_mboxlist', '-d')
    return set(json.loads(dump)) if dump.startswith('{') else {x.split('\t')[0] for x in dump.splitlines()}


def discovered(out):
    return [x.split(' ', 1)[1] for x in out.splitlines() if x.startswith('discovered ')]


def copy(s, name):
    shutil.copytree(s.path('spool/user/u1/lists/one'), s.path('spool/user/u1/' + name), ignore=shutil.ignore_patterns('deep'))


class Discover(unittest.TestCase):
    def each(self, test, kinds=KINDS):
        for level, by_id in kinds:
            with self.subTest(level=level, by_id=by_id):
                s = Store(level, by_id)
                try:
                    test(s)
                finally:
                    s.close()

    def test_what_was_lost_comes_back(self):
        def test(s):
            whole, before = s.run('ctl_mboxlist', '-d'), s.run('mbexamine', BELOW[0])
            drop(s, *BELOW, 'user.u2')
            self.assertEqual(discovered(s.run('reconstruct', '-f', '-n', 'user.u1')), BELOW)
            self.assertEqual(listed(s), set(NAMES) - {*BELOW, 'user.u2'})               # -n
            self.assertEqual(s.run('reconstruct', '-f', 'user.u3'), 'user.u3\n')        # nothing below that one
            out = s.run('reconstruct', '-f', 'user.u1')
            self.assertEqual(out.splitlines(), [f'discovered {n}' for n in BELOW] + ['user.u1'] + BELOW)
            self.assertEqual(listed(s), set(NAMES) - {'user.u2'})
            self.assertEqual(discovered(s.run('reconstruct', '-f', '-r', '-q', 'user.u2')), ['user.u2'])
            self.assertEqual(discovered(s.run('reconstruct', '-f')), [])
            again = s.run('ctl_mboxlist', '-d')
            if s.level == '2.5':
                self.assertEqual(again, whole)
            else:
                keep = ('uniqueid', 'acl', 'partition', 'mbtype')
                self.assertEqual(*({k: {f: v.get(f) for f in keep} for k, v in json.loads(x).items()} for x in (again, whole)))
            self.assertEqual(s.run('mbexamine', BELOW[0]), before)
            self.assertEqual(s.run('quota', '-f', '-q'), '')
        self.each(test)

    def test_all_of_them(self):
        def test(s):
            drop(s, *NAMES)
            out = s.run('reconstruct', '-f', '-r', '-q')
            self.assertEqual(sorted(discovered(out)), sorted(NAMES))
            self.assertEqual(listed(s), set(NAMES))
        self.each(test)

    def test_partition_and_fresh(self):
        def test(s):
            drop(s, *BELOW)
            os.makedirs(s.path('other'))
            with open(s.path('imapd.conf'), 'a') as f:
                f.write(f'partition-other: {s.path("other")}\n')
            self.assertEqual(discovered(s.run('reconstruct', '-f', '-p', 'other')), [])
            out = s.run('reconstruct', '-f', '-x', '-p', 'default')
            self.assertEqual(discovered(out), BELOW)
            self.assertIn(f'{BELOW[0]}: failed to read index header', out)
            self.assertIn(f'{BELOW[0]} uid 2 found - adding', out)
            self.assertEqual(s.run('reconstruct', '-q'), '')
        self.each(test)

    def test_directories_that_are_no_mailbox(self):
        def test(s):
            top = s.dir('user.u1')
            spool = s.path('spool/uuid/z/z/' + 'z' * 24) if s.by_id else os.path.join(top, 'none')
            os.makedirs(spool)                                                        # no cyrus.header
            shutil.copy(os.path.join(top, '1.'), spool)
            drop(s, *BELOW)
            header = os.path.join(s.path('spool/user/u1/lists/one') if not s.by_id else ids[BELOW[1]], 'cyrus.header')
            with open(header, 'w') as f:
                f.write('no header at all\n')
            out = s.run('reconstruct', '-f', '-n', 'user.u1')
            self.assertEqual(discovered(out), [BELOW[0], BELOW[2]])
            self.assertEqual(out.count('cyrus.header cannot be read, left out'), 1)
        for level, by_id in KINDS:
            s = Store(level, by_id)
            ids = {n: s.dir(n) for n in BELOW}
            with self.subTest(level=level, by_id=by_id):
                try:
                    test(s)
                finally:
                    s.close()

    def test_a_header_that_names_another_mailbox(self):
        def by_name(s):
            drop(s, *BELOW)
            os.rename(s.path('spool/user/u1/lists'), s.path('spool/user/u1/moved'))
            out = s.run('reconstruct', '-f', '-n', 'user.u1')
            self.assertEqual(discovered(out), [n.replace('lists', 'moved') for n in BELOW])
            self.assertEqual(out.count('its header names another mailbox; the directory decides'), 3 if s.level == '3.6' else 0,
                             out)
        self.each(by_name, KINDS[:2])

        def by_id(s):
            where = s.dir(BELOW[0])
            drop(s, *BELOW)
            os.rename(where, where[:-1] + ('x' if where[-1] != 'x' else 'y'))          # another id than the header's
            out = s.run('reconstruct', '-f', '-n', 'user.u1')
            self.assertEqual(sorted(discovered(out)), BELOW, out)
            self.assertEqual(out.count('its header names another mailbox; the directory decides'), 1, out)
        self.each(by_id, KINDS[2:])

    def test_two_with_one_unique_id(self):
        def both_lost(s):
            copy(s, 'copy')
            drop(s, BELOW[1])
            out = s.run('reconstruct', '-f', 'user.u1')
            self.assertEqual(discovered(out), [])
            self.assertEqual(out.count('a second directory for one mailbox, left out'), 2, out)
            self.assertNotIn(BELOW[1], listed(s))
        self.each(both_lost, KINDS[:2])

        def one_listed(s):
            copy(s, 'copy')      # comes before "lists"
            copy(s, 'more')
            out = s.run('reconstruct', '-f', 'user.u1')
            self.assertEqual(discovered(out), [])
            self.assertEqual(listed(s), set(NAMES))
            words = ('is a copy of a listed mailbox, left out: user.u1.lists.one' if s.level == '3.6'
                     else 'a second directory for one mailbox, left out')
            self.assertIn('user/u1/copy: ' + words, out)
            self.assertIn('user/u1/more: a second directory for one mailbox, left out', out)
        self.each(one_listed, KINDS[:2])

        def by_id(s):                                                                 # one name, two ids
            where, parent = s.dir(BELOW[1]), s.dir(BELOW[1])
            drop(s, BELOW[1])
            other = s.path('spool/uuid/z/z/zz' + os.path.basename(where)[2:])
            os.makedirs(os.path.dirname(other), exist_ok=True)
            shutil.copytree(parent, other)
            out = s.run('reconstruct', '-f', 'user.u1')
            self.assertEqual(discovered(out), [], out)
            self.assertEqual(out.count('a second directory for one mailbox, left out'), 2, out)
        self.each(by_id, KINDS[2:])

    def test_names(self):
        names = [b'a\nb', b'caf\xc3\xa9', b'x\xff', b'&AGE-', b'&', b'&A', b'x.y', b'x' * 255, b'y' * 251, b'tab\t', b'\x7f',
                 b'100%', b'a*']
        good = {'2.5': 0, '3.6': 1}                                                   # 3.6 allows a*

        def test(s):
            n = len(s.run('reconstruct', '-f').splitlines())
            for name in names:
                to = os.path.join(os.fsencode(s.path('spool/user/u1')), name)
                shutil.copytree(os.fsencode(s.path('spool/user/u1/Sent')), to)
                header = os.path.join(to, b'cyrus.header')
                with open(header, 'rb') as f:
                    text = f.read()
                id = s.run('mbexamine', 'user.u1.Sent').split('Unique ID: ')[1].split()[0].encode()
                with open(header, 'wb') as f:
                    f.write(text.replace(id, os.urandom(4).hex().encode() + id[8:]))
            out = s.run('reconstruct', '-f')
            self.assertEqual(len(discovered(out)), good[s.level], out)
            self.assertEqual(len(listed(s)), len(NAMES) + good[s.level])
            self.assertIn('a\\012b: ', out)
            self.assertEqual(len([x for x in out.splitlines() if x.startswith('reconstruct: ')
                                  and x.endswith('no mailbox name, left out')
                                  or 'stands for no mailbox name, left out: ' in x]), len(names) - good[s.level], out)
            # 3.6: and the sum of the header
            self.assertEqual(len([x for x in out.splitlines() if not x.startswith(('reconstruct: ', 'discovered '))]),
                             n + 2 * good[s.level])
        self.each(test, KINDS[:2])

    def test_what_a_deletion_left_stays_dead(self):
        def test(s):
            shutil.copytree(s.path('spool/user/u1/lists/one'), s.path('kept'))
            name = BELOW[1]
            index = s.path('spool/user/u1/lists/one/cyrus.index')
            drop(s, name)
            with open(index, 'r+b') as f:                                             # the mark in the options, and the sum
                import struct, zlib
                data = bytearray(f.read())
                minor = struct.unpack('>I', data[8:12])[0]
                at, crc = (60, 124) if minor <= 18 else (64, 156)
                options = struct.unpack('>I', data[at:at + 4])[0]
                data[at:at + 4] = struct.pack('>I', options | 1 << 31)
                size = struct.unpack('>I', data[12:16])[0]
                data[size - 4:size] = struct.pack('>I', zlib.crc32(data[:size - 4]))
                f.seek(0)
                f.write(data)
            out = s.run('reconstruct', '-f', 'user.u1')
            self.assertNotIn(f'discovered {name}', out)
            self.assertIn('is what a deletion or renaming has left, left out: ' + name, out)
        self.each(test, KINDS[:1])

    def test_leftovers_go_when_told(self):
        """A partition that was left, and a copy under another name; not if there is a message that the listed mailbox never
        had."""
        def test(s):
            drop(s, NAMES[0])
            # the list has its id now, by name in 2.5 too
            s.run('reconstruct', '-f', '-q')
            os.makedirs(s.path('other'))
            with open(s.path('imapd.conf'), 'a') as f:
                f.write(f'partition-other: {s.path("other")}\n')
            home = s.dir(NAMES[0])
            left = s.path('other/' + os.path.relpath(home, s.path('spool')))
            for extra in (True, False):
                for name in os.listdir(home):
                    if os.path.isfile(os.path.join(home, name)):
                        os.makedirs(left, exist_ok=True)
                        shutil.copy(os.path.join(home, name), left)
                if extra:
                    with open(os.path.join(left, '3.'), 'w') as f:
                        f.write('a message nobody else has')
                else:
                    with open(os.path.join(left, '2.'), 'r+') as f:                   # torn
                        f.truncate(20)
                before = sorted(os.listdir(home))
                for args, gone in ((('-n', '-O'), False), ((), False), (('-O',), not extra)):
                    out = s.run('reconstruct', '-f', *args, NAMES[0])
                    self.assertEqual(discovered(out), [])
                    self.assertIn(left + ': ', out)
                    self.assertEqual(os.path.exists(left), not gone, out)
                    if not extra:
                        self.assertIn('is a copy of a listed mailbox, ' + ('removed' if gone else 'left out'), out)
                self.assertEqual(sorted(os.listdir(home)), before)
                shutil.rmtree(left, ignore_errors=True)
            self.assertEqual(s.run('reconstruct', '-q'), '')
        self.each(test)

    def test_links_lead_nowhere(self):
        def test(s):
            shutil.copytree(s.dir('user.u0.Sent'), s.path('outside'))
            drop(s, *BELOW)
            os.symlink(s.path('outside'), s.path('spool/user/u1/out'))
            os.symlink('.', s.path('spool/user/u1/again'))
            os.makedirs(s.path('spool/user/u1/half'))
            os.symlink(s.path('outside/cyrus.header'), s.path('spool/user/u1/half/cyrus.header'))
            self.assertEqual(discovered(s.run('reconstruct', '-f', '-o', 'user.u1')), BELOW)
            self.assertEqual(len(s.odd('symbolic link, not followed')), 3, s.log)      # each once
        self.each(test, KINDS[:2])

    def test_a_directory_that_cannot_be_read(self):
        def test(s):
            drop(s, *BELOW)
            if os.geteuid() == 0:                            # whom nothing stops: the tools become somebody else
                who = pwd.getpwnam('nobody')
                s.env.update(CYRUS_USER='nobody', CYRUS_GROUP=grp.getgrgid(who.pw_gid).gr_name)
                subprocess.run(['chown', '-R', f'{who.pw_uid}:{who.pw_gid}', s.root], check=True)
            os.chmod(s.path('spool/user/u1/lists'), 0)
            out = s.run('reconstruct', '-f', 'user.u1', want=75)
            os.chmod(s.path('spool/user/u1/lists'), 0o755)
            self.assertIn('1 places could not be looked at', out)
        self.each(test, KINDS[:1])


class Purge(unittest.TestCase):
    """The messages: dated 1 January 2024, flagged and deleted ones among them none."""

    def setUp(self):
        self.stores = [Store('2.5'), Store('3.6', True)]
        for s in self.stores:
            self.addCleanup(s.close)

    def sums(self, s, *args):
        out = s.run('ipurge', *args)
        return out, [int(x.split('\t\t ')[1]) for x in out.splitlines() if '\t\t ' in x]

    def test_forms(self):
        for s in self.stores:
            out, sums = self.sums(s, '-f', '-n', '-d', '30', 'user.u0.Sent')
            size = sum(len(MESSAGE % f'user.u0.Sent {n}') for n in (1, 2))
            self.assertEqual(sums, [2, size, 2, size, 0, 0])
            first = 'Working on user.u0.Sent...\n' if s.level == '2.5' else ''
            self.assertTrue(out.startswith(first + 'UID: 1\n\tSize: '), out)
            self.assertIn('\tFrom: <a@example.org>\n\tTo  : \n\tCc  : \n\tBcc : \n\tSubj: "user.u0.Sent 1"\n\nUID: 2', out)
            self.assertIn(('total' if s.level == '2.5' else 'Total') + ' messages    \t\t 2\n', out)
            self.assertEqual(self.sums(s, '-d', '30')[0], '')                            # all are users'
            self.assertEqual(s.run('ipurge', '-f', '-v', '-M', '-n', '-d', '30', 'user.u0.*'), '')
            for bad in ((), ('-z', '-d', '3'), ('-f',)):
                self.assertIn('usage: ipurge', s.run('ipurge', *bad))
            for bad in (('-d', 'x'), ('-d', ''), ('-d', '-3'), ('-b', '1k'), ('-m', '99999999999999999999')):
                self.assertIn('not a number', s.run('ipurge', *bad, want=64))

    def test_which(self):
        rows = ((('-d', '100000'), 0), (('-d', '30'), 2), (('-d', '30', '-i'), 0), (('-X', '-d', '1'), 0),
                (('-X', '-i', '-d', '1'), 2), (('-b', '1'), 2),
                (('-b', '100000'), 0), (('-k', '1'), 0), (('-k', '1', '-i'), 2), (('-m', '1'), 0), (('-x', '-X', '-d', '0'), 2),
                (('-x', '-d', '0'), 0),
                (('-x', '-i', '-d', '0'), 2), (('-o', '-d', '30'), 0), (('-s', '-d', '30'), 2), (('-d', '100000', '-b', '1'), 0),
                (('-b', '1', '-d', '100000'), 2))
        for s in self.stores:
            size = len(MESSAGE % 'user.u0.Sent 1')
            for args, n in (*rows, (('-x', '-b', str(size)), 2), (('-b', str(size)), 0), (('-b', str(size - 1)), 2)):
                self.assertEqual(self.sums(s, '-f', '-n', *args, 'user.u0.Sent')[1][2], n, args)

    def test_it_is_done(self):
        for s in self.stores:
            self.assertEqual(self.sums(s, '-f', '-d', '30', 'user.u0.*')[1],
                             [2, 2 * len(MESSAGE % 'user.u0.Sent 1'), 2, 2 * len(MESSAGE % 'user.u0.Sent 1'), 0, 0]
                             + [int(x) for b in BOXES[2:] for m in [2 * len(MESSAGE % f'user.u0{b} 1')] for x
                                in (2, m, 2, m, 0, 0)])
            self.assertEqual(self.sums(s, '-f', '-d', '30', 'user.u0.Sent')[1], [0] * 6)
            self.assertEqual(self.sums(s, '-f', '-n', '-d', '30', 'user.u0')[1][2], 2)
            self.assertEqual(s.run('quota', '-f', '-q'), '')
            self.assertEqual(s.run('reconstruct', '-q', '-r', 'user.u0'), '')

    def test_cyr_df(self):
        for s in self.stores:
            lines = s.run('cyr_df').splitlines()
            self.assertEqual(lines[0], 'Partition       1k-blocks         Used    Available Use% Location')
            name, blocks, used, free, percent, where = lines[1].split()
            self.assertEqual((name, where, percent[-1]), ('default', s.path('spool'), '%'))
            v = os.statvfs(s.path('spool'))
            self.assertEqual(int(blocks), v.f_blocks * v.f_frsize // 1024)
            self.assertEqual(len(s.run('cyr_df', '-m').splitlines()), 1)
            self.assertIn('usage', s.run('cyr_df', '-x', want=64))
            with open(s.path('imapd.conf'), 'a') as f:
                f.write(f'partition-gone: {s.path("nowhere")}\nmetapartition-default: {s.path("conf")}\n')
            self.assertIn('No such file', s.run('cyr_df', want=75))
            self.assertEqual(s.run('cyr_df', '-m').splitlines()[1].split()[0], 'default')


if __name__ == '__main__':
    unittest.main()
