#!/usr/bin/env python3
"""The harness of a service, with the test in the role of master: what arrives on fd 3, and how the process ends
(spec/master.md 7, 17)."""
import os
import pwd
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

ECHO = os.path.join(os.getcwd(), "echo_service")
PATIENCE = 60


class Service:
    def __init__(self, *options, program=ECHO, environment=True, datagram=False):
        self.dir = tempfile.mkdtemp(prefix="service-test-")
        os.mkdir(os.path.join(self.dir, "socket"))
        conf = os.path.join(self.dir, "imapd.conf")
        with open(conf, "w") as f:
            f.write("configdirectory: %s\n" % self.dir)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
        self.listener.bind(os.path.join(self.dir, "s"))
        if not datagram:
            self.listener.listen(5)
        self.status, writer = os.pipe()
        env = dict(os.environ, CYRUS_USER=pwd.getpwuid(os.getuid()).pw_name, ASAN_OPTIONS="detect_leaks=0")
        for name in ("CYRUS_GROUP", "CYRUS_VERBOSE", "CYRUS_PREFIX", "CYRUS_SERVICE", "CYRUS_ID"):
            env.pop(name, None)
        if environment:
            env.update(CYRUS_SERVICE="echo", CYRUS_ID="7")
        sock = self.listener.fileno()

        def place():
            high = os.dup(writer), os.dup(sock)
            os.dup2(os.dup(high[0]), 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen([program, "-C", conf] + list(options), env=env, preexec_fn=place, pass_fds=(3, 4),
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        os.close(writer)

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(PATIENCE)
        s.connect(os.path.join(self.dir, "s"))
        return s

    def message(self):
        """The next message, as a code; the pid must be the service's."""
        if not select.select([self.status], [], [], PATIENCE)[0]:
            raise AssertionError("no message")
        data = os.read(self.status, 8)
        if not data:
            return None
        code, pid = struct.unpack("=ii", data)
        assert pid == self.process.pid
        return code

    def wait(self):
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.listener.close()
        os.close(self.status)
        shutil.rmtree(self.dir, ignore_errors=True)


def line(s):
    text = b""
    while not text.endswith(b"\n"):
        b = s.recv(1)
        if not b:
            raise AssertionError("end of stream after %r" % text)
        text += b
    return text.decode().strip()


class ServiceTest(unittest.TestCase):
    def service(self, *a, **kw):
        s = Service(*a, **kw)
        self.addCleanup(s.close)
        return s

    def session(self, s):
        c = s.connect()
        greeting = line(c)
        self.assertEqual([s.message(), s.message()], [2, 3])
        c.sendall(b"quit\n")
        self.assertEqual(c.recv(1), b"")
        c.close()
        return greeting

    def test_messages_of_a_session(self):
        s = self.service()
        for i in range(3):
            greeting = self.session(s)
            self.assertIn("echo/7", greeting)
            self.assertEqual(s.message(), 1)
        self.assertTrue(os.path.exists(os.path.join(s.dir, "socket", "echo-7.lock")))
        self.assertEqual(os.stat(os.path.join(s.dir, "socket", "echo-7.lock")).st_mode & 0o777, 0o600)

    def test_use_count(self):
        for uses, sessions in (("2", 2), ("1", 1), ("0", 1), ("-5", 1)):
            s = self.service("-U", uses)
            for i in range(sessions):
                self.session(s)
                if i + 1 < sessions:
                    self.assertEqual(s.message(), 1)
            self.assertIsNone(s.message(), "no message after the last client")
            self.assertEqual(s.wait(), 0)

    def test_stop_requests(self):
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            s = self.service()
            self.session(s)
            self.assertEqual(s.message(), 1)
            s.process.send_signal(sig)
            self.assertEqual(s.wait(), 75)
            s = self.service()
            c = s.connect()
            line(c)
            s.process.send_signal(sig)
            self.assertEqual(s.wait(), 75, "also between two commands of a client")

    def test_reload(self):
        s = self.service()
        self.session(s)
        self.assertEqual(s.message(), 1)
        s.process.send_signal(signal.SIGHUP)
        self.assertEqual(s.wait(), 0)
        s = self.service()
        c = s.connect()
        line(c)
        s.process.send_signal(signal.SIGHUP)
        c.sendall(b"still\n")
        self.assertEqual(line(c), "still")
        c.sendall(b"quit\n")
        self.assertEqual(s.wait(), 0)

    def test_idle(self):
        s = self.service("-T", "1")
        self.session(s)
        self.assertEqual(s.message(), 1)
        self.assertEqual(s.wait(), 0)

    def test_no_time_out(self):
        s = self.service("-T", "0")
        self.session(s)
        self.assertEqual(s.message(), 1)
        self.session(s)

    def test_bad_starts(self):
        self.assertEqual(self.service("-U2").wait(), 64)
        self.assertEqual(self.service("-T").wait(), 64)
        self.assertEqual(self.service(environment=False).wait(), 70)
        self.assertEqual(self.service("-b").wait(), 1)
        self.assertEqual(self.service("-C", "/nonexistent/imapd.conf").wait(), 78)

    def test_other_options_reach_the_service(self):
        s = self.service("-U", "5", "-s", "-p", "2", "-T", "9", "-q")
        self.assertIn("argc 5", self.session(s))       # name -s -p 2 -q

    def test_replaced_program(self):
        copy = tempfile.mkdtemp(prefix="service-copy-")
        self.addCleanup(shutil.rmtree, copy)
        program = os.path.join(copy, "echo")
        shutil.copy(ECHO, program)
        for replace, code in ((lambda: os.rename(program + ".new", program), 0), (lambda: os.unlink(program), 70)):
            shutil.copy(ECHO, program + ".new")
            s = self.service(program=program)
            self.session(s)                             # the program has been noted by now
            self.assertEqual(s.message(), 1)
            c = s.connect()
            line(c)
            replace()
            c.sendall(b"quit\n")
            self.assertEqual([s.message(), s.message(), s.message()], [2, 3, 1])
            self.assertEqual(s.wait(), code)

    def test_socket_shut_down_by_master(self):
        s = self.service()
        self.session(s)
        self.assertEqual(s.message(), 1)
        s.process.send_signal(signal.SIGHUP)
        s.listener.shutdown(socket.SHUT_RDWR)
        self.assertEqual(s.wait(), 0)

    def test_threaded_services_stay_ready(self):
        s = self.service("-s", "-U", "1", program=ECHO.replace("echo_service", "echo_thread"))
        for end in (b"x", b"x", b"q"):
            c = s.connect()
            self.assertIn("argc 4", line(c))
            self.assertEqual(s.message(), 4)
            c.sendall(end)
            self.assertEqual(c.recv(1), b"")
        self.assertIsNone(s.message())
        self.assertEqual(s.wait(), 0)

    def test_once_without_master(self):
        a, b = socket.socketpair()
        d = tempfile.mkdtemp(prefix="service-once-")
        self.addCleanup(shutil.rmtree, d)
        with open(os.path.join(d, "imapd.conf"), "w") as f:
            f.write("configdirectory: %s\n" % d)
        env = dict(os.environ, CYRUS_USER=pwd.getpwuid(os.getuid()).pw_name, ASAN_OPTIONS="detect_leaks=0")
        p = subprocess.Popen([ECHO, "-X", "-C", os.path.join(d, "imapd.conf")], stdin=b, stdout=b, env=env)
        b.close()
        a.settimeout(PATIENCE)
        self.assertIn("echo_service/0", line(a))
        a.sendall(b"quit\n")
        self.assertEqual(p.wait(PATIENCE), 0)
        a.close()


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
