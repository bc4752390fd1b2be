"""A private store with our lmtpd on a socket, and a raw LMTP client. Nothing here measures time: deadlines only keep a
failing test from hanging."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

BUILD = os.getcwd()
SOURCE = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
LMTPD = os.environ.get("LMTPD", os.path.join(BUILD, "lmtpd"))
STORE = os.path.join(BUILD, "lmtp_store")
DELIVER = os.environ.get("DELIVER", os.path.join(BUILD, "imap", "tools", "deliver"))
PATIENCE = 60
OWNER = "lrswipkxtecda"


def environment():
    e = dict(os.environ, CYRUS_USER=pwd.getpwuid(os.getuid()).pw_name, TZ="UTC",
             ASAN_OPTIONS="detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0")
    for name in ("CYRUS_GROUP", "CYRUS_VERBOSE", "CYRUS_PREFIX", "CYRUS_SERVICE", "CYRUS_ID", "CYRUS_ISDAEMON"):
        e.pop(name, None)
    if os.getuid() == 0:
        e["CYRUS_GROUP"] = "root"
    return e


class Instance:
    """level: "2.5" or "3.6". The service runs under `lmtpd -X`-less harness rules: we play master and hand it a listening
    socket on fd 4 and a status pipe on fd 3."""

    def __init__(self, level, unix=False, arguments=("-a",), **options):
        self.dir = tempfile.mkdtemp(prefix="lmtp-test-")
        for d in ("conf/socket", "conf/db", "conf/proc", "conf/msg", "spool"):
            os.makedirs(os.path.join(self.dir, d))
        self.conf = os.path.join(self.dir, "imapd.conf")
        self.socket_path = os.path.join(self.dir, "conf/socket/lmtp")
        settings = {"configdirectory": self.dir + "/conf", "defaultpartition": "default",
                    "partition-default": self.dir + "/spool",
                    "servername": "golden.example", "compatibility_level": level, "admins": "admin",
                    "sievedir": self.dir + "/sieve",
                    "sasl_pwcheck_method": "auxprop", "sasl_auxprop_plugin": "sasldb", "sasl_mech_list": "PLAIN EXTERNAL",
                    "sasl_sasldb_path": self.dir + "/conf/sasldb2", "allowplaintext": "yes", "unixhierarchysep": "no",
                    "altnamespace": "no"}
        settings.update(options)
        with open(self.conf, "w") as f:
            for name, value in settings.items():
                f.write("%s: %s\n" % (name, value))
        if unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.socket_path)
        else:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.address = self.listener.getsockname()
        self.arguments = list(arguments) if not unix else []
        self.process = None

    def start(self):
        status_r, status_w = os.pipe()
        listener = self.listener.fileno()

        def inherit():
            high = [os.dup(status_w), os.dup(listener)]
            high = [fd if fd > 9 else os.dup2(fd, 10 + i) for i, fd in enumerate(high)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        e = environment()
        e.update(CYRUS_SERVICE="lmtp", CYRUS_ID="1", CYRUS_ISDAEMON="1")
        self.process = subprocess.Popen([LMTPD, "-C", self.conf] + self.arguments, env=e, close_fds=False, preexec_fn=inherit,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        os.close(status_w)
        self.status = status_r
        return self

    def store(self, *args):
        r = subprocess.run([STORE, self.conf] + list(args), env=environment(), stdin=subprocess.DEVNULL, timeout=PATIENCE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if r.returncode:
            raise AssertionError("lmtp_store %r: %s" % (args, r.stderr.decode()))
        return r.stdout.decode()

    def create(self, name, acl=None):
        user = name.split(".")[1] if name.startswith("user.") else "anyone"
        self.store("create", name, acl or "%s %s" % (user, OWNER))

    def messages(self, name):
        """[(uid, internaldate, path)]"""
        rows = [line.split(" ", 2) for line in self.store("list", name).splitlines()]
        return [(int(r[0]), int(r[1]), r[2]) for r in rows]

    def texts(self, name):
        out = []
        for _, _, path in self.messages(name):
            with open(path, "rb") as f:
                out.append(f.read())
        return out

    def client(self):
        return Client(self.address)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            finally:
                if self.process.poll() is None:
                    os.kill(self.process.pid, signal.SIGKILL)
            os.close(self.status)
        self.listener.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Client:
    def __init__(self, address):
        self.s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.s.settimeout(PATIENCE)
        self.s.connect(address)
        self.f = self.s.makefile("rb")
        self.banner = self.reply()

    def reply(self):
        """One reply, its lines joined by LF; "" at the end of the stream."""
        lines = []
        while True:
            line = self.f.readline()
            if not line:
                return "\n".join(lines)
            assert line.endswith(b"\r\n"), line
            lines.append(line[:-2].decode("latin-1"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else data.encode("latin-1") + b"\r\n")

    def command(self, data):
        self.send(data)
        return self.reply()

    def begin(self, *rcpts, sender="sender@example.com"):
        self.command("LHLO client.example")
        assert self.command("MAIL FROM:<%s>" % sender).startswith("250"), "MAIL"
        return [self.command("RCPT TO:<%s>" % r if "<" not in r else "RCPT TO:" + r) for r in rcpts]

    def data(self, message, replies=1):
        assert self.command("DATA") == "354 go ahead"
        self.s.sendall(stuff(message) + b".\r\n")
        return [self.reply() for _ in range(replies)]

    def deliver(self, message, *rcpts, sender="sender@example.com"):
        answers = self.begin(*rcpts, sender=sender)
        ok = sum(a.startswith("250") for a in answers)
        return answers + (self.data(message, ok) if ok else [])

    def close(self):
        self.f.close()
        self.s.close()


def stuff(message):
    if message and not message.endswith(b"\r\n"):
        message += b"\r\n"
    if message.startswith(b"."):
        message = b"." + message
    return message.replace(b"\r\n.", b"\r\n..")
