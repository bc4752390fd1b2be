#!/usr/bin/env python3
"""master as a process in bad weather: signals by the thousand, crashes, floods, no processes left (spec/master.md 22.8; the
letters are its invariants and recipes). $STORM_SECONDS is how long a storm lasts, 5 unless said; `make check-slow` says 60, and
then R2 is run too."""
import os
import pwd
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

from test_master import BUILD, ECHO_CONF, Instance, PATIENCE, hello, info, until

SECONDS = int(os.environ.get("STORM_SECONDS", "5"))
WORKER = os.path.join(BUILD, "bench_worker")
CLIENTS = os.path.join(BUILD, "bench_clients")
INTERRUPT = os.path.join(BUILD, "tests", "interrupt.so")


class Storm:
    """Signals to master, `rate` a second, from a thread, until the end of the with statement."""

    def __init__(self, m, rate, signals, slow=()):
        self.m, self.rate, self.signals, self.slow = m, rate, signals, slow
        self.over, self.sent = threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        began = time.monotonic()
        pid, n, seconds = self.m.process.pid, len(self.signals), 0
        while not self.over.is_set():
            elapsed = time.monotonic() - began
            if int(elapsed) > seconds:
                seconds = int(elapsed)
                for f in self.slow:
                    f()
            while self.sent < elapsed * self.rate:
                os.kill(pid, self.signals[self.sent % n])
                self.sent += 1
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *a):
        self.over.set()
        self.thread.join()


def clients(m, where, count, at_once, seconds=None):
    """Served, refused, lost, and the slowest banner in ms."""
    out = subprocess.run([CLIENTS, "127.0.0.1", str(where), str(count), str(at_once)] + ([str(seconds)] if seconds else []),
                         stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return int(out[0]), int(out[2]), int(out[3]), int(out[6]) / 1000


def settled(m, service):
    """I6: what master counts is what there is."""
    def same():
        status, table = info(m)
        if status:
            return None
        row = table[service]
        living = m.children()
        return row if int(row["active"]) == len(living) and int(row["ready"]) == len(living) else None
    return until("I6: active and ready are the living children", same)


class StormTest(unittest.TestCase):
    def instance(self, conf, **kw):
        i = Instance(conf.replace("@worker@", WORKER), **kw)
        self.addCleanup(i.close)
        return i

    def test_I2_I3_I6_storm_of_signals(self):
        m = self.instance('SERVICES {\n s cmd="@worker@ 1" listen="@dir@/s"\n e cmd="@echo@ -C @conf@" listen="@dir@/e" '
                          'prefork=2\n}\n').start()
        m.connect("s").close()
        with Storm(m, 10000, [signal.SIGCHLD, signal.SIGALRM], [lambda: m.send(signal.SIGHUP)]) as storm:
            served, refused, lost, slowest = clients(m, m.path("s"), 10 ** 6, 4, SECONDS)
            hello(m.connect("e"))
        print("%d signals, %d clients, slowest banner %.0f ms ... " % (storm.sent, served, slowest), end="")
        self.assertEqual((refused, lost), (0, 0))
        self.assertGreater(served, 10 * SECONDS)
        self.assertGreater(storm.sent, 5000 * SECONDS)
        status, table = until("quiet", lambda: info(m))
        self.assertEqual(status, 0)
        until("no one-shot worker is left, or one that waits",
              lambda: info(m)[1]["s/unix"]["active"] == info(m)[1]["s/unix"]["ready"])
        row = info(m)[1]["s/unix"]
        self.assertEqual(row["failures"], "0")
        self.assertGreaterEqual(int(row["clients"]), served)
        self.assertEqual(len(m.children()), int(row["active"]) + int(info(m)[1]["e/unix"]["active"]))
        self.assertEqual(m.stop(), 0)

    def test_I1_R1_every_wait_interrupted(self):
        for k in (-1, 1, 5, 6, 100):
            with self.subTest(k=k):
                m = self.instance(ECHO_CONF % ("", ""))
                environment = m.environment()
                environment["LD_PRELOAD"] += " " + INTERRUPT
                environment["INTERRUPT_SWITCH"] = m.path("switch")
                m.environment = lambda e=environment: e
                m.start()
                first = m.connect()
                hello(first)
                with open(m.path("switch"), "w") as f:
                    f.write(str(k))
                m.send(signal.SIGALRM)     # out of the wait that was real
                s = m.connect()
                pid = hello(s)
                self.assertIn(pid, m.children())
                until("the interruptions are counted", lambda: self.interrupts(m))
                hello(m.connect())
                self.assertLessEqual(len(m.log("interrupted again and again")), 1, "the log is not the load")
                os.unlink(m.path("switch"))
                first.close()
                self.assertEqual(m.stop(), 0)

    def interrupts(self, m):
        p = subprocess.run([os.path.join(BUILD, "imap/tools/cyr_info"), "-C", m.path("imapd.conf"), "master"],
                           env=dict(m.environment(), LD_PRELOAD=""), stdout=subprocess.PIPE, text=True)
        found = re.search(r"interrupts retried (\d+)", p.stdout)
        return found and int(found.group(1))

    def test_I5_I10_flood_of_messages(self):
        for sig, sign in ((signal.SIGHUP, "Services reconfigured."), (signal.SIGTERM, "attempting clean shutdown")):
            m = self.instance('SERVICES {\n' + "".join(' f%d cmd="@worker@ flood" listen="@dir@/f%d" prefork=1\n' % (i, i) for i
                                                       in range(4))
                              + ' e cmd="@echo@ -C @conf@" listen="@dir@/s"\n}\n').start()
            until("the flood", lambda: info(m)[0] == 0 and int(info(m)[1]["f3/unix"]["clients"]) > 10000)
            for i in range(5):             # another service, whose every client needs a child
                hello(m.connect())
            victim = next(p for p in m.children() if "bench_worker" in open("/proc/%d/cmdline" % p).read())
            os.kill(victim, signal.SIGKILL)
            until("a dead child is noticed", lambda: m.log("pid:%d signaled to death by signal 9" % victim))
            m.send(sig)
            until(sign, lambda: m.log(sign))
            if sig == signal.SIGTERM:
                self.assertEqual(m.process.wait(PATIENCE), 0)
            else:
                hello(m.connect())
                self.assertEqual(m.stop(), 0)

    def test_I7_R5_crash_with_a_client_is_no_ready_failure(self):
        m = self.instance('SERVICES {\n s cmd="@worker@ crash" listen="@dir@/s" prefork=3\n}\n').start()
        done = 0
        while done < 1000:
            s = m.connect()
            self.assertEqual(s.recv(1), b"")
            s.close()
            done += 1
        until("all are counted", lambda: int(info(m)[1]["s/unix"]["clients"]) >= done)
        row = settled(m, "s/unix")
        self.assertEqual((row["failures"], row["disabled"], row["clients"]), ("0", "0", str(done)))
        self.assertEqual(int(row["forks"]) - done, int(row["active"]))
        self.assertEqual(m.stop(), 0)

    def test_R3_no_processes_left(self):
        """As an account of its own with six processes: clients take all, go, and the next is served."""
        if os.geteuid():
            self.skipTest("needs root, to become an account with few processes")
        account = pwd.getpwnam("games")
        m = self.instance(ECHO_CONF % (" -U 1", ""))
        environment = dict(m.environment(), CYRUS_USER="games", CYRUS_GROUP="games")
        m.environment = lambda: environment
        subprocess.run(["chown", "-R", "games", m.dir], check=True)

        def become():
            resource.setrlimit(resource.RLIMIT_NPROC, (6, 6))
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if subprocess.run(["test", "-x", WORKER], preexec_fn=become).returncode:
            self.skipTest("the account games cannot reach the programs")
        m.start(preexec_fn=become)
        held = [m.connect() for _ in range(8)]
        until("processes are used up", lambda: m.log("can't fork process to run service echo/unix"))
        for s in held:
            s.close()
        hello(m.connect())
        self.assertLess(len(m.log(" err: ")), 10)
        self.assertEqual(m.stop(), 0)

    def test_R6_one_family_fails(self):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                self.skipTest("no IPv6 here")
            port = probe.getsockname()[1]
        m = self.instance('SERVICES {\n s cmd="@dir@/service -C @conf@" listen="%d"\n}\n' % port)
        with open(m.path("service"), "w") as f:
            f.write('#!/bin/sh\n[ -e %s/fail-$CYRUS_ID ] && exit 1\nexec %s "$@"\n'
                    % (m.dir, os.path.join(BUILD, "echo_service")))
        os.chmod(m.path("service"), 0o755)
        m.start()
        family = {}
        for af, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            s = until("connect by %s" % host, lambda: self.try_connect(af, host, port))
            family[af] = int(re.search(r"/(\d+) pid", self.line(s)).group(1))
            s.close()
        open(m.path("fail-%d" % family[socket.AF_INET]), "w").close()
        def given_up():
            s = self.try_connect(socket.AF_INET, "127.0.0.1", port)
            if s:
                s.close()
            return m.log("too many failures for service s/ipv4")
        until("IPv4 is given up", given_up)
        s = until("connect by IPv6", lambda: self.try_connect(socket.AF_INET6, "::1", port))
        self.assertIn("s/%d pid" % family[socket.AF_INET6], self.line(s))
        self.assertIsNone(self.try_connect(socket.AF_INET, "127.0.0.1", port))
        self.assertEqual(m.stop(), 0)

    def try_connect(self, af, host, port):
        s = socket.socket(af)
        s.settimeout(PATIENCE)
        try:
            s.connect((host, port))
            return s
        except OSError:
            s.close()
            return None

    def line(self, s):
        text = b""
        while not text.endswith(b"\n"):
            b = s.recv(100)
            if not b:
                return ""
            text += b
        return text.decode()

    def test_I6_I8_everything_at_once(self):
        """10,000 signals a second, one worker in ten crashes, the configuration is read again every second: nobody is refused or
        lost."""
        m = self.instance('SERVICES {\n s cmd="@worker@ 50 10" listen="127.0.0.1:@port@" prefork=5 maxchild=20\n}\n').start()
        until("up", lambda: self.try_connect(socket.AF_INET, "127.0.0.1", m.port))
        most = [0]

        def sample():
            most[0] = max(most[0], len(m.children()))
        with Storm(m, 10000, [signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1], [lambda: m.send(signal.SIGHUP), sample]) as storm:
            served, refused, lost, slowest = clients(m, m.port, 10 ** 7, 10, SECONDS)
        print("%d signals, %d clients, slowest banner %.0f ms ... " % (storm.sent, served, slowest), end="")
        self.assertEqual((refused, lost), (0, 0))
        self.assertGreater(served, 100 * SECONDS)
        self.assertLessEqual(most[0], 20)
        self.assertGreaterEqual(len(m.log("Services reconfigured.")), SECONDS - 2)
        row = settled(m, "s/ipv4")
        self.assertGreaterEqual(int(row["clients"]), served)
        self.assertEqual(m.stop(), 0)

    @unittest.skipIf(SECONDS < 60, "a minute: make check-slow")
    def test_I4_R2_an_event_each_minute_in_a_storm(self):
        m = self.instance('EVENTS {\n e cmd="/bin/sh -c @dir@/event" period=1\n}\n')
        with open(m.path("event"), "w") as f:
            f.write("#!/bin/sh\ndate +%%s >> %s/ran\n" % m.dir)
        os.chmod(m.path("event"), 0o755)
        m.start()
        first = until("the first run", lambda: self.runs(m))[0]
        with Storm(m, 1600, [signal.SIGALRM]):
            time.sleep(first + 62 - time.time())
            runs = self.runs(m)
        self.assertEqual(len(runs), 2)
        self.assertLessEqual(abs(runs[1] - runs[0] - 60), 1)
        self.assertEqual(m.stop(), 0)

    def runs(self, m):
        try:
            with open(m.path("ran")) as f:
                return [int(x) for x in f]
        except FileNotFoundError:
            return []


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
