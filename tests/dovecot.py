"""dovecot.py - an installed Dovecot on a directory of its own, on loopback: for the benchmarks, and for what is shown beside it."""
import os
import pwd
import socket
import subprocess
import time

from instance import free_port

PROGRAM = '/usr/sbin/dovecot'


def accounts():
    """Those it insists on."""
    for name in ('dovecot', 'dovenull'):
        try:
            pwd.getpwnam(name)
        except KeyError:
            subprocess.run(['useradd', '--system', '--no-create-home', name], check=True)


def start(root, who, location, home, lmtp=False):
    """who: a pwd entry, never root's. location: of the mail. home: %u is the user. -> the process, {service: port}."""
    ports = {name: free_port() for name in ['imap'] + ['lmtp'] * lmtp}
    accounts()
    for d in ('run', 'state'):
        os.makedirs(os.path.join(root, d), exist_ok=True)
    conf = os.path.join(root, 'dovecot.conf')
    with open(conf, 'w') as f:
        f.write(f'''base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = {' '.join(ports)}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = always
mail_location = {location}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password=pw
}}
userdb {{
  driver = static
  args = uid={who.pw_uid} gid={who.pw_gid} home={home} allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {ports['imap']}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
''')
        if lmtp:
            f.write(f"service lmtp {{\n  inet_listener lmtp {{\n    port = {ports['lmtp']}\n  }}\n}}\n")
    process = subprocess.Popen([PROGRAM, '-F', '-c', conf], start_new_session=True)
    for port in ports.values():
        for _ in range(400):
            try:
                socket.create_connection(('127.0.0.1', port), 5).close()
                break
            except OSError:
                time.sleep(0.05)
    return process, ports
