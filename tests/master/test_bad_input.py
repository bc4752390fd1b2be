#!/usr/bin/env python3
"""Bad services, bad files, a bad neighbourhood: what master answers, and that every other service goes on.

  what                                         answer
  -------------------------------------------  ------------------------------------------------------------------
  service exits at once, or cannot be executed five failures within ten seconds, then given up until HUP
  service hangs in its start                   counts as ready; its clients wait, and after a while the log says so
  service ignores TERM                         waited for, named every 30 s (test_master, I9-R4 scenario)
  service goes into the background             its first process is reaped; reports of the other are "long dead child"
  service closes fd 3                          serves what it accepts; counts as ready until it exits
  service writes garbage, pieces, floods       counted or told, never believed (test_master, test_storm, scenarios)
  program missing or not executable            at start 78; at reload the old configuration stays; later: as first row
  cyrus.conf missing, unreadable, a folder,    at start 78; at reload the old configuration stays
    a FIFO, too big, malformed
  cyrus.conf empty                             at start nothing to run; at reload every service is stopped
  port taken                                   that service is disabled until HUP (exit 69 with master_bind_errors_fatal)
  pid file on a full file system               exit 71, nothing started
  second master                                exit 71; the first goes on
"""
import os
import shutil
import signal
import socket
import subprocess
import unittest

from test_master import ECHO_CONF, Instance, PATIENCE, hello, info, until

OTHER = ' other cmd="@echo@ -C @conf@" listen="@dir@/other"\n'


class BadInputTest(unittest.TestCase):
    def instance(self, conf, **kw):
        i = Instance(conf, **kw)
        self.addCleanup(i.close)
        return i

    def beside(self, service, script=None, **kw):
        """A service, and another one that has to go on."""
        m = self.instance("SERVICES {\n" + service + OTHER + "}\n", **kw)
        if script:
            with open(m.path("script"), "w") as f:
                f.write("#!/bin/sh\n" + script.replace("@dir@", m.dir))
            os.chmod(m.path("script"), 0o755)
        return m.start()

    def end(self, m):
        hello(m.connect("other"))
        self.assertEqual(m.stop(), 0)

    def test_exits_at_once(self):
        m = self.beside(' s cmd="/bin/false" listen="@dir@/s" prefork=2\n')
        until("given up", lambda: m.log("too many failures for service s/unix, disabling until next SIGHUP"))
        with self.assertRaises(OSError):
            socket.socket(socket.AF_UNIX).connect(m.path("s"))
        self.end(m)

    def test_hangs_in_its_start(self):
        m = self.beside(' s cmd="@dir@/script" listen="@dir@/s"\n', "exec sleep 1000\n")
        waiting = [m.connect("s")]
        until("started", lambda: info(m)[0] == 0 and info(m)[1]["s/unix"]["active"] == "1")
        waiting += [m.connect("s"), m.connect("s")]
        hello(m.connect("other"))
        until("told", lambda: m.log("service s/unix: 3 clients wait, and 1 ready workers do not take them"))
        self.assertEqual(len(waiting), 3)
        self.end(m)

    def test_goes_into_the_background(self):
        program = ('python3 -c "import os, struct, socket, time\n'
                   'if os.fork(): os._exit(0)\n'
                   'os.write(3, struct.pack(\'ii\', 2, os.getpid()))\n'
                   's = socket.socket(fileno=4)\nc = s.accept()[0]\nc.sendall(b\'hello\\n\')\n'
                   'open(\'@dir@/bg\', \'w\').write(str(os.getpid()))\n'
                   'time.sleep(1000)"\n')
        m = self.beside(' s cmd="@dir@/script" listen="@dir@/s" maxchild=3\n', program)
        s = m.connect("s")
        self.assertEqual(s.recv(5), b"hello")
        until("told", lambda: m.log("message from a long dead child"))
        until("counts", lambda: info(m)[1]["s/unix"]["active"] == "0")
        self.assertEqual(info(m)[1]["s/unix"]["failures"], "0")
        pid = int(until("pid", lambda: open(m.path("bg")).read()))
        try:
            self.end(m)
        finally:
            os.kill(pid, signal.SIGKILL)

    def test_closes_its_status_pipe(self):
        m = self.beside(' s cmd="@dir@/script" listen="@dir@/s"\n',
                        'exec 3>&-\nexec python3 -c "import socket\nc = socket.socket(fileno=4).accept()[0]\n'
                        'c.sendall(b\'hello\')"\n')
        for _ in range(3):
            s = m.connect("s")
            self.assertEqual(s.recv(5), b"hello")
        until("all left", lambda: info(m)[1]["s/unix"]["active"] == "0")
        row = info(m)[1]["s/unix"]
        self.assertEqual((row["ready"], row["clients"], row["failures"]), ("0", "0", "0"))
        self.end(m)

    def test_program_that_vanishes_and_comes_back(self):
        m = self.beside(' s cmd="@dir@/script -C @conf@" listen="@dir@/s"\n',
                        'exec %s "$@"\n' % os.path.join(os.getcwd(), "echo_service"))
        hello(m.connect("s"))
        os.rename(m.path("script"), m.path("away"))
        until("given up", lambda: m.connect_once_or_none("s") is None and m.log("too many failures for service s/unix"))
        self.assertTrue(m.log("couldn't exec"))
        m.send(signal.SIGHUP)
        until("kept", lambda: m.log("keeping the old configuration"))
        os.rename(m.path("away"), m.path("script"))
        m.send(signal.SIGHUP)
        until("reloaded", lambda: m.log("Services reconfigured."))
        hello(m.connect("s"))
        self.end(m)

    def bad_files(self, m):
        """Each makes cyrus.conf something that cannot be read; returns nothing."""
        path = m.path("cyrus.conf")

        def replace(make):
            if os.path.isdir(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.unlink(path)
            make()

        def text(t, mode=0o644):
            with open(path, "w") as f:
                f.write(t)
            os.chmod(path, mode)
        rows = [("missing", lambda: None), ("a folder", lambda: os.mkdir(path)), ("a FIFO", lambda: os.mkfifo(path)),
                ("a socket", lambda: socket.socket(socket.AF_UNIX).bind(path)),
                ("a link to itself", lambda: os.symlink(path, path)),
                ("too big", lambda: text("# x\n" * (5 << 20))), ("endless", lambda: os.symlink("/dev/zero", path)),
                ("malformed", lambda: text('SERVICES {\n s cmd="x\n}\n')),
                ("one entry without a program", lambda: text('SERVICES {\n s cmd=/nonexistent/x listen="%s"\n}\n' % m.path("s"))),
                ("a program that may not be executed", lambda: text('SERVICES {\n s cmd=/etc/passwd listen="%s"\n}\n'
                                                                    % m.path("s")))]
        if os.geteuid():
            rows.append(("unreadable", lambda: text("SERVICES {\n}\n", 0)))
        for what, make in rows:
            yield what, lambda make=make: replace(make)
        replace(lambda: None)

    def test_cyrus_conf_at_start(self):
        m = self.instance("")
        for what, make in self.bad_files(m):
            with self.subTest(what):
                make()
                self.assertEqual(m.run().returncode, 78)

    def test_cyrus_conf_at_reload(self):
        m = self.instance("SERVICES {\n" + OTHER + "}\n").start()
        hello(m.connect("other"))
        for n, (what, make) in enumerate(self.bad_files(m), 1):
            with self.subTest(what):
                make()
                m.send(signal.SIGHUP)
                # the line about it is one of those that are counted
                until("read: " + what, lambda: len(m.log("got SIGHUP")) == n)
                hello(m.connect("other"))
                self.assertEqual(m.log("Services reconfigured."), [])
        self.assertTrue(m.log("keeping the old configuration"))
        self.end(m)

    def test_empty_cyrus_conf(self):
        m = self.instance("").start()
        until("up", lambda: info(m)[0] == 0)
        self.assertEqual(info(m)[1], {})
        m.write("SERVICES {\n" + OTHER + "}\n")
        m.send(signal.SIGHUP)
        hello(m.connect("other"))
        m.write("")
        m.send(signal.SIGHUP)
        until("stopped", lambda: info(m)[1] == {} and not m.children())
        self.assertEqual(m.stop(), 0)

    def test_port_taken(self):
        with socket.socket() as squatter:
            squatter.bind(("127.0.0.1", 0))
            squatter.listen()
            port = squatter.getsockname()[1]
            m = self.beside(' s cmd="@echo@ -C @conf@" listen="127.0.0.1:%d"\n' % port)
            hello(m.connect("other"))
            self.assertTrue(m.log("unable to create s listener socket: Address already in use"))
            fatal = self.instance('SERVICES {\n s cmd="@echo@ -C @conf@" listen="127.0.0.1:%d"\n}\n' % port,
                                  imapd_conf="master_bind_errors_fatal: yes\n")
            self.assertEqual(fatal.run().returncode, 69)
        m.send(signal.SIGHUP)
        hello(until("bound after reload", lambda: self.tcp(port)))
        self.end(m)

    def tcp(self, port):
        s = socket.socket()
        s.settimeout(PATIENCE)
        try:
            s.connect(("127.0.0.1", port))
            return s
        except OSError:
            s.close()
            return None

    def test_second_master(self):
        m = self.beside("")
        hello(m.connect("other"))
        self.assertEqual(m.run().returncode, 71)
        self.assertTrue(m.log("cannot get exclusive lock on pidfile (is another master still running?)"))
        with open(m.path("pid")) as f:
            self.assertEqual(int(f.read()), m.process.pid)
        self.end(m)

    def test_pid_file_on_a_full_file_system(self):
        m = self.instance(ECHO_CONF % ("", ""))
        full = m.path("full", make=True)
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", full],
                                          capture_output=True).returncode:
            self.skipTest("cannot mount a small file system")
        try:
            with open(os.path.join(full, "fill"), "wb", buffering=0) as f:
                try:
                    while f.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            m.options = ["-p", os.path.join(full, "pid")]
            self.assertEqual(m.run().returncode, 71)
            self.assertTrue(m.log("can't write pidfile"))
            self.assertEqual(m.run_daemon().returncode, 71)
            os.unlink(os.path.join(full, "fill"))
            m.start()
            hello(m.connect("s"))
            self.assertEqual(m.stop(), 0)
        finally:
            subprocess.run(["umount", "-l", full], check=True)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
