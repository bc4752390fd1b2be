#!/usr/bin/env python3
"""libcambyses-service from outside: installed below a scratch directory, the example of the manual built there with nothing but
pkg-config, and run by our master. test_peer_master.py gives the same program to Debian's."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from test_master import BUILD, PATIENCE, Instance, line, until

SRC = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")))
EXAMPLE = os.path.join(SRC, "doc/examples/echo.c")
STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-pedantic", "-Werror"]


def variable(name):
    """A variable of the Makefile that built us."""
    with open(os.path.join(BUILD, "Makefile")) as f:
        return re.search(r"^%s = (.*)$" % name, f.read(), re.M).group(1).strip()


class Installed:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="service-library-")
        os.chmod(self.dir, 0o755)
        dest = os.path.join(self.dir, "dest")
        env = {k: v for k, v in os.environ.items() if k not
               in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "DESTDIR", "CPPFLAGS", "CFLAGS")}
        self.run(["make", "-C", BUILD, "install", "DESTDIR=" + dest], env)
        pc = [os.path.join(d, "cambyses-service.pc") for d, _, files in os.walk(dest) if "cambyses-service.pc" in files]
        assert len(pc) == 1, pc
        env.update(PKG_CONFIG_SYSROOT_DIR=dest, PKG_CONFIG_PATH=os.path.dirname(pc[0]))
        self.env = env
        self.cc = variable("CC").split()
        self.cflags = self.run(["pkg-config", "--cflags", "cambyses-service"], env).split()
        self.libs = self.run(["pkg-config", "--libs", "cambyses-service"], env).split()

    def run(self, command, env=None):
        p = subprocess.run(command, env=env or self.env, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT,
                           text=True, timeout=600)
        if p.returncode:
            raise AssertionError("%s:\n%s" % (" ".join(command), p.stdout))
        return p.stdout

    def compile(self, name, source, text=None):
        """Builds source (or text, as that file) into a program; its path."""
        path, program = os.path.join(self.dir, source), os.path.join(self.dir, name)
        if text:
            with open(path, "w") as f:
                f.write(text)
        self.run(self.cc + STRICT + ["-o", program, path] + self.cflags + self.libs)
        return program

    def example(self, name="echo"):
        shutil.copy(EXAMPLE, self.dir)
        return self.compile(name, "echo.c")

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


# A program whose names are all taken by our own library, and a threaded one.
CLASH = """#include <cambyses/service.h>
#include <stdio.h>
#include <unistd.h>
int log_msg(void); int buf_free(void); int conf_load(void); int mem_strdup(void); int service_start(void); int hash_new(void);
int log_msg(void) { return 1; }
int buf_free(void) { return 1; }
int conf_load(void) { return 1; }
int mem_strdup(void) { return 1; }
int service_start(void) { return 1; }
int hash_new(void) { return 1; }
static int serve(struct service_context *ctx)
{
	char *dir = service_option(ctx, "configdirectory"), *none = service_option(ctx, "no_such_option");
	dprintf(1, "%d %s %s %d %d %ld %ld %d pid %ld\\n",
		log_msg() + buf_free() + conf_load() + mem_strdup() + service_start() + hash_new(),
		dir, none ? none : "unset", service_option_bool(ctx, "own_switch", true), service_option_bool(ctx, "none", true),
		service_option_int(ctx, "OWN_number", 7), service_option_int(ctx, "own_switch", 7),
		service_option_bool(ctx, "prometheus_enabled", false), (long)getpid());
	return 0;
}
const struct service_program service_program = { .main = serve };
"""
THREADED = """#include <cambyses/service.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void leave(int sig) { _exit(sig == SIGHUP ? 0 : 75); }
static int init(int argc, char **argv, struct service_context *ctx)
{
	(void)argv, (void)ctx;
	signal(SIGHUP, leave);
	signal(SIGTERM, leave);
	return argc != 1;
}
static void *session(void *arg)
{
	char c;
	int fd = (int)(intptr_t)arg;
	dprintf(fd, "* pid %ld\\n", (long)getpid());
	while (read(fd, &c, 1) == 1 && write(fd, &c, 1) == 1) ;
	close(fd);
	return NULL;
}
static int serve(int fd, struct service_context *ctx)
{
	pthread_t t;
	(void)ctx;
	if (pthread_create(&t, NULL, session, (void *)(intptr_t)fd) == 0) pthread_detach(t);
	else close(fd);
	return 0;
}
const struct service_program service_program = { .init = init, .main_fd = serve };
"""
NEITHER = "#include <cambyses/service.h>\nconst struct service_program service_program = { .init = 0 };\n"


def greeted(s):
    """(greeting, pid, client number)"""
    m = re.match(r"\* \w+: (.*) \(process (\d+), client (\d+)\)$", line(s))
    return m.group(1), int(m.group(2)), int(m.group(3))


def ended(s):
    s.sendall(b"quit\r\n")
    return s.recv(1) == b""


class LibraryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib = Installed()
        cls.echo = cls.lib.example()

    @classmethod
    def tearDownClass(cls):
        cls.lib.close()

    def instance(self, program, arguments="", keys="prefork=1", imapd_conf=""):
        conf = 'SERVICES {\n  echo cmd="%s -C @conf@%s" listen="@dir@/s" %s\n}\n' % (program, arguments, keys)
        i = Instance(conf, imapd_conf=imapd_conf)
        self.addCleanup(i.close)
        return i.start()

    def test_the_header_needs_nothing_else(self):
        source = os.path.join(self.lib.dir, "alone.c")
        for order in ("#include <cambyses/service.h>\n", "#include <cambyses/service.h>\n#include <cambyses/service.h>\n"):
            with open(source, "w") as f:
                f.write(order + "int x;\n")
            for std in ("-std=c99", "-std=gnu17"):
                self.lib.run(self.lib.cc + STRICT + [std, "-fsyntax-only"] + self.lib.cflags + [source])

    def test_only_the_documented_names_are_visible(self):
        archive = [os.path.join(d, "libcambyses-service.a") for d, _, files in os.walk(self.lib.dir) if "libcambyses-service.a"
                   in files]
        names = {l.split()[-1] for l in self.lib.run(["nm", "-g", "--defined-only", archive[0]]).splitlines() if len(l.split())
                 == 3}
        with open(os.path.join(SRC, "master/service.h")) as f:
            header = f.read()
        ours = names - {"main", "allow_severity", "deny_severity"}
        self.assertEqual({n for n in ours if not re.search(r"\b%s\(" % n, header)}, set())
        self.assertEqual(set(re.findall(r"^[a-z].*\b(s(?:ervice|ignals)_\w+)\(.*\);", header, re.M)), ours)

    def test_the_example_serves_recycles_and_stops(self):
        m = self.instance(self.echo, keys="prefork=1 maxchild=1")
        s = m.connect()
        greeting, first, client = greeted(s)
        self.assertEqual((greeting, client), ("hello", 1))
        s.sendall(b"some text\r\n")
        self.assertEqual(line(s), "some text")
        self.assertTrue(ended(s))
        t = m.connect()
        self.assertEqual(greeted(t), ("hello", first, 2), "the same process takes the next client")
        m.send(signal.SIGHUP)
        t.sendall(b"still here\r\n")
        self.assertEqual(line(t), "still here", "a busy one finishes its client after a reload")
        self.assertTrue(ended(t))
        until("recycled", lambda: first not in m.children())
        u = m.connect()
        self.assertNotEqual(greeted(u)[1], first)
        until("counted", lambda: m.metric("forks_total", "echo") >= 2)
        self.assertEqual(m.metric("ready_fails_total", "echo"), 0)
        self.assertEqual(m.stop(), 0)
        self.assertEqual(u.recv(1), b"", "a stop request ends the session")

    def test_options_of_the_harness_and_of_the_service(self):
        m = self.instance(self.echo, " -U 2 -T 0", "prefork=0 maxchild=1", "greeting: everybody\necho_greeting: good day\n")
        seen = []
        for _ in range(3):
            s = m.connect()
            seen.append(greeted(s))
            self.assertTrue(ended(s))
        self.assertEqual([g for g, _, _ in seen], ["good day"] * 3, "NAME_key is read before key")
        self.assertEqual([n for _, _, n in seen], [1, 2, 1], "-U")
        self.assertEqual(seen[0][1], seen[1][1])
        self.assertEqual(m.stop(), 0)
        m = self.instance(self.echo, " -x", "prefork=1")
        until("init refused the argument five times", lambda: m.metric("ready_fails_total", "echo") == 5)
        self.assertEqual(m.stop(), 0)

    def test_without_master(self):
        a, b = socket.socketpair()
        d = Instance("")
        self.addCleanup(d.close)
        p = subprocess.Popen([self.echo, "-X", "-C", d.path("imapd.conf")], stdin=b, stdout=b, env=d.environment())
        b.close()
        a.settimeout(PATIENCE)
        self.assertEqual(greeted(a), ("hello", p.pid, 1))
        self.assertTrue(ended(a))
        self.assertEqual(p.wait(PATIENCE), 0)
        a.close()
        self.assertEqual(subprocess.run([self.echo, "-C", d.path("imapd.conf")], env=d.environment(),
                                        stdin=subprocess.DEVNULL).returncode, 70)

    def test_names_of_ours_are_free_for_the_program_and_options_are_found_by_name(self):
        m = self.instance(self.lib.compile("clash", "clash.c", CLASH), imapd_conf="own_switch: off\nEcho_own_number: 42\n")
        s = m.connect()
        self.assertEqual(line(s).split(" pid ")[0], "6 %s unset 0 1 42 7 1" % m.dir)
        self.assertEqual(m.stop(), 0)

    def test_a_threaded_service_serves_at_once(self):
        m = self.instance(self.lib.compile("threaded", "threaded.c", THREADED), keys="prefork=1")
        clients = [m.connect() for _ in range(5)]
        pids = {line(c) for c in clients}
        self.assertEqual(len(pids), 1, "one process has them all")
        for c in reversed(clients):
            c.sendall(b"x\n")
            self.assertEqual(line(c), "x")
        m.send(signal.SIGHUP)
        self.assertEqual([c.recv(1) for c in clients], [b""] * 5)
        s = m.connect()
        self.assertNotEqual({line(s)}, pids)
        until("counted", lambda: m.metric("forks_total", "echo") == 2)
        self.assertEqual(m.metric("ready_fails_total", "echo"), 0)
        self.assertEqual(m.stop(), 0)

    def test_a_program_without_either_function_says_so(self):
        d = Instance("")
        self.addCleanup(d.close)
        program = self.lib.compile("neither", "neither.c", NEITHER)
        self.assertEqual(subprocess.run([program, "-X", "-C", d.path("imapd.conf")], env=d.environment(),
                                        stdin=subprocess.DEVNULL).returncode, 70)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
