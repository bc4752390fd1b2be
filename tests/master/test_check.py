#!/usr/bin/env python3
"""master -T: every problem of cyrus.conf and imapd.conf, one a line, and nothing else happens (doc/man/master.8).

A row is what the two files hold and the whole output wanted: C and I stand for the two paths, @dir@ for the instance."""
import os
import resource
import signal
import socket
import subprocess
import unittest

from test_master import BUILD, ECHO_CONF, PATIENCE, Instance

HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
ROOT = os.geteuid() == 0

# (name, cyrus.conf, what imapd.conf holds besides configdirectory and two more lines, output wanted)
ROWS = [
    ("nothing wrong", ECHO_CONF % ("", "prefork=1 maxchild=3"), "", []),
    ("empty files", "", "", []),
    ("every syntax error", 'SERVICES {\n a-b cmd=x\n a cmd="@echo@\n b cmd =x\n b listen=x\n b cmd="@echo@"\n c cmd\n}\n'
     'DAEMON {\n b cmd="@echo@"\n d wait=y\n}\n', "",
     ["C:2: error: bad character '-' in name", 'C:3: error: missing "', "C:4: error: bad character ' ' in argument",
      "C:5: error: SERVICES entry b: no cmd", "C:6: error: SERVICES entry b: no listen address",
      "C:6: error: SERVICES entry b: name used before", 'C:7: error: missing "=" behind "cmd"',
      "C:10: error: DAEMON entry b: name used before", "C:11: error: DAEMON entry d: no cmd",
      "C:5: error: service b: listen=x: *"]),
    ("programs", 'START {\n a cmd="/nonexistent/a"\n}\nSERVICES {\n b cmd="/nonexistent/b" listen="@dir@/b"\n'
     ' c cmd="@dir@/imapd.conf" listen="@dir@/c"\n d cmd="@dir@" listen="@dir@/d"\n}\nEVENTS {\n'
     ' e cmd="/nonexistent/e" period=5\n}\n'
     'DAEMON {\n f cmd="/nonexistent/f"\n}\n', "",
     ["C:2: warning: cannot find executable for start command 'a': /nonexistent/a",
      "C:5: error: cannot find executable for service 'b': /nonexistent/b",
      "C:6: error: cannot find executable for service 'c': @dir@/imapd.conf",
      "C:7: error: cannot find executable for service 'd': @dir@",
      "C:10: warning: cannot find executable for event 'e': /nonexistent/e",
      "C:13: error: cannot find executable for daemon 'f': /nonexistent/f"]),
    ("addresses", 'SERVICES {\n a cmd="@echo@" listen="65001" proto=tpc\n b cmd="@echo@" listen="[::1"\n'
     ' c cmd="@echo@" listen="h:"\n'
     ' d cmd="@echo@" listen="no-such-service"\n e cmd="@echo@" listen="host.invalid:65001"\n f cmd="@echo@" listen="@dir@/%s"\n'
     ' g cmd="@echo@" listen="@dir@/none/s"\n h cmd="@echo@" listen="@dir@/imapd.conf/s"\n'
     ' i cmd="@echo@" listen="@dir@/i" proto=tcp6\n'
     ' j cmd="@echo@" listen="@dir@/j" proto=odd\n k cmd="@echo@" listen="@dir@/socket"\n'
     ' l cmd="@echo@" listen="@dir@/imapd.conf"\n'
     ' m cmd="@echo@" listen="[127.0.0.1]"\n n cmd="@echo@" listen="@dir@/n" proto=udp prefork=2\n}\n' % ("x" * 108), "",
     ["C:2: error: invalid proto 'tpc', disabling a", "C:3: error: invalid listen '[::1', disabling b",
      "C:4: error: invalid listen 'h:', disabling c", "C:5: error: service d: listen=no-such-service: *",
      "C:6: error: service e: listen=host.invalid:65001: *",
      "C:7: error: service f: path too long (*", "C:8: error: service g: socket directory @dir@/none: No such file or directory",
      "C:9: error: service h: socket directory @dir@/imapd.conf: Not a directory",
      "C:10: error: service i: proto=tcp6 makes a UNIX socket that cannot listen, use tcp",
      "C:11: warning: service j: proto=odd is taken for a datagram socket",
      "C:12: error: service k: @dir@/socket is a directory",
      "C:13: warning: service l: @dir@/imapd.conf is no socket, and would be removed",
      "C:14: warning: service m: listen=[127.0.0.1] has no port: the kernel picks one",
      "C:15: warning: service n: a datagram socket has one worker at most"]),
    ("two at one address", 'SERVICES {\n a cmd="@echo@" listen="127.0.0.1:65001"\n b cmd="@echo@" listen="[127.0.0.1]:65001"\n'
     ' c cmd="@echo@" listen="65001" proto=tcp4\n d cmd="@echo@" listen="127.0.0.2:65001"\n e cmd="@echo@" listen="@dir@/s"\n'
     ' f cmd="@echo@" listen="@dir@//s"\n g cmd="@echo@" listen="65001" proto=udp4\n h cmd="@echo@" listen="127.0.0.1:65001" '
     'proto=udp4\n'
     ' i cmd="@echo@" listen="65002" proto=tcp4\n j cmd="@echo@" listen="127.0.0.1:65002"\n'
     ' k cmd="@echo@" listen="*:65002" proto=tcp4\n}\n', "",
     ["C:3: error: service b: address [127.0.0.1]:65001 is taken by a in line 2",
      "C:4: error: service c: address 65001 is taken by a in line 2",
      "C:5: error: service d: address 127.0.0.2:65001 is taken by c in line 4",
      "C:7: error: service f: address @dir@//s is taken by e in line 6",
      "C:11: error: service j: address 127.0.0.1:65002 is taken by i in line 10",
      "C:12: error: service k: address *:65002 is taken by i in line 10"]),
    ("numbers and times", 'SERVICES {\n a cmd="@echo@" listen="@dir@/a" prefork=4 maxchild=3\n'
     ' b cmd="@echo@" listen="@dir@/b" prefork=-1 maxchild=0 maxforkrate=-1 maxfds=-1\n'
     ' c cmd="@echo@" listen="@dir@/c" prefork=1x maxchild=many babysit=maybe new=1 listen=twice period=3\n}\n'
     'EVENTS {\n a cmd="@echo@" at=2400\n b cmd="@echo@" cron="* * * *"\n c cmd="@echo@" cron="* * * * *" at=0400\n'
     ' d cmd="@echo@"\n e cmd="@echo@" period=-5\n f cmd="@echo@" at=0000 period=3\n}\n', "",
     ["C:2: warning: prefork=4 is more than maxchild=3, which wins", "C:3: warning: prefork=-1 counts as 0",
      "C:3: note: maxchild=0: no worker will ever be started", "C:3: warning: maxforkrate=-1 counts as 0",
      "C:4: warning: prefork=1x is read as 1", "C:4: warning: maxchild=many is no number",
      "C:4: warning: babysit=maybe is no switch",
      "C:4: warning: unknown key new is ignored", "C:4: warning: key listen is here before: this one is ignored",
      "C:4: warning: key period means nothing in SERVICES and is ignored",
      "C:7: error: at=2400 is no time of the day",
      "C:7: note: event a has no time: it runs once at start-up and after each reload",
      'C:8: error: event b: unreadable cron="* * * *"', "C:9: warning: event c: cron wins, the other times are ignored",
      "C:10: note: event d has no time: it runs once at start-up and after each reload", "C:11: warning: period=-5 counts as 0",
      "C:11: note: event e has no time: it runs once at start-up and after each reload",
      "C:12: warning: event f: at wins, the other times are ignored"]),
    ("sections", "start {\n}\nSTART {\n}\nSTART {\n}\nDAEMON { }\nlost\nEVENTS {\n", "",
     ["C:1: warning: section START is ignored: its name must begin with a capital",
      "C:5: warning: second section START is ignored",
      'C:7: warning: section DAEMON is ignored: one "{" must end its first line',
      "C:8: warning: this is outside of the sections START, SERVICES, EVENTS and DAEMON and is ignored",
      'C:9: warning: the "{" of this line is not closed: sections behind it are not found']),
    ("every bad option", "",
     "no colon\nmaxword: x\n@include: /nonexistent/c\n@include: @dir@/imapd.conf\nfulldirhash: perhaps\nadmins:\n"
     "typo: 1\npopminpoll: 3\ntls_cert_file: /c\nadmins: a\nadmins: b\n",
     ["I:4: error: invalid option name on line 4 of configuration file I", "I:5: error: non-integer value for maxword in line 5",
      "I:6: error: can't open configuration file /nonexistent/c: No such file or directory",
      "I:7: error: configuration file I included twice", "I:8: error: non-switch value for fulldirhash in line 8",
      "I:9: error: empty option value on line 9 of configuration file", "I:10: warning: unknown option typo: nobody reads it",
      "I:11: note: option popminpoll has no effect in this version",
      "I:12: warning: Option 'tls_cert_file' is deprecated in favor of 'tls_server_cert' since version 2.5.0.",
      "I:14: error: option 'admins' was specified twice in config file (second occurrence on line 14)"]),
    ("what one service reads", 'SERVICES {\n imap cmd="@dir@/bin/imapd -C @dir@/imapd.conf" listen="@dir@/a"\n'
     ' other cmd="@dir@/bin/imapd -C @dir@/other.conf -T60" listen="@dir@/b"\n'
     ' third cmd="@dir@/bin/imapd -C @dir@/none.conf" listen="@dir@/c"\n}\n',
     "imap_maxword: x\nother_maxword: x\nodd_maxword: x\nimap_typo: 1\npartition-a: @dir@\npartition-b: @dir@/nospool\n",
     ["C:3: error: service other: options and arguments MUST be separated by whitespace: -T60",
      "I:4: error: non-integer value for maxword in line 4", "I:6: warning: unknown option odd_maxword: nobody reads it",
      "I:7: warning: unknown option imap_typo: nobody reads it",
      "I:9: warning: partition-b: @dir@/nospool: No such file or directory",
      "@dir@/other.conf:0: error: partition-<name> option not specified in configuration file",
      "@dir@/other.conf:1: warning: configdirectory: /nonexistent: No such file or directory",
      "@dir@/none.conf:0: error: can't open configuration file @dir@/none.conf: No such file or directory"]),
    ("no partition, no account", 'SERVICES {\n imap cmd="@dir@/bin/imapd -C @dir@/imapd.conf" listen="@dir@/a"\n}\n',
     "cyrus_group: no such group\n",
     ["I:0: error: partition-<name> option not specified in configuration file",
      "I:4: error: no entry in group database for no such group"]),
]


class CheckTest(unittest.TestCase):
    maxDiff = None

    def instance(self, cyrus, imapd="", options=("-T",)):
        i = Instance(cyrus, options, imapd)
        self.addCleanup(i.close)
        i.path("bin", make=True)
        os.symlink(os.path.join(BUILD, "echo_service"), i.path("bin/imapd"))
        with open(i.path("other.conf"), "w") as f:
            f.write("configdirectory: /nonexistent\n")
        with open(i.path("imapd.conf")) as f:
            text = f.read()
        with open(i.path("imapd.conf"), "w") as f:
            f.write(text.replace("@dir@", i.dir))
        return i

    def problems(self, i):
        r = i.run()
        lines = r.stdout.decode().splitlines()
        for short, name in (("C:", "cyrus.conf"), ("I:", "imapd.conf")):
            long = i.path(name) + ":"
            lines = [short + line[len(long):] if line.startswith(long) else line for line in lines]
        return r.returncode, lines

    def test_rows(self):
        for name, cyrus, imapd, want in ROWS:
            with self.subTest(name):
                i = self.instance(cyrus, imapd)
                before = sorted(os.listdir(i.dir))
                code, got = self.problems(i)
                want = [w.replace("@dir@", i.dir) for w in want]
                want = [w.replace("file I included", "file %s included" % i.path("imapd.conf")) for w in want]
                want = [w[:-1] + i.path("imapd.conf") if w.endswith("configuration file I") else w for w in want]
                cut = [w[:-1] for w in want if w.endswith("*")]
                got_cut = [next((c + "*" for c in cut if g.startswith(c)), g) for g in got]
                self.assertCountEqual(got_cut, want)
                self.assertEqual(code, 78 if any(": error: " in w for w in want) else 0)
                self.assertEqual(sorted(os.listdir(i.dir)), before, "nothing is made or removed")

    def test_order_is_by_line(self):
        _, got = self.problems(self.instance("EVENTS {\n b cmd=x at=9\n c-d\n}\nSTART {\n x cmd=\"\n}\n"))
        lines = [int(g.split(":")[1]) for g in got if g.startswith("C:")]
        self.assertEqual(lines, sorted(lines))
        self.assertIn(6, lines)

    def test_missing_files(self):
        i = self.instance("")
        os.unlink(i.path("cyrus.conf"))
        os.unlink(i.path("imapd.conf"))
        code, got = self.problems(i)
        self.assertEqual(code, 78)
        self.assertEqual(got, ["C:0: error: can't open configuration file %s: No such file or directory" % i.path("cyrus.conf"),
                               "I:0: error: can't open configuration file %s: No such file or directory" % i.path("imapd.conf")])

    def test_one_line_for_a_problem(self):
        i = self.instance("SERVICES {\n a cmd=\"@echo@\" listen=\"@dir@/\x01\x1b[2J/s\"\n}\n")
        code, got = self.problems(i)
        self.assertEqual(code, 78)
        self.assertEqual(len(got), 1)
        self.assertNotIn("\x1b", got[0])

    @unittest.skipIf(HARD in (resource.RLIM_INFINITY,) or HARD >= 10 ** 9, "no hard limit to exceed")
    def test_fd_limit(self):
        code, got = self.problems(self.instance('DAEMON {\n a cmd="@echo@" maxfds=%d\n}\n' % (HARD + 1)))
        self.assertEqual((code, got), (0, ["C:2: warning: maxfds=%d is above the hard limit, here %d, which wins"
                                           % (HARD + 1, HARD)]))

    @unittest.skipUnless(ROOT, "needs two users")
    def test_privileged_port_is_noted(self):
        i = self.instance('SERVICES {\n a cmd="/bin/true" listen="127.0.0.1:1"\n}\n')
        self.assertEqual(self.problems(i), (0, []))
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
            free = int(f.read())
        os.chmod(i.dir, 0o755)
        r = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups"] + i.command(), env=i.environment(),
                           stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=PATIENCE)
        if b"master" in r.stdout and b"denied" in r.stdout:
            self.skipTest("the build cannot be reached by another user")
        want = "%s:2: note: service a: port 1 is for a master started as root\n" % i.path("cyrus.conf") if free > 1 else ""
        self.assertEqual((r.returncode, r.stdout.decode()), (0, want))

    def test_programs_without_an_option_of_their_own_read_the_built_in_file(self):
        i = self.instance('START {\n a cmd="no_such_tool -r"\n}\n')
        _, got = self.problems(i)
        said = [g for g in got if g.startswith("C:2: warning: a has no -C and reads /")]
        self.assertEqual(len(said), 1)
        built_in = said[0].split(" reads ")[1].split(",")[0]
        r = subprocess.run([i.command()[0], "-T", "-C", built_in, "-M", i.path("cyrus.conf")], env=i.environment(),
                           stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertNotIn(b"has no -C", r.stdout)

    def test_while_a_master_runs(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1"), options=()).start()
        s = m.connect()
        with open(m.path("pid")) as f:
            pid = f.read()
        r = subprocess.run(m.command() + ["-T"], env=m.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=PATIENCE)
        self.assertEqual((r.returncode, r.stdout), (0, b""))
        with open(m.path("pid")) as f:
            self.assertEqual(f.read(), pid)
        s.sendall(b"")
        t = socket.socket(socket.AF_UNIX)
        t.connect(m.path("s"))
        t.close()
        s.close()
        self.assertEqual(m.stop(signal.SIGTERM), 0)

    def test_start_up_still_stops_at_the_first_error(self):
        i = self.instance('START {\n a cmd="x\n b-c\n}\n', options=["-D"])
        self.assertEqual(i.run().returncode, 78)


if __name__ == "__main__":
    unittest.main()
