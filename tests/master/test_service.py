#!/usr/bin/env python3
"""The harness of a service, with the test in the role of master: what arrives on fd 3, and how the process ends
(spec/master.md 7, 17)."""
import os
import pwd
import re
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
    """conf: lines of imapd.conf. env: more of the environment. copies: so many processes, of which self.process is the last.
    Others of subprocess.Popen's arguments are passed on."""

    def __init__(self, *options, program=ECHO, environment=True, datagram=False, inet=False, lock=True, conf="", env=None,
                 copies=1,
                 **popen):
        self.dir = tempfile.mkdtemp(prefix="service-test-")
        extra, more = conf, env or {}
        if lock:
            os.mkdir(os.path.join(self.dir, "socket"))
        conf = os.path.join(self.dir, "imapd.conf")
        with open(conf, "w") as f:
            f.write("configdirectory: %s\n%s" % (self.dir, extra))
        self.inet = inet
        self.listener = socket.socket(socket.AF_INET if inet else socket.AF_UNIX, socket.SOCK_DGRAM if datagram
                                      else socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0) if inet else os.path.join(self.dir, "s"))
        if not datagram:
            self.listener.listen(5)
        self.status, writer = os.pipe()
        env = dict(os.environ, CYRUS_USER=pwd.getpwuid(os.getuid()).pw_name, ASAN_OPTIONS="detect_leaks=0")
        for name in ("CYRUS_GROUP", "CYRUS_VERBOSE", "CYRUS_PREFIX", "CYRUS_SERVICE", "CYRUS_ID"):
            env.pop(name, None)
        if environment:
            env.update(CYRUS_SERVICE="echo", CYRUS_ID="7")
        env.update(more)
        if "user" in popen:
            subprocess.run(["chown", "-R", popen["user"], self.dir], check=True)
        sock = self.listener.fileno()

        def place():
            high = os.dup(writer), os.dup(sock)
            os.dup2(os.dup(high[0]), 3)
            os.dup2(high[1], 4)

        self.processes = [subprocess.Popen([program, "-C", conf] + list(options), env=env, preexec_fn=place, pass_fds=(3, 4),
                                           stdin=subprocess.DEVNULL, start_new_session=True, **popen) for _ in range(copies)]
        self.process = self.processes[-1]
        os.close(writer)

    def connect(self):
        s = socket.socket(socket.AF_INET if self.inet else socket.AF_UNIX)
        s.settimeout(PATIENCE)
        s.connect(self.listener.getsockname())
        return s

    def message(self):
        """The next message, as a code; the pid must be the service's."""
        if not select.select([self.status], [], [], PATIENCE)[0]:
            raise AssertionError("no message")
        data = os.read(self.status, 8)
        if not data:
            return None
        code, pid = struct.unpack("=ii", data)
        assert pid in [p.pid for p in self.processes]
        return code

    def wait(self):
        return self.process.wait(PATIENCE)

    def ready_for(self, sig):
        """Waits until every process catches this signal."""
        end = time.monotonic() + PATIENCE
        for p in self.processes:
            caught = 0
            while not caught >> (sig - 1) & 1:
                assert time.monotonic() < end, "no handler"
                with open("/proc/%d/status" % p.pid) as f:
                    caught = int(re.search(r"^SigCgt:\s*([0-9a-f]+)", f.read(), re.M).group(1), 16)
        return self

    def close(self):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
                p.wait()
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

    def test_reload_while_waiting_without_a_lock(self):
        """A worker that lost the race for a client is held in accept(), not in the wait before it."""
        s = self.service(lock=False, copies=8).ready_for(signal.SIGTERM)
        self.session(s)
        self.assertEqual(s.message(), 1)
        for _ in range(20):
            self.session(s)
            self.assertEqual(s.message(), 1)
        for p in s.processes:
            p.send_signal(signal.SIGHUP)
        self.assertEqual([p.wait(PATIENCE) for p in s.processes], [0] * 8)

    def test_reload_while_starting(self):
        s = self.service("-w").ready_for(signal.SIGHUP)
        s.process.send_signal(signal.SIGHUP)
        self.assertEqual(s.wait(), 0)
        s = self.service("-w").ready_for(signal.SIGHUP)
        s.process.send_signal(signal.SIGTERM)
        self.assertEqual(s.wait(), -signal.SIGTERM, "a start that hangs can be stopped")

    def test_reload_while_queueing_for_the_lock(self):
        s = self.service(copies=3).ready_for(signal.SIGTERM)
        self.session(s)
        self.assertEqual(s.message(), 1)
        for p in s.processes:
            p.send_signal(signal.SIGHUP)
        self.assertEqual([p.wait(PATIENCE) for p in s.processes], [0] * 3)

    def test_idle_time_when_the_session_used_the_alarm_itself(self):
        s = self.service("-T", "1")
        c = s.connect()
        line(c)
        c.sendall(b"alarm\nquit\n")
        self.assertEqual(line(c), "alarm")
        self.assertEqual([s.message(), s.message(), s.message()], [2, 3, 1])
        self.assertEqual(s.wait(), 0)

    def test_a_cancel_request_is_for_the_client_at_hand(self):
        s = self.service()
        self.session(s)
        self.assertEqual(s.message(), 1)
        s.process.send_signal(signal.SIGUSR2)
        c = s.connect()
        line(c)
        c.sendall(b"cancelled\n")
        self.assertEqual(line(c), "no")
        s.process.send_signal(signal.SIGUSR2)
        c.sendall(b"cancelled\ncancelled\n")
        self.assertEqual([line(c), line(c)], ["yes", "no"])

    def test_huge_numbers(self):
        for number in ("2147483647", "2000000000", "99999999999999999999"):
            s = self.service("-T", number, "-U", number)
            for _ in range(2):
                self.session(s)
                self.assertEqual(s.message(), 1)

    def test_debug_command_is_a_format(self):
        d = tempfile.mkdtemp(prefix="service-debug-")
        self.addCleanup(shutil.rmtree, d)
        out = os.path.join(d, "out")
        for fmt, want in (("%s %d %s", "{program} {pid} echo"), ("%3$s %2$d %1$s", "echo {pid} {program}"), ("%2$d", "{pid}"),
                          ("[%3$8s] [%2$-12d] [%3$.2s] %%", "[    echo] [{pid:<12}] [ec] %"),
                          ("%3$99999999999s-%n-%s-%*d-%4$s-%0$d-%.s-%lld-%k", None)):
            s = self.service("-D", conf="debug_command: echo '%s' >%s\n" % (fmt, out))
            self.session(s)
            with open(out) as f:
                text = f.read().rstrip("\n")
            if want:
                self.assertEqual(text, want.format(program=ECHO, pid=s.process.pid))
            else:
                self.assertIn("-", text)
                self.assertLess(len(text), 100000)
        self.session(self.service("-D", conf="debug_command: true %\n"))

    def test_words_behind_two_dashes_are_the_services(self):
        s = self.service("-U", "1", "--", "-U", "5", "-T")
        self.assertIn("argc 4", self.session(s))       # name -U 5 -T
        self.assertEqual(s.wait(), 0)

    def test_not_started_as_root_it_stays_who_it_is(self):
        program, who = ECHO, {}
        if os.geteuid() == 0:
            copy = tempfile.mkdtemp(prefix="service-copy-")
            self.addCleanup(shutil.rmtree, copy)
            os.chmod(copy, 0o755)
            program, who = os.path.join(copy, "echo"), {"user": "nobody"}
            shutil.copy(ECHO, program)
        s = self.service(program=program, env={"CYRUS_USER": "root"}, **who)
        self.session(s)
        self.assertEqual(s.message(), 1)
        if who:
            self.assertEqual(self.service(env={"CYRUS_USER": "no-such-account"}).wait(), 64)

    def test_a_name_that_is_not_found_where_programs_are(self):
        """cmd="echo" of another master's directory: the file that runs is the one to watch."""
        copy = tempfile.mkdtemp(prefix="service-copy-")
        self.addCleanup(shutil.rmtree, copy)
        program = os.path.join(copy, "echo-elsewhere")
        shutil.copy(ECHO, program)
        s = self.service(program="echo-elsewhere", executable=program)
        self.session(s)
        self.assertEqual(s.message(), 1)
        shutil.copy(ECHO, program + ".new")
        c = s.connect()
        line(c)                            # served: it looks at its file again before the next client, and not sooner
        os.rename(program + ".new", program)
        c.sendall(b"quit\n")
        self.assertEqual([s.message(), s.message(), s.message()], [2, 3, 1])
        self.assertEqual(s.wait(), 0)

    def test_datagrams(self):
        s = self.service("-U", "2", datagram=True, inet=True)
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(c.close)
        c.settimeout(PATIENCE)
        for i, text in enumerate((b"one", b"two")):
            c.sendto(text, s.listener.getsockname())
            self.assertEqual(c.recv(100), text)
            self.assertEqual([s.message(), s.message()], [2, 3])
            self.assertEqual(s.message(), None if i else 1)
        self.assertEqual(s.wait(), 0)

    def table(self, name, text):
        d = tempfile.mkdtemp(prefix="service-hosts-")
        self.addCleanup(shutil.rmtree, d)
        os.chmod(d, 0o755)
        with open(os.path.join(d, name), "w") as f:
            f.write(text)
        return os.path.join(d, name)

    def test_refused_hosts(self):
        with open(os.path.join(os.getcwd(), "config.h")) as f:
            if "#define HAVE_LIBWRAP 1" not in f.read():
                self.skipTest("built without TCP wrappers")
        deny = self.table("hosts.deny", "echo: 127.0.0.1\n")
        for program in (ECHO, ECHO.replace("echo_service", "echo_thread")):
            s = self.service(program=program, inet=True, env={"ECHO_HOSTS_ALLOW": "/nonexistent", "ECHO_HOSTS_DENY": deny})
            for _ in range(3):
                c = s.connect()
                self.assertEqual(c.recv(100), b"", "closed without a word")
                c.close()
            self.assertEqual(select.select([s.status], [], [], 0)[0], [], "and master is told nothing")
            with open(deny, "w") as f:
                f.write("imap: 127.0.0.1\necho: 192.0.2.\n")
            c = s.connect()
            self.assertIn("uses 1", line(c), "the same process goes on")
            self.assertEqual(s.message(), 4 if "thread" in program else 2)
            c.close()
            with open(deny, "w") as f:
                f.write("ALL: ALL\n")
        s = self.service(env={"ECHO_HOSTS_ALLOW": "/nonexistent", "ECHO_HOSTS_DENY": deny})
        self.session(s)                                 # a UNIX socket is nobody's host
        s = self.service(inet=True, env={"ECHO_HOSTS_ALLOW": self.table("hosts.allow", "echo: 127.0.0.1\n"),
                                         "ECHO_HOSTS_DENY": deny})
        self.session(s)

    def test_threaded_services_stay_ready(self):
        s = self.service("-U1", "-s", "-U", "1", program=ECHO.replace("echo_service", "echo_thread"))
        for end in (b"x", b"x", b"q"):
            c = s.connect()
            self.assertIn("argc 5", line(c), "-C and -D are all that is taken")
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
