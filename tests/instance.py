"""instance - a private mail server for one test: its own directory, loopback ports from the kernel, stopped by pid.

Our programs are taken from the build directory ($builddir, default: the working directory), Debian's Cyrus from $PEER_ROOT when a
test asks for it. As root the servers run as root ($CYRUS_USER), so that a build directory anywhere will do."""
import contextlib, os, shutil, signal, socket, subprocess, tempfile, time

BUILD = os.path.abspath(os.environ.get('builddir', '.'))
PROGRAMS = {'master': 'master/master', 'imapd': 'imapd', 'lmtpd': 'lmtpd', 'deliver': 'deliver'}
REALM = 'test.example'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def program(name):
    """Path of one of our programs in the build directory."""
    for path in (PROGRAMS.get(name, name), 'imap/tools/' + name, name):
        full = os.path.join(BUILD, path)
        if os.path.isfile(full):
            return full
    raise FileNotFoundError(name)


def ok(answer):
    """The data of an answer of imaplib, which must be OK."""
    assert answer[0] == 'OK', answer
    return answer[1]


def asan_options(more=''):
    """For programs in which something is loaded before the sanitizer is."""
    return os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0' + more


def syslog_file(path, more=''):
    """The environment in which what programs say to syslog is in that file. more: of the sanitizer's options."""
    return {'LD_PRELOAD': os.path.join(BUILD, 'tests/syslog_file.so'), 'SYSLOG_FILE': path, 'ASAN_OPTIONS': asan_options(more)}


class Instance:
    """conf: extra lines of imapd.conf. users: each gets the password 'pw'; 'admin' is the administrator."""

    def __init__(self, conf='', users=('admin', 'alice', 'bob'), services=('imap', 'lmtp'), root=None):
        self.root = root or tempfile.mkdtemp(prefix='camb-')
        self.own_root = root is None
        self.master, self.theirs = None, False
        self.ports = {s: free_port() for s in services}
        os.makedirs(self.path('conf'), exist_ok=True)
        self.env = dict(os.environ, TZ='UTC')
        if os.geteuid() == 0:
            self.env.setdefault('CYRUS_USER', 'root')
            self.env.setdefault('CYRUS_GROUP', 'root')
        self.write_conf(conf)
        for user in users:
            subprocess.run(['saslpasswd2', '-p', '-c', '-f', self.path('conf/sasldb2'), '-u', REALM, user], input=b'pw\n',
                           check=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def write_conf(self, extra=''):
        with open(self.path('imapd.conf'), 'w') as f:
            if 'allowplaintext:' not in extra:
                extra += '\nallowplaintext: yes'
            f.write(f'''configdirectory: {self.path('conf')}
defaultpartition: default
partition-default: {self.path('spool')}
admins: admin
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {self.path('conf/sasldb2')}
sasl_mech_list: PLAIN LOGIN
servername: {REALM}
allowusermoves: yes
lmtpsocket: {self.path('conf/socket/lmtp')}
{extra}
''')

    def start(self, bindir=None, env=None, args=None, service='', patience=60):
        """Starts a master and waits until its services answer. bindir: another build's programs (Debian's). args: of the daemons,
        by the service's name. service: more words for every service's line in cyrus.conf."""
        def where(name):
            return os.path.join(bindir, name) if bindir else program(name)
        self.theirs = bindir is not None
        os.makedirs(self.path('conf/socket'), exist_ok=True)
        with open(self.path('cyrus.conf'), 'w') as f:
            f.write(f'START {{\n  recover cmd="{where("ctl_cyrusdb")} -C {self.path("imapd.conf")} -r"\n}}\nSERVICES {{\n')
            for name, port in self.ports.items():
                daemon, extra = {'imap': ('imapd', ''), 'lmtp': ('lmtpd', ' -a')}[name]
                extra = (args or {}).get(name, extra)
                f.write(f'  {name} cmd="{where(daemon)} -C {self.path("imapd.conf")}{extra}" listen="127.0.0.1:{port}" '
                        f'proto="tcp4" prefork=0 {service}'
                        '\n')
            f.write('}\n')
        self.master = subprocess.Popen([where('master'), '-C', self.path('imapd.conf'), '-M', self.path('cyrus.conf'), '-p',
                                        self.path('pid'), '-D'],
                                       env=dict(self.env, **(env or {})), start_new_session=True, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + patience
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(('127.0.0.1', port), 5).close()
                    break
                except OSError:
                    if self.master.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(f'master did not come up (status {self.master.poll()})') from None
                    time.sleep(0.05)
        return self

    def stop(self):
        if self.master and self.master.poll() is None:
            self.master.send_signal(signal.SIGTERM)
            try:
                self.master.wait(20 if self.theirs else 120)       # Debian's master now and then stays
            except subprocess.TimeoutExpired:
                os.killpg(self.master.pid, signal.SIGKILL)        # its session is its own
                self.master.wait()
                if not self.theirs:
                    raise
        status, self.master = self.master.returncode if self.master else 0, None
        return status

    def tool(self, name, *args, bindir=None, env=None, check=True, **kw):
        path = os.path.join(bindir, name) if bindir else program(name)
        return subprocess.run([path, '-C', self.path('imapd.conf'), *args], env=dict(self.env, **(env or {})),
                              capture_output=True, text=True,
                              check=check, timeout=120, **kw)

    def close(self):
        with contextlib.suppress(Exception):
            self.stop()
        if self.own_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
