#!/usr/bin/env python3
"""master as a process: what children start with, clients, reload, shutdown, pid file (spec/master.md).

Each instance lives in a temporary directory, in a session of its own, on ports the kernel picked. Nothing here measures
time: deadlines only keep a failing test from hanging."""
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

BUILD = os.getcwd()
MASTER = os.environ.get("MASTER", os.path.join(BUILD, "master", "master"))
ECHO = os.path.join(BUILD, "echo_service")
PROBE = os.path.join(BUILD, "master_probe")
SYSLOG = os.path.join(BUILD, "tests", "syslog_file.so")
INFO = os.path.join(BUILD, "imap", "tools", "cyr_info")
PATIENCE = float(os.environ.get("PATIENCE", "60"))


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("did not happen: " + what)


class Instance:
    def __init__(self, cyrus_conf, options=(), imapd_conf=""):
        self.dir = tempfile.mkdtemp(prefix="master-test-")
        self.path("socket", make=True)
        self.process = None
        self.options = list(options)
        with socket.socket() as probe:     # @port@
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(self.path("imapd.conf"), "w") as f:
            f.write("configdirectory: %s\nprometheus_enabled: yes\nprometheus_update_freq: 1\n%s" % (self.dir, imapd_conf))
        self.write(cyrus_conf)

    def path(self, name, make=False):
        p = os.path.join(self.dir, name)
        if make:
            os.makedirs(p, exist_ok=True)
        return p

    def write(self, text):
        text = text.replace("@dir@", self.dir).replace("@echo@", ECHO).replace("@probe@", PROBE).replace("@port@", str(self.port))
        with open(self.path("cyrus.conf.new"), "w") as f:
            f.write(text.replace("@conf@", self.path("imapd.conf")))
        os.rename(self.path("cyrus.conf.new"), self.path("cyrus.conf"))     # an empty file is a valid one

    def command(self):
        return [MASTER, "-C", self.path("imapd.conf"), "-M", self.path("cyrus.conf"), "-p", self.path("pid")] + self.options

    def environment(self):
        e = dict(os.environ, CYRUS_USER=pwd.getpwuid(os.getuid()).pw_name, 
                 ASAN_OPTIONS="detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:verify_asan_link_order=0",
                 LD_PRELOAD=SYSLOG, SYSLOG_FILE=self.path("log"))
        for name in ("CYRUS_GROUP", "CYRUS_VERBOSE", "CYRUS_PREFIX", "CYRUS_SERVICE", "CYRUS_ID", "CYRUS_ISDAEMON"):
            e.pop(name, None)
        return e

    def start(self, **kw):
        self.process = subprocess.Popen(self.command(), start_new_session=True, env=self.environment(),
                                        stdin=subprocess.DEVNULL, **kw)
        return self

    def run(self):
        return subprocess.run(self.command(), start_new_session=True, env=self.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)

    def log(self, word=""):
        """The lines of the log with this word in them."""
        try:
            with open(self.path("log"), errors="replace") as f:
                return [x.rstrip("\n") for x in f if word in x]
        except FileNotFoundError:
            return []

    def send(self, sig):
        self.process.send_signal(sig)

    def children(self):
        """pid -> parent of the living processes below master."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open("/proc/%s/stat" % name) as f:
                    fields = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                found.append(int(name))
        return found

    def connect(self, name="s"):
        def attempt():
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE)
            try:
                s.connect(self.path(name))
                return s
            except OSError:
                s.close()
                return None
        return until("connect to " + name, attempt)

    def connect_once_or_none(self, name="s"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(1)
        try:
            s.connect(self.path(name))
            return s if s.recv(1) else None
        except OSError:
            return None
        finally:
            s.close()

    def run_daemon(self):
        self.options.append("-d")
        try:
            return self.run()
        finally:
            self.options.remove("-d")

    def metric(self, metric, service, family="unix"):
        want = 'cyrus_master_%s{service="%s",family="%s"}' % (metric, service, family)
        try:
            with open(self.path("stats/master.txt")) as f:
                for line in f:
                    if line.startswith(want):
                        return int(float(line.split()[1]))
        except OSError:
            pass
        return None

    def stop(self, sig=signal.SIGTERM):
        self.send(sig)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process and self.process.poll() is None:
            pids = self.children()
            self.process.kill()
            self.process.wait()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
        shutil.rmtree(self.dir, ignore_errors=True)


def line(s):
    text = b""
    while not text.endswith(b"\n"):
        b = s.recv(1)
        if not b:
            raise AssertionError("end of stream after %r" % text)
        text += b
    return text.decode().strip()


def hello(s):
    words = line(s).split()
    return int(words[words.index("pid") + 1])


def info(m):
    """The table of cyr_info master: service to column to text."""
    p = subprocess.run([INFO, "-C", m.path("imapd.conf"), "master"], env=m.environment(), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    if p.returncode:
        return p.returncode, p.stderr
    lines = [x.split() for x in p.stdout.splitlines()[1:]]
    return 0, {x[0]: dict(zip(lines[0][1:], x[1:])) for x in lines[1:]}


ECHO_CONF = 'SERVICES {\n  echo cmd="@echo@ -C @conf@%s" listen="@dir@/s" %s\n}\n'


class MasterTest(unittest.TestCase):
    def instance(self, *a, **kw):
        i = Instance(*a, **kw)
        self.addCleanup(i.close)
        return i

    def test_serves_recycles_and_stops(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1 maxchild=1")).start()
        s = m.connect()
        first = hello(s)
        s.sendall(b"hi\n")
        self.assertEqual(line(s), "hi")
        s.sendall(b"quit\n")
        self.assertEqual(s.recv(1), b"", "the client is let go after the session")
        t = m.connect()
        self.assertEqual(hello(t), first, "an idle worker takes the next client")
        m.send(signal.SIGHUP)
        t.sendall(b"still here\n")
        self.assertEqual(line(t), "still here", "a busy worker finishes its client after a reload")
        t.sendall(b"quit\n")
        until("recycled", lambda: first not in m.children())
        u = m.connect()
        self.assertNotEqual(hello(u), first)
        self.assertEqual(m.stop(), 0)
        self.assertEqual(u.recv(1), b"")

    def test_uses_end_a_worker(self):
        m = self.instance(ECHO_CONF % (" -U 2", "maxchild=1")).start()
        pids = []
        for _ in range(4):
            s = m.connect()
            pids.append(hello(s))
            s.sendall(b"quit\n")
            self.assertEqual(s.recv(1), b"")
        self.assertEqual(pids[0], pids[1])
        self.assertNotEqual(pids[1], pids[2])
        self.assertEqual(m.stop(), 0)

    def test_two_families_on_a_kernel_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        m = self.instance('SERVICES {\n echo cmd="@echo@ -C @conf@" listen="127.0.0.1:%d"\n}\n' % port).start()
        s = until("listening", lambda: try_inet(port))
        hello(s)
        s.close()
        self.assertEqual(m.stop(), 0)

    def test_I12_child_start_state(self):
        conf = ('START {\n a cmd="@probe@ @dir@/start"\n}\nSERVICES {\n b cmd="@probe@ @dir@/service stay" listen="@dir@/s" '
                'prefork=1 '
                'maxfds=99\n}\nEVENTS {\n c cmd="@probe@ @dir@/event"\n}\n'
                'DAEMON {\n d cmd="@probe@ @dir@/daemon stay"\n e cmd="@probe@ @dir@/wait ok" wait=y\n}\n')
        m = self.instance(conf).start()
        seen = {}
        for name in ("start", "service", "event", "daemon", "wait"):
            until(name, lambda: os.path.exists(m.path(name)))
            with open(m.path(name)) as f:
                seen[name] = f.read().splitlines()
        for name, lines in seen.items():
            self.assertEqual([x for x in lines if x.startswith(("blocked", "handled"))], [], name)
            self.assertEqual([int(x.split()[1]) for x in lines if x.startswith("fd ")], [0, 1, 2, 3, 4], name)
            self.assertIn("argv " + PROBE, lines)
        self.assertIn("fd 3 pipe block", seen["service"])
        self.assertIn("fd 4 socket block", seen["service"])
        self.assertIn("fd 3 pipe block", seen["wait"])
        for name in ("start", "event", "daemon"):
            self.assertIn("fd 3 char block", seen[name])
        for name in ("daemon", "service", "wait"):
            self.assertIn("env CYRUS_ID=0", seen[name])
        self.assertIn("env CYRUS_SERVICE=b", seen["service"])
        self.assertIn("nofile 99", seen["service"])
        for name in ("daemon", "wait"):
            self.assertIn("env CYRUS_ISDAEMON=1", seen[name])
        for name in ("start", "event"):
            self.assertEqual([x for x in seen[name] if x.startswith(("env CYRUS_SERVICE", "env CYRUS_ID", "env CYRUS_IS"))], [])
        self.assertIn("pgid other", seen["wait"])
        self.assertIn("pgid parent", seen["daemon"])
        self.assertEqual(m.stop(), 0)

    def test_log_lines_that_others_match(self):
        """Word for word (spec/master.md 21)."""
        conf = ECHO_CONF % ("", "") + 'EVENTS {\n e cmd="/bin/true"\n}\n'
        m = self.instance(conf, imapd_conf="debug: yes\n").start()
        s = m.connect()
        hello(s)
        s.close()
        until("idle", lambda: m.log("telling master 1"))       # a reload before that would end it without
        m.send(signal.SIGHUP)
        until("reloaded", lambda: m.log("Services reconfigured."))
        until("the idle worker has left", lambda: [x for x in m.log("type:SERVICE") if "exited normally" in x])
        last = m.connect()                 # and is there until the end, so that its worker is
        hello(last)
        until("the event has run", lambda: m.log("type:EVENT"))
        self.assertEqual(m.stop(), 0)
        for ident, level, text in (
                ("master", "debug", "process started"), ("master", "debug", "ready for work"),
                ("master", "debug", "about to exec " + ECHO),
                ("echo", "debug", "telling master 2"), ("echo", "debug", "telling master 3"),
                ("echo", "debug", "telling master 1"),
                ("echo", "debug", "accepted connection"), ("echo", "debug", "executed"),
                ("master", "debug", r"process type:SERVICE name:echo path:%s age:\d+\.\d{3}s pid:\d+ exited normally" % ECHO),
                ("master", "debug", r"process type:SERVICE name:echo path:%s age:\d+\.\d{3}s pid:\d+ was killed" % ECHO),
                ("master", "debug", r"process type:EVENT name:e path:/bin/true age:\d+\.\d{3}s pid:\d+ exited normally"),
                ("master", "notice", "got SIGHUP"), ("master", "notice", r"Services reconfigured\. .*"),
                ("master", "info", "attempting clean shutdown on signal"),
                ("master", "notice", "All children have exited, closing down"),
                ("master", "notice", "exiting")):
            want = re.compile(r"^%s\[\d+\] %s: %s$" % (ident, level, text))
            self.assertTrue([x for x in m.log() if want.match(x)], text)

    def test_maxfds(self):
        limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4096)
        conf = "SERVICES {\n" + "".join(' s%d cmd="@probe@ @dir@/out%d stay" listen="@dir@/s%d" prefork=1 maxfds=%d\n'
                                        % (i, i, i, n)
                                        for i, n in enumerate((0, 123, -1, 10 ** 6))) + "}\n"
        m = self.instance(conf).start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit // 2, limit)))
        for i, want in enumerate((limit // 2, 123, limit, limit)):
            until("the probe", lambda: os.path.exists(m.path("out%d" % i)))
            with open(m.path("out%d" % i)) as f:
                self.assertIn("nofile %d\n" % want, f.read())
        self.assertEqual(len(m.log("service s3/unix: maxfds=1000000 is above the hard limit, using %d" % limit)), 1)
        self.assertEqual(m.stop(), 0)

    def test_R7_reload_with_a_bad_file_keeps_the_old_configuration(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1")).start()
        first = hello(m.connect())
        for bad in ('SERVICES {\n echo cmd="x\n}\n', 'SERVICES {\n e-cho cmd=x listen=y\n}\n',
                    'SERVICES {\n echo cmd=/nonexistent/program listen="@dir@/s"\n}\n'):
            m.write(bad)
            m.send(signal.SIGHUP)
            s = m.connect()
            hello(s)
            s.close()
            self.assertIsNone(m.process.poll())
        self.assertIn(first, m.children())
        m.write((ECHO_CONF % ("", "")).replace("@dir@/s", "@dir@/t"))
        m.send(signal.SIGHUP)
        s = m.connect("t")
        hello(s)
        self.assertEqual(m.stop(), 0)

    def test_I8_maxchild_is_never_exceeded(self):
        m = self.instance(ECHO_CONF % ("", "prefork=3 maxchild=4")).start()
        clients = [m.connect() for _ in range(8)]
        for s in clients[:4]:
            hello(s)
            self.assertLessEqual(len(m.children()), 4)
        for s in clients[:4]:
            s.sendall(b"crash\n")
            self.assertLessEqual(len(m.children()), 4)
        for s in clients[4:]:
            hello(s)
            self.assertLessEqual(len(m.children()), 4)
        until("metrics", lambda: m.metric("forks_total", "echo") == 8)
        self.assertEqual(m.metric("ready_fails_total", "echo"), 0, "crashes with a client are no failures of ready workers")
        self.assertEqual(m.stop(), 0)

    def test_failing_service_is_given_up_until_reload(self):
        m = self.instance(ECHO_CONF % (" -b", "prefork=1")).start()
        until("given up", lambda: m.metric("ready_fails_total", "echo") == 5 and m.metric("active_children", "echo") == 0)
        s = socket.socket(socket.AF_UNIX)
        self.assertRaises(OSError, s.connect, m.path("s"))
        s.close()
        m.write(ECHO_CONF % ("", "prefork=1"))
        m.send(signal.SIGHUP)
        hello(m.connect())
        self.assertEqual(m.stop(), 0)

    def test_R4_shutdown_with_a_stubborn_worker_and_a_waiting_client(self):
        m = self.instance(ECHO_CONF % ("", "maxchild=1")).start()
        s = m.connect()
        worker = hello(s)
        os.kill(worker, signal.SIGSTOP)
        m.send(signal.SIGTERM)
        t = m.connect()
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(m.process.wait(PATIENCE), 0)
        t.close()

    def test_exit_codes(self):
        for conf, code in (('START {\n a cmd="/bin/false"\n}\n', 1), ('START {\n a cmd="/nonexistent/x"\n}\n', 1),
                           ('SERVICES {\n a cmd="/nonexistent/x" listen="@dir@/s"\n}\n', 78), ('START {\n a\n}\n', 78),
                           ('SERVICES {\n a cmd="x #y"\n}\n', 78), ('EVENTS {\n a cmd=/bin/true cron="* * *"\n}\n', 78),
                           ('DAEMON {\n a cmd="/bin/false" wait=y\n}\n', 78)):
            self.assertEqual(self.instance(conf).run().returncode, code, conf)
        for options, code in ((["-j", "0"], 78), (["-d", "-D"], 78), (["-M", "/nonexistent/cyrus.conf"], 78)):
            self.assertEqual(self.instance("", options).run().returncode, code, options)
        i = self.instance('SERVICES {\n a cmd="@echo@" listen="/nonexistent/dir/s"\n}\n',
                          imapd_conf="master_bind_errors_fatal: yes\n")
        self.assertEqual(i.run().returncode, 69)

    def test_version(self):
        r = self.instance("", ["-V"]).run()
        self.assertEqual(r.returncode, 0)
        self.assertRegex(r.stdout.decode(), r"\Acyrus-imapd 3\.6\.1-cambyses-\S+\n\Z")
        r = self.instance("", ["-V"], imapd_conf="compatibility_level: 2.5\n").run()
        self.assertRegex(r.stdout.decode(), r"\Acyrus-imapd 2\.5\.7-cambyses-\S+\n\Z")

    def test_daemonise_handshake_and_pid_file(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1"), ["-d"])
        self.assertEqual(m.run().returncode, 0)
        with open(m.path("pid")) as f:
            pid = int(f.read())
        try:
            hello(m.connect())
            self.assertFalse(os.path.exists(m.path("pid.lock")))
            self.assertEqual(m.run().returncode, 71, "the pid file is locked")
            m.options = []
            self.assertEqual(m.run().returncode, 71)
            self.assertEqual(os.getsid(pid), pid)
        finally:
            os.kill(pid, signal.SIGTERM)
        until("gone", lambda: not alive(pid))
        self.assertTrue(os.path.exists(m.path("pid")), "the pid file stays")

    def test_daemonise_reports_success_before_cyrus_conf_is_read(self):
        m = self.instance("", ["-d"])
        os.unlink(m.path("cyrus.conf"))
        self.assertEqual(m.run().returncode, 0)

    def test_unknown_options_do_not_keep_master_from_starting(self):
        m = self.instance(ECHO_CONF % ("", ""), ["-Z", "-P", "10", "-x", "/x", "-v"]).start(stderr=subprocess.DEVNULL)
        hello(m.connect())
        self.assertEqual(m.stop(signal.SIGQUIT), 0)

    def test_odd_signals_do_not_kill(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1")).start()
        hello(m.connect())
        for sig in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE):
            m.send(sig)
        hello(m.connect())
        self.assertEqual(m.stop(signal.SIGINT), 0)

    def test_wait_daemons_stop_last_and_in_reverse_order(self):
        script = 'trap \'echo %s >> "@dir@/order"; exit 0\' TERM\nprintf "ok\\r\\n" >&3\nwhile :; do sleep 0.05; done\n'
        m = self.instance("")
        for name in ("a", "b", "c"):
            text = script % name
            with open(m.path(name + ".sh"), "w") as f:
                f.write((text if name != "c" else text.replace('printf "ok\\r\\n" >&3', ": > @dir@/up")).replace("@dir@", m.dir))
        m.write('DAEMON {\n a cmd="/bin/sh @dir@/a.sh" wait=y\n b cmd="/bin/sh @dir@/b.sh" wait=yes\n'
                ' c cmd="/bin/sh @dir@/c.sh"\n}\n')
        m.options = ["-r", m.path("ready")]
        m.start()
        until("ready", lambda: os.path.exists(m.path("ready")) and os.path.exists(m.path("up")))
        self.assertEqual(m.stop(), 0)
        with open(m.path("order")) as f:
            self.assertEqual(f.read().split(), ["c", "b", "a"])

    def test_term_while_a_start_command_or_a_wait_daemon_hangs(self):
        for conf in ('START {\n a cmd="@probe@ @dir@/here stay"\n}\n', 'DAEMON {\n a cmd="@probe@ @dir@/here stay" wait=1\n}\n'):
            m = self.instance(conf).start()
            until("hanging", lambda: os.path.exists(m.path("here")))
            self.assertEqual(m.stop(), 0)

    def many(self, n, **kw):
        entries = "".join(' s%d cmd="@echo@ -C @conf@" listen="@dir@/s%d"\n' % (i, i) for i in range(n))
        return self.instance("SERVICES {\n" + entries + "}\n").start(**kw)

    def test_cyr_info_tells_the_state_of_each_service(self):
        m = self.instance('SERVICES {\n u cmd="@echo@ -C @conf@" listen="@dir@/s" prefork=2\n'
                          ' z cmd="/bin/sleep 1000" listen="@dir@/z" maxchild=1\n'
                          ' bad cmd="/bin/false" listen="@dir@/bad" prefork=1\n}\n'
                          'DAEMON {\n d cmd="/bin/sleep 1000"\n}\n').start()
        clients = [m.connect("z") for i in range(4)] + [m.connect("s")]
        hello(clients[-1])
        until("the failing service is given up", lambda: m.log("too many failures for service bad/unix"))
        until("clients wait", lambda: info(m)[1]["z/unix"]["active"] == "1")
        until("the client counts", lambda: info(m)[1]["u/unix"]["clients"] == "1")
        status, table = info(m)
        self.assertEqual(status, 0)
        self.assertEqual(table["u/unix"]["ready"], "2")
        self.assertEqual(table["u/unix"]["active"], "3")
        self.assertEqual(table["u/unix"]["disabled"], "0")
        self.assertRegex(table["u/unix"]["last"], r"^[0-9.]+s?$")
        self.assertEqual(table["z/unix"]["max"], "1")
        self.assertIn(table["z/unix"]["queue"], ("4", "-"))        # where the kernel does not tell: "-"
        self.assertEqual(table["bad/unix"]["disabled"], "reload")
        self.assertEqual(table["bad/unix"]["failures"], "5")
        self.assertEqual(table["d/daemon"]["active"], "1")
        self.assertEqual(os.stat(m.path("socket/master.status")).st_mode & 0o777, 0o600)
        self.assertEqual(m.stop(), 0)
        status, said = info(m)
        self.assertEqual(status, 69)
        self.assertIn("no master answers", said)
        self.assertFalse(os.path.exists(m.path("socket/master.status")))

    def test_those_who_ask_for_the_state_and_do_not_read(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1")).start()
        hello(m.connect())
        deaf = [m.connect("socket/master.status") for i in range(30)]
        hello(m.connect())                 # they are told what fits, and master goes on
        self.assertEqual(info(m)[0], 0)
        for s in deaf:
            s.close()
        self.assertEqual(m.stop(), 0)

    def test_R8_more_services_than_an_fd_set_holds(self):
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2000:
            self.skipTest("the hard limit of descriptors is below 2000")
        m = self.many(500)
        for i in (499, 0, 250):
            hello(m.connect("s%d" % i))
        self.assertEqual(m.log("out of descriptors"), [])
        self.assertEqual(m.stop(), 0)

    def test_R8_more_services_than_descriptors(self):
        m = self.many(400, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300)))
        hello(m.connect("s0"))
        told = until("the line", lambda: m.log("out of descriptors"))
        self.assertEqual(len(told), 1, told)
        self.assertLess(len(m.log(" err: ")), 5, "one line, not one for each")
        m.send(signal.SIGHUP)              # descriptors are kept for reading the file again
        until("reload", lambda: m.log("Services reconfigured."))
        hello(m.connect("s1"))
        self.assertEqual(m.stop(), 0)

    def test_ready_file(self):
        m = self.instance(ECHO_CONF % ("", ""))
        m.options = ["-r", m.path("deep/ready")]
        m.start()
        until("ready", lambda: os.path.exists(m.path("deep/ready")))
        self.assertEqual(m.stop(), 0)
        self.assertFalse(os.path.exists(m.path("deep/ready")))

    def test_third_party_worker_with_garbage_on_the_pipe(self):
        """Half messages, unknown codes, pids of nobody: master goes on serving."""
        m = self.instance('SERVICES {\n raw cmd="/bin/sh @dir@/raw" listen="@dir@/s" prefork=1\n'
                          + ' echo cmd="@echo@ -C @conf@" listen="@dir@/t" prefork=1\n}\n')
        with open(m.path("raw"), "w") as f:
            f.write("i=0; while [ $i -lt 3000 ]; do printf 'garbage of thirteen%d' $i >&3; i=$((i+1)); done; sleep 1000\n")
        m.start()
        for _ in range(20):
            hello(m.connect("t"))
        until("counted", lambda: m.metric("ready_fails_total", "echo") is not None)
        self.assertEqual(m.metric("ready_fails_total", "echo"), 0)
        self.assertEqual(m.stop(), 0)


def try_inet(port):
    try:
        return socket.create_connection(("127.0.0.1", port), PATIENCE)
    except OSError:
        return None


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
