#!/usr/bin/env python3
"""master.py - the same clients through our master and Debian's Cyrus's, in one run, in turn.

  master.py [--builddir DIR] [--cyrus-root DIR] [--rounds N] [--connections N]

Rows: a service that serves one client and ends (prefork=0), ten workers that are used again, and what master costs while nothing
happens. The service is bench_worker under both, so that the difference is master's. Of each the best round counts; a ratio above
1 means that ours is better. Debian's Cyrus is taken from where its packages were unpacked (dpkg-deb -x). Needs root: its master
becomes the account cyrus."""
import argparse, os, platform, pwd, shutil, signal, socket, subprocess, sys, tempfile, time

SERVICES = 40                          # others in the same cyrus.conf, which have nothing to do


class Master:
    def __init__(self, program, imapd, env, builddir, service):
        self.dir = tempfile.mkdtemp(prefix='bench-master-')
        self.build = builddir
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        for d in ('conf/socket', 'conf/proc', 'conf/stats', 'conf/db', 'conf/log', 'conf/lock', 'conf/msg', 'run/stage.'):
            os.makedirs(self.path(d))
        worker = self.path('bench_worker')
        shutil.copy(os.path.join(builddir, 'bench_worker'), worker)
        with open(self.path('imapd.conf'), 'w') as f:
            f.write('configdirectory: %s\npartition-default: %s\ndefaultpartition: default\nservername: bench\n'
                    'sasl_pwcheck_method: auxprop\nsasl_mech_list: PLAIN\n' % (self.path('conf'), self.path('run')))
        with open(self.path('cyrus.conf'), 'w') as f:
            command = '%s -C %s %s' % (imapd, self.path('imapd.conf'), service[0]) if service[2] else '%s %s' % (worker,
                    service[0])
            f.write('SERVICES {\n  s cmd="%s" listen="127.0.0.1:%d" %s\n' % (command, self.port, service[1]))
            for i in range(SERVICES):
                f.write('  idle%d cmd="%s 1000" listen="%s" prefork=1\n' % (i, worker, self.path('run/%d' % i)))
            f.write('}\n')
        subprocess.run(['chown', '-R', 'cyrus:mail', self.dir], check=True)
        os.chmod(self.dir, 0o755)
        self.p = subprocess.Popen([program, '-C', self.path('imapd.conf'), '-M', self.path('cyrus.conf'), '-p', self.path('pid'),
                                   '-l', '512'],
                                  env=dict(os.environ, CYRUS_USER='cyrus', CYRUS_GROUP='mail', **env), start_new_session=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(('127.0.0.1', self.port), 5).close()
                break
            except OSError:
                time.sleep(0.02)
        time.sleep(0.5)                # every idle service has its worker

    def path(self, name):
        return os.path.join(self.dir, name)

    def cpu(self):
        """Seconds of master itself, and of the children that it has reaped."""
        with open('/proc/%d/stat' % self.p.pid) as f:
            v = f.read().rpartition(')')[2].split()
        with open('/proc/%d/schedstat' % self.p.pid) as f:
            own = int(f.read().split()[0]) / 1e9
        return own, (int(v[13]) + int(v[14])) / os.sysconf('SC_CLK_TCK')

    def memory(self):
        with open('/proc/%d/smaps_rollup' % self.p.pid) as f:
            return {x.split()[0][:-1]: int(x.split()[1]) for x in f if x.split()[0] in ('Rss:', 'Pss:', 'Private_Dirty:')}

    def clients(self, count, at_once):
        before, t0 = self.cpu(), time.monotonic()
        out = subprocess.run([os.path.join(self.build, 'bench_clients'), '127.0.0.1', str(self.port), str(count), str(at_once)],
                             stdout=subprocess.PIPE, check=True, text=True).stdout.split()
        time.sleep(0.3)                # the last are reaped
        after = self.cpu()
        done, refused, lost = int(out[0]), int(out[2]), int(out[3])
        return {'per second': done / float(out[1]), 'refused or lost': refused + lost, 'p50 ms': int(out[4]) / 1000,
                'p99 ms': int(out[5]) / 1000,
                'CPU s of master per 10,000': (after[0] - before[0]) * 10000 / max(1, done),
                'CPU s with reaped children per 10,000': (sum(after) - sum(before)) * 10000 / max(1, done)}

    def idle(self, seconds):
        before = self.cpu()[0]
        time.sleep(seconds)
        m = self.memory()
        return {'idle CPU ms per minute': (self.cpu()[0] - before) * 60000 / seconds, 'resident KiB': m['Rss'],
                'private KiB': m['Private_Dirty']}

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, signal.SIGKILL)
            self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


HIGHER = {'per second'}
# name, (arguments, keys of the entry, is it each one's own imapd?, connections in hundredths of what is asked for, then look at
# it idle)
ROWS = [('one client each, prefork=0', ('1', '', False, 20, False)),
        ('ten workers, used again', ('100000000', 'prefork=10 maxchild=10', False, 100, True)),
        ("each one's own imapd: ten workers", ('-U 250', 'prefork=10 maxchild=10', True, 20, False)),
        ("each one's own imapd: one client each", ('-U 1', '', True, 5, False))]


def better(name, a, b):
    return max(a, b) if name in HIGHER else min(a, b)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--builddir', default='.')
    ap.add_argument('--cyrus-root')
    ap.add_argument('--rounds', type=int, default=3)
    ap.add_argument('--connections', type=int, default=10000)
    ap.add_argument('--idle', type=float, default=20)
    o = ap.parse_args()
    if os.geteuid() or 'cyrus' not in [p.pw_name for p in pwd.getpwall()]:
        sys.exit('needs root, and the account cyrus')
    build = os.path.abspath(o.builddir)
    masters = {'ours': (os.path.join(build, 'master/master'), os.path.join(build, 'imapd'), {})}
    root = o.cyrus_root or '/'
    theirs = os.path.join(root, 'usr/lib/cyrus/bin/master')
    if os.path.exists(theirs):
        masters['Cyrus'] = (theirs, os.path.join(root, 'usr/lib/cyrus/bin/imapd'),
                            {'LD_LIBRARY_PATH': os.path.join(root, 'usr/lib/x86_64-linux-gnu')})
    with open('/proc/cpuinfo') as f:
        cpu = next((x.split(':')[1].strip() for x in f if x.startswith('model name')), platform.machine())
    print('%s, %d processors, Linux %s; %d connections a round, %d rounds, 50 at once, %d idle services beside'
          % (cpu, os.cpu_count(), platform.release(), o.connections, o.rounds, SERVICES))
    results = {}
    for rnd in range(o.rounds):
        for row, service in ROWS:
            for who, (program, imapd, env) in masters.items():
                m = Master(program, imapd, env, build, service)
                got = m.clients(o.connections * service[3] // 100, 50)
                if service[4] and rnd == 0:
                    got.update(m.idle(o.idle))
                m.stop()
                for k, v in got.items():
                    was = results.get((row, k, who))
                    results[row, k, who] = v if was is None else better(k, was, v)
    print('\n| | | %s | ratio |\n|---|---|%s--:|' % (' | '.join(masters), '--:|' * len(masters)))
    for row, k in dict.fromkeys((r, k) for r, k, _ in results):
        v = [results[row, k, who] for who in masters]
        ratio = '' if len(v) < 2 or not all(v) else '%.2f' % (v[0] / v[1] if k in HIGHER else v[1] / v[0])
        print('| %s | %s | %s | %s |' % (row, k, ' | '.join('%.4g' % x for x in v), ratio))


main()
