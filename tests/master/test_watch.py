#!/usr/bin/env python3
"""master seen from outside: what a service manager hears ($NOTIFY_SOCKET), and a log that a storm does not fill."""
import os
import re
import signal
import socket
import unittest

from test_master import ECHO_CONF, PATIENCE, Instance, until


class Manager:
    """The manager's end: a datagram socket."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.settimeout(PATIENCE)

    def hear(self):
        """The next message, as a dictionary."""
        return dict(x.split("=", 1) for x in self.socket.recv(4096).decode().split("\n"))

    def hear_of(self, what):
        while True:
            message = self.hear()
            if what in message:
                return message


class Managed(Instance):
    extra = {}

    def environment(self):
        return dict(super().environment(), **self.extra)


class WatchTest(unittest.TestCase):
    def instance(self, *a, **kw):
        i = Managed(*a, **kw)
        self.addCleanup(i.close)
        return i

    def managed(self, conf, **kw):
        m = self.instance(conf, **kw)
        manager = Manager(m.path("notify"))
        self.addCleanup(manager.socket.close)
        m.extra = {"NOTIFY_SOCKET": m.path("notify")}
        return m, manager

    def test_ready_reload_stop(self):
        m, manager = self.managed(ECHO_CONF % ("", "prefork=1"))
        m.start()
        message = manager.hear()
        self.assertEqual((message["READY"], message["MAINPID"]), ("1", str(m.process.pid)))
        self.assertRegex(message["STATUS"], r"^1 services, 0 disabled, \d+ active children$")
        m.connect().close()
        m.send(signal.SIGHUP)
        self.assertEqual(manager.hear_of("RELOADING")["RELOADING"], "1")
        self.assertEqual(manager.hear_of("READY")["READY"], "1")
        m.write("SERVICES {\n a b\n}\n")
        m.send(signal.SIGHUP)
        self.assertTrue(int(manager.hear_of("RELOADING")["MONOTONIC_USEC"]) > 0)
        self.assertEqual(manager.hear_of("READY")["READY"], "1", "a refused reload is over too")
        m.send(signal.SIGTERM)
        self.assertEqual(manager.hear_of("STOPPING")["STOPPING"], "1")
        self.assertEqual(m.process.wait(PATIENCE), 0)

    def test_signs_of_life_from_an_idle_master(self):
        m, manager = self.managed(ECHO_CONF % ("", "prefork=1"))
        m.extra["WATCHDOG_USEC"] = "400000"
        m.start()
        for _ in range(3):
            self.assertEqual(manager.hear_of("WATCHDOG"), {"WATCHDOG": "1"})
        self.assertEqual(m.stop(), 0)

    def test_not_ready_when_it_does_not_start(self):
        m, manager = self.managed('START {\n a cmd="/bin/false"\n}\n')
        self.assertEqual(m.run().returncode, 1)
        manager.socket.setblocking(False)
        self.assertRaises(BlockingIOError, manager.hear)

    def test_children_do_not_get_the_variables(self):
        m, manager = self.managed('START {\n a cmd="/usr/bin/env"\n}\n')
        m.extra.update(WATCHDOG_USEC="60000000", WATCHDOG_PID="1", KEPT="yes")
        m.options = ["-L", m.path("out")]
        m.start()
        manager.hear_of("READY")
        with open(m.path("out")) as f:
            names = [line.split("=")[0] for line in f]
        self.assertIn("KEPT", names)
        self.assertFalse({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(names))
        self.assertEqual(m.stop(), 0)

    def test_odd_variables_are_ignored(self):
        m = self.instance(ECHO_CONF % ("", "prefork=1"))
        m.extra = {"NOTIFY_SOCKET": "relative", "WATCHDOG_USEC": "often"}
        m.start()
        m.connect().close()
        self.assertEqual(m.stop(), 0)
        self.assertEqual(len(m.log("NOTIFY_SOCKET")), 1)

    def test_a_storm_does_not_fill_the_log(self):
        m = self.instance('SERVICES {\n flood cmd="/bin/sh @dir@/flood" listen="@dir@/s" prefork=1\n'
                          ' quiet cmd="@echo@ -C @conf@" listen="@dir@/t" prefork=1\n}\n')
        with open(m.path("flood"), "w") as f:
            f.write("head -c 80000 /dev/zero >&3\n: >%s\nexec sleep 1000\n" % m.path("flooded"))
        m.start()
        until("ten thousand messages are written", lambda: os.path.exists(m.path("flooded")))
        until("and read", lambda: m.metric("forks_total", "quiet"))
        self.assertEqual(m.stop(), 0)
        lines = m.log(" crit: ") + m.log(" err: ") + m.log(" warning: ")
        told = [re.search(r" (\d+) more lines? like: ", x) for x in lines]
        told = [int(x.group(1)) for x in told if x]
        self.assertLess(len(lines), 100)
        self.assertGreater(sum(told), 9000)


if __name__ == "__main__":
    unittest.main()
