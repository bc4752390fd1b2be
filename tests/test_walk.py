#!/usr/bin/env python3
"""The tools over a spool full of links into /sys, circles and worse: the same answers and the same system calls as without them,
and a line in the log for each. What one walk does is tested in cunit/store/walk; this is about those who use it."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from instance import BUILD, program

SYSLOG = os.path.join(BUILD, 'tests', 'syslog_file.so')
USERS, BOXES = 5, ('', '.Sent', '.lists', '.lists.one', '.lists.one.deep')
NAMES = [f'user.u{n}{box}' for n in range(USERS) for box in BOXES]
MESSAGE = 'From: a@example.org\r\nSubject: %s\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nbody\r\n'
FAULTS = 'detect_leaks=0:verify_asan_link_order=0'


class Store:
    """Mailboxes with two messages each and a quota root for each user, made by the tools alone."""

    def __init__(self, level, by_id=False):
        self.root = tempfile.mkdtemp(prefix='walk-')
        self.level, self.by_id = level, by_id
        me = subprocess.run(['id', '-un'], capture_output=True, text=True).stdout.strip()
        group = subprocess.run(['id', '-gn'], capture_output=True, text=True).stdout.strip()
        self.env = dict(os.environ, CYRUS_USER=me, CYRUS_GROUP=group, TZ='UTC', ASAN_OPTIONS=FAULTS)
        self.env.pop('CYRUS_PREFIX', None)
        for d in ('conf/quota/u', 'spool'):
            os.makedirs(self.path(d))
        with open(self.path('imapd.conf'), 'w') as f:
            f.write(f'configdirectory: {self.path("conf")}\npartition-default: {self.path("spool")}\ndefaultpartition: default\n'
                    f'compatibility_level: {level}\nmailbox_legacy_dirs: {"no" if by_id else "yes"}\nquota_db: quotalegacy\n'
                    f'debug: yes\n'
                    'unixhierarchysep: no\naltnamespace: no\n')
        dump = ''.join(f'{name}\t0 default {name.split(".")[1]}\tlrswipkxtecdan\t\n' for name in NAMES)
        if by_id:
            dump = json.dumps({name: {'name': name, 'mbtype': 'e', 'partition': 'default',
                                      'acl': {name.split('.')[1]: 'lrswipkxtecdan'},
                                      'uniqueid': f'{i:02}unique'.ljust(24, 'q')} for i, name in enumerate(NAMES)})
        self.run('ctl_mboxlist', '-u', input=dump)
        self.run('reconstruct', '-q')
        for name in NAMES:
            where = self.dir(name)
            for n in (1, 2):
                with open(os.path.join(where, f'{n}.'), 'w', newline='') as f:
                    f.write(MESSAGE % f'{name} {n}')
        for n in range(USERS):
            with open(self.path(f'conf/quota/u/user.u{n}'), 'w') as f:
                f.write('0\n1000\n')
        self.run('reconstruct', '-q', '-r', 'user.*')
        self.run('quota', '-f', '-q')

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def dir(self, name):
        if self.by_id:
            return self.run('mbpath', name).strip()
        return self.path('spool/' + name.replace('.', '/'))

    def dirs(self):
        return [self.dir(name) for name in NAMES]

    def run(self, tool, *args, input=None, want=0, strace=None):
        """stdout and stderr of the tool. self.log: what it said to syslog; self.counts: the walks it made."""
        log = self.path('log')
        env = dict(self.env)
        command = [program(tool), '-C', self.path('imapd.conf'), *args]
        if strace:
            command = ['strace', '-f', '-qq', '-y', '-e', 'trace=openat,getdents64,newfstatat,fstat,statx,readlink', '-o',
                       strace] + command
        else:
            env.update(LD_PRELOAD=SYSLOG, SYSLOG_FILE=log)
            if os.path.exists(log):
                os.unlink(log)
        p = subprocess.run(command, env=env, input=input, capture_output=True, text=True, timeout=120)
        assert p.returncode == want, (tool, args, p.returncode, p.stdout, p.stderr)
        self.log = []
        if not strace and os.path.exists(log):
            with open(log, errors='replace') as f:
                self.log = f.read().splitlines()
        walks = [[int(x) for x in re.findall(r'(\d+) (?:directories|entries|links|circles|oddities|vanished|system calls)', line)]
                 for line in self.log if 'debug: spool: walked ' in line]
        self.counts = dict(zip(('dirs', 'entries', 'links', 'circles', 'odd', 'vanished', 'calls'),
                               map(sum, zip(*walks)))) if walks else {}
        return p.stdout + p.stderr

    def odd(self, words=': spool: /'):
        return [line for line in self.log if words in line and 'debug:' not in line]


TOOLS = [('reconstruct', '-r', '-o', 'user.*'), ('reconstruct', '-G', '-o'), ('quota', '-f'), ('ctl_mboxlist', '-v'),
         ('reconstruct', '-f', '-r', '-o', 'user.*'), ('ipurge', '-f', '-n', '-d', '1')]
# read no mail directory (quota: its roots, 5 links, listed once or more)
NO_WALK = ('quota', 'ipurge')


def link_everywhere(s):
    """Links into /sys and circles, in the spool and among the quota roots. Returns how many are in mailboxes, and how many in
    all."""
    for i, d in enumerate(s.dirs()):
        for target, name in (('/sys', 'sys'), ('/sys/class', '77.'), ('/proc/self', 'cyrus.squat'), ('..', 'up'), ('.', 'self'),
                             ('loop', 'loop'),
                             ('b', 'a'), ('a', 'b'), ('../../..', 'root'), (s.dir(NAMES[i - 1]), 'other'), ('1.', '9.'),
                             ('/', 'slash')):
            os.symlink(target, os.path.join(d, name))
    for target, name in (('/sys', 'spool/sys'), ('.', 'spool/self'), ('user', 'spool/again'), ('user/u0', 'spool/user/x'),
                         ('..', 'spool/user/y'),
                         ('/sys', 'conf/quota/s'), ('.', 'conf/quota/t'), ('u', 'conf/quota/v'),
                         ('/sys', 'conf/quota/u/user.sys'), ('..', 'conf/quota/u/up')):
        os.symlink(target, s.path(name))
    return 12 * len(NAMES), 12 * len(NAMES) + 5


class WalkTest(unittest.TestCase):
    def store(self, level):
        s = Store(level)
        self.addCleanup(s.close)
        return s

    def both(self, test):
        for level in ('2.5', '3.6'):
            with self.subTest(level=level):
                test(self.store(level))

    def test_links_and_circles_change_nothing(self):
        def test(s):
            answers, counts = [], []
            for linked in (False, True):
                if linked:
                    inside, everywhere = link_everywhere(s)
                for tool in TOOLS:
                    answers.append(s.run(*tool))
                    counts.append(s.counts)
                    self.assertFalse([x for x in s.log if 'IOERROR' in x or 'DBERROR' in x], tool)
            n = len(TOOLS)
            self.assertEqual(answers[:n], answers[n:])
            for tool, before, after in zip(TOOLS, counts[:n], counts[n:]):
                if tool[0] in NO_WALK:
                    self.assertEqual(after.get('dirs', 0) - before.get('dirs', 0), 0, tool)
                    continue
                links = everywhere if tool[0] == 'ctl_mboxlist' else inside + ('-f' in tool) * everywhere
                self.assertEqual(before['links'], 0, tool)
                self.assertEqual(after['links'], links, tool)
                self.assertEqual(after['entries'] - before['entries'], links, tool)
                self.assertEqual((after['dirs'], after['calls'], after['circles']), (before['dirs'], before['calls'], 0), tool)
                self.assertGreaterEqual(after['dirs'], len(NAMES), tool)
        self.both(test)

    @unittest.skipUnless(shutil.which('strace'), 'strace is not installed')
    def test_the_kernel_is_asked_the_same(self):
        def test(s):
            def traces():
                out = []
                for tool in TOOLS:
                    s.run(*tool, strace=s.path('trace'))
                    with open(s.path('trace')) as f:
                        out.append([x.split(None, 1)[1] for x in f if 'zoneinfo' not in x and '/etc/localtime' not in x])
                return out
            s.run('reconstruct', '-r', '-o', 'user.*')
            if subprocess.run(['strace', '-qq', '-e', 'trace=none', 'true'], capture_output=True).returncode:
                self.skipTest('strace may not trace')
            before = traces()
            link_everywhere(s)
            after = traces()
            for tool, a, b in zip(TOOLS, before, after):
                self.assertEqual(len(a), len(b), tool)
                outside = [x for x in b if re.search(r'[<"]/(sys|proc)\b', x)]
                self.assertEqual(outside, [x for x in a if re.search(r'[<"]/(sys|proc)\b', x)], tool)
        self.both(test)

    def test_each_oddity_is_a_line_in_the_log(self):
        def test(s):
            for name, target in (('spool/sys', '/sys'), ('spool/user/u0/up', '..'), ('spool/user/u0/Sent/self', '.')):
                os.symlink(target, s.path(name))
            os.mkfifo(s.path('spool/user/u0/5.'))
            s.run('ctl_mboxlist', '-v')
            self.assertEqual(len(s.odd('symbolic link, not followed')), 3, s.log)
            self.assertEqual(len(s.odd(s.path('spool/sys') + ': symbolic link, not followed')), 1, s.log)
            self.assertEqual(len(s.odd(s.path('spool/user/u0/5.') + ': neither file nor directory, not opened')), 1, s.log)
            self.assertEqual(len(s.odd()), 4, s.log)
            s.run('reconstruct', '-o')
            self.assertEqual(len(s.odd()), 3, s.log)                # spool/sys is in no mailbox
            os.symlink('/sys', s.path('conf/quota/u/user.sys'))
            os.symlink('.', s.path('conf/quota/v'))
            s.run('quota')
            self.assertEqual(len(s.odd(': quota roots: ' + s.path('conf/quota/'))), 2, s.log)
            for n in range(200):
                os.symlink('/sys', s.path(f'spool/user/u1/l{n}'))
            for tool in (('ctl_mboxlist', '-v'), ('reconstruct', '-o')):
                s.run(*tool)
                self.assertEqual(len(s.odd()), 50, tool)
                self.assertEqual(len(s.odd('more oddities were not logged')), 1, tool)
        self.both(test)

    def test_a_name_is_no_line_of_its_own(self):
        s = self.store('2.5')
        os.symlink('/sys', s.path('spool/x\nimapd[1] err: forged'))
        s.run('ctl_mboxlist', '-v')
        self.assertFalse([x for x in s.log if x.startswith('imapd[1]')])
        self.assertEqual(len(s.odd('x\\012imapd[1] err: forged: symbolic link')), 1)

    def test_odd_files_go_and_what_they_point_to_stays(self):
        def test(s):
            os.makedirs(s.path('outside/in'))
            for name in ('outside/1.', 'outside/in/2.'):
                open(s.path(name), 'w').close()
            before = sorted(os.listdir(s.dir(NAMES[0])))
            for target, name in (('../../../outside', 'x'), ('../../../outside/1.', '7.'), ('/sys', '8.'), ('.', 'self')):
                os.symlink(target, os.path.join(s.dir(NAMES[0]), name))
            os.mkfifo(os.path.join(s.dir(NAMES[0]), '9.'))
            out = s.run('reconstruct', '-O')
            self.assertEqual(out.count(' odd file '), 5, out)
            self.assertEqual(sorted(os.listdir(s.dir(NAMES[0]))), before)
            self.assertEqual(sorted(os.listdir(s.path('outside'))), ['1.', 'in'])
            self.assertEqual(os.listdir(s.path('outside/in')), ['2.'])
        self.both(test)

    def test_a_mailbox_that_is_a_link_is_refused(self):
        def test(s):
            os.rename(s.dir('user.u1.lists'), s.path('elsewhere'))
            os.symlink(s.path('elsewhere'), s.dir('user.u1.lists'))
            out = s.run('reconstruct', '-r', 'user.u1', want=75)
            self.assertIn('user.u1.lists: System I/O error', out)
            self.assertIn('user.u1.lists.one: System I/O error', out)       # the way to it leads through the link
            self.assertEqual(sorted(x for x in os.listdir(s.path('elsewhere')) if x[0].isdigit()), ['1.', '2.'])
            self.assertEqual(out.count('System I/O error'), 3)
            self.assertIn('user.u1.Sent\n', out)
            self.assertNotIn('not found', out)
        self.both(test)

    def test_a_partition_may_be_a_link(self):
        def test(s):
            want = [s.run(*tool) for tool in TOOLS]
            os.rename(s.path('spool'), s.path('disk2'))
            os.symlink('disk2', s.path('spool'))
            self.assertEqual([s.run(*tool) for tool in TOOLS], want)
            self.assertEqual(s.odd(), [])
        self.both(test)


if __name__ == '__main__':
    unittest.main()
