#!/usr/bin/env python3
"""lmtpd as a process, at both levels: the protocol, recipients, quota, repeats, damaged input, deliver(8)."""
import base64
import os
import shutil
import socket
import ssl
import subprocess
import unittest

import lmtplib

SASLPASSWD = shutil.which("saslpasswd2") or "/usr/sbin/saslpasswd2"
MESSAGE = (b"From: a@example.com\r\nTo: b@example.com\r\nSubject: %s\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
           b"Message-ID: <%s@example.com>\r\n\r\nbody\r\n")
UNKNOWN = ("550-Mailbox unknown.  Either there is no mailbox associated with this\n"
           "550-name or you do not have authorization to see it.\n550 5.1.1 User unknown")


def message(name):
    return MESSAGE % (name.encode(), name.encode())


class Base:
    level = None
    ok = None

    def start(self, mailboxes=("user.alice",), **kw):
        self.inst = lmtplib.Instance(self.level, **kw)
        self.addCleanup(self.inst.stop)
        for m in mailboxes:
            name, _, acl = m.partition("|")
            self.inst.create(name, acl or None)
        return self.inst.start()

    def connect(self):
        c = self.inst.client()
        self.addCleanup(c.close)
        return c

    def subjects(self, name):
        return [t.split(b"\r\nSubject: ")[1].split(b"\r\n")[0].decode() for t in self.inst.texts(name)]

    def assertDelivered(self, replies):
        for r in replies:
            self.assertRegex(r, r"^250 2\.1\.5 (ok|%s SESSIONID=<[^>]+>)$" % self.ok)

    # ---- protocol

    def test_session(self):
        self.start()
        c = self.connect()
        self.assertRegex(c.banner, r"^220 golden\.example Cyrus LMTP %s\S* server ready$"
                         % {"2.5": "2.5.7", "3.6": "3.6.1"}[self.level])
        answer = c.command("LHLO x.example").split("\n")
        self.assertEqual(answer[:5], ["250-golden.example", "250-8BITMIME", "250-ENHANCEDSTATUSCODES", "250-PIPELINING",
                                      "250-SIZE"])
        self.assertIn("250-AUTH EXTERNAL", " ".join(answer).replace("PLAIN ", ""))
        if self.level == "2.5":
            self.assertEqual(answer[-1], "250 IGNOREQUOTA")
        else:
            self.assertEqual(answer[-2], "250-IGNOREQUOTA")
            self.assertRegex(answer[-1], "^250 Ok SESSIONID=<.+>$")
        table = [("DATA", "503 5.5.1 No recipients"), ("RCPT TO:<alice>", "503 5.5.1 Need MAIL command"),
                 ("HELO x", "500 5.5.2 Syntax error"),
                 ("", "500 5.5.2 Syntax error"), ("NOOP", "250 2.0.0 ok"),
                 ("VRFY alice", "252 2.3.3 try RCPT to attempt delivery"),
                 ("MAIL FROM:alice", "501 5.5.4 Syntax error in parameters"), ("MAIL", "501 5.5.4 Syntax error in parameters"),
                 ("STARTTLS", "500 5.5.2 Syntax error"),
                 ("MAIL FROM:<> BODY=9BIT", "501 5.5.4 Unrecognized BODY type"),
                 ("MAIL FROM:<>", "503 5.5.1 Nested MAIL command"),
                 ("RSET", None), ("MAIL FROM:<a@b> SIZE=", "501 5.5.2 SIZE requires a value"), ("RSET", None),
                 ("MAIL FROM:<a@b> X=1", "501 5.5.4 Unrecognized parameters"), ("RSET", None),
                 ("MAIL FROM:<a@b> BODY=8BITMIME SIZE=100 AUTH=<>", "250 2.1.0 ok"),
                 ("RCPT TO:<alice> NOTIFY=NEVER", "501 5.5.4 Unrecognized parameters"),
                 ("RCPT TO:alice", "501 5.5.4 Syntax error in parameters"),
                 ("RCPT TO:<nobody>", UNKNOWN), ("RCPT TO:<>", "501 5.5.4 Syntax error in parameters"),
                 ("RCPT TO:<al\xefce>", "501 5.5.4 Syntax error in parameters"), ("DATA", "503 5.5.1 No recipients"),
                 ("QUIT", "221 2.0.0 bye")]
        for line, want in table:
            got = c.command(line)
            if want is None:
                self.assertRegex(got, "^250 2.0.0 %s SESSIONID=<.+>$" % {"2.5": "ok", "3.6": "Ok"}[self.level])
            else:
                self.assertEqual(got, want, line)
        self.assertEqual(c.reply(), "")

    def test_addresses(self):
        self.start(("user.alice", "user.alice.Work"))
        c = self.connect()
        c.begin()
        for good in ("<alice>", "<ALICE@any.example>", "<@a.example,@b.example:alice@c.example>", '<"alice">', '<"al\\ice"@x>',
                     "<alice+Work>",
                     "<alice+no.such>", "<alice@[127.0.0.1]>", "<alice+>"):
            self.assertEqual(c.command("RCPT TO:" + good), "250 2.1.5 ok", good)
        for bad in ("<alice", "alice", "<al ice>", '<"alice>', "<alice@>", "<alice@a_b>", "<@a:>", "<@a,alice>", "<(alice)>",
                    "<alice>x",
                    "<" + "a" * 1100 + ">"):
            self.assertEqual(c.command("RCPT TO:" + bad), "501 5.5.4 Syntax error in parameters", bad)
        for unknown in ("<alicia>", '<"alice/x">', "<..>", "<+>", "<alice!b>"):
            self.assertEqual(c.command("RCPT TO:" + unknown), UNKNOWN, unknown)

    def test_pipelining_and_one_inode(self):
        self.start(("user.alice", "user.bob", "user.carol"))
        c = self.connect()
        c.s.sendall(b"LHLO x\r\nMAIL FROM:<s@example.com>\r\nRCPT TO:<alice>\r\nRCPT TO:<nobody>\r\nRCPT TO:<bob>\r\n"
                    b"RCPT TO:<carol>\r\nDATA\r\n")
        answers = [c.reply() for _ in range(7)]
        self.assertEqual([a[:3] for a in answers], ["250", "250", "250", "550", "250", "250", "354"])
        c.s.sendall(message("one") + b".\r\nNOOP\r\n")
        self.assertDelivered(c.reply() for _ in range(3))
        self.assertEqual(c.reply(), "250 2.0.0 ok")
        paths = [self.inst.messages("user." + u)[0][2] for u in ("alice", "bob", "carol")]
        self.assertEqual(len({os.stat(p).st_ino for p in paths}), 1)
        self.assertEqual(os.stat(paths[0]).st_nlink, 3)              # the stage file is gone
        self.assertEqual(c.command("DATA"), "503 5.5.1 No recipients")

    def test_unix_socket(self):
        self.start(unix=True)
        c = self.connect()
        self.assertDelivered(c.deliver(message("u"), "alice"))
        self.assertIn(b"([unix socket])", self.inst.texts("user.alice")[0])

    def test_headers(self):
        self.start()
        c = self.connect()
        c.deliver(message("h"), "alice", sender="bounce")
        c.deliver(message("h2"), "alice", sender="")
        one, two = self.inst.texts("user.alice")
        want = (r"^Return-Path: <bounce@golden\.example>\r\nReceived: from client\.example \(\S+( \[127\.0\.0\.1\])?\)\r\n"
                r"\t by golden\.example \(Cyrus \S+\) with LMTPA;\r\n\t \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\n%sX-Sieve: "
                r"CMU Sieve %s\r\nFrom: "
                % (r"X-Cyrus-Session-Id: \S+\r\n" if self.level == "3.6" else "", r"2\.4" if self.level == "2.5" else r"3\.0"))
        self.assertRegex(one.decode(), want)
        self.assertTrue(two.startswith(b"Return-Path: <>\r\n"))

    def test_needs_authentication(self):
        inst = self.start(arguments=())
        subprocess.run([SASLPASSWD, "-p", "-c", "-f", inst.dir + "/conf/sasldb2", "-u", "golden.example", "postie"],
                       input=b"secret",
                       check=True)
        c = self.connect()
        self.assertIn("AUTH PLAIN", c.command("LHLO x"))
        self.assertEqual(c.command("MAIL FROM:<a@b>"), "430 Authentication required")
        self.assertEqual(c.command("AUTH NONSENSE"), "504 Unrecognized authentication type.")
        self.assertEqual(c.command("AUTH PLAIN"), "334 ")
        self.assertEqual(c.command("*"), "501 5.5.4 client canceled authentication")
        wrong = base64.b64encode(b"\0postie\0wrong").decode()
        self.assertRegex(c.command("AUTH PLAIN " + wrong), "^501 5.5.4 ")
        right = base64.b64encode(b"\0postie\0secret").decode()
        self.assertEqual(c.command("AUTH PLAIN " + right), "235 Authenticated!")
        self.assertEqual(c.command("AUTH PLAIN " + right), "503 5.5.0 already authenticated")
        self.assertDelivered(c.deliver(message("a"), "alice"))
        self.assertIn(b"\r\n\t (authenticated user=postie bits=0)\r\n\t by ", self.inst.texts("user.alice")[0])

    @unittest.skipUnless(shutil.which("openssl"), "openssl, which makes the certificate, is not installed")
    def test_starttls(self):
        self.inst = inst = lmtplib.Instance(self.level, arguments=())
        self.addCleanup(inst.stop)
        pem = inst.dir + "/cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=golden.example", "-days", "2",
                        "-keyout", pem,
                        "-out", inst.dir + "/c.pem"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(inst.dir + "/c.pem") as f, open(pem, "a") as g:
            g.write(f.read())
        with open(inst.conf, "a") as f:
            f.write("tls_server_cert: %s\ntls_server_key: %s\n" % (pem, pem))
        inst.create("user.alice")
        subprocess.run([SASLPASSWD, "-p", "-c", "-f", inst.dir + "/conf/sasldb2", "-u", "golden.example", "postie"],
                       input=b"secret", check=True)
        inst.start()
        c = self.connect()
        self.assertIn("250-STARTTLS", c.command("LHLO x"))
        c.send(b"STARTTLS\r\nRSET\r\n")                              # what follows in the clear must not be obeyed afterwards
        self.assertEqual(c.reply(), "220 Begin TLS negotiation now")
        context = ssl.create_default_context(cafile=inst.dir + "/c.pem")
        c.f.close()
        c.s = context.wrap_socket(c.s, server_hostname="golden.example")
        c.f = c.s.makefile("rb")
        answer = c.command("LHLO client.example")
        self.assertTrue(answer.startswith("250-golden.example"), answer)
        self.assertNotIn("STARTTLS", answer)
        self.assertEqual(c.command("STARTTLS"), "454 4.3.3 Already successfully executed STARTTLS")
        self.assertEqual(c.command("AUTH PLAIN " + base64.b64encode(b"\0postie\0secret").decode()), "235 Authenticated!")
        self.assertDelivered(c.deliver(message("t"), "alice"))
        self.assertRegex(self.inst.texts("user.alice")[0].decode(),
                         r"with LMTPSA\r\n\t \(version=TLS\S+ cipher=\S+ bits=\d+\);\r\n\t ")

    def test_untrusted_identity(self):
        """AUTH= of somebody who may not speak for others is nobody."""
        inst = self.start(("user.alice", "user.alice.Mine|alice p", "user.bob", "user.bob.Own|bob p"), arguments=())
        for name in ("bob", "admin"):
            subprocess.run([SASLPASSWD, "-p", "-c", "-f", inst.dir + "/conf/sasldb2", "-u", "golden.example", name],
                           input=b"secret", check=True)
        for login, identity, rcpt, name in (("bob", "alice", "alice+Mine", "forged"), ("bob", "bob", "bob+Own", "own"),
                                            ("admin", "alice", "alice+Mine", "relayed")):
            c = self.connect()
            c.command("AUTH PLAIN " + base64.b64encode(b"\0%s\0secret" % login.encode()).decode())
            self.assertEqual(c.command("MAIL FROM:<a@b> AUTH=" + identity), "250 2.1.0 ok")
            self.assertEqual(c.command("RCPT TO:<%s>" % rcpt), "250 2.1.5 ok")
            self.assertDelivered(c.data(message(name)))
            c.close()                                                  # one process: one client at a time
        self.assertEqual(self.subjects("user.alice"), ["forged"])
        self.assertEqual(self.subjects("user.alice.Mine"), ["relayed"])
        self.assertEqual(self.subjects("user.bob.Own"), ["own"])

    # ---- recipients

    def test_denied_user(self):
        inst = self.start(("user.alice", "user.bob"), userdeny_db="flat")
        with open(inst.dir + "/conf/user_deny.db", "w") as f:
            f.write("alice\t2\tlmtp\tno mail for you\n")
        c = self.connect()
        self.assertEqual(c.begin("alice", "bob"), ["450 4.2.1 Mailbox disabled, not accepting messages", "250 2.1.5 ok"])

    def test_virtual_domains(self):
        self.start(("user.alice", "example.net!user.alice|alice@example.net lrswip", "example.net!user.alice.In|anyone p"),
                   virtdomains="userid",
                   defaultdomain="golden.example")
        c = self.connect()
        for rcpt, name in (("alice", "none"), ("alice@GOLDEN.example", "default"), ("Alice@Example.Net", "net"),
                           ("alice+In@example.net", "in")):
            self.assertDelivered(c.deliver(message(name), rcpt))
            c.command("RSET")
        self.assertEqual(c.begin("alice@example.org"), [UNKNOWN])
        self.assertEqual(self.subjects("user.alice"), ["none", "default"])
        self.assertEqual(self.subjects("example.net!user.alice"), ["net"])
        self.assertEqual(self.subjects("example.net!user.alice.In"), ["in"])

    def test_names_with_dots(self):
        self.start(("user.fred^smith|fred.smith lrswip", "user.fred^smith.a^b|anyone p"), unixhierarchysep="yes")
        c = self.connect()
        for rcpt, name in (("fred.smith", "i"), ("fred.smith+a.b", "f"), ("fred.smith+a/b", "none")):
            self.assertDelivered(c.deliver(message(name), rcpt))
            c.command("RSET")
        self.assertEqual(self.subjects("user.fred^smith"), ["i", "none"])
        self.assertEqual(self.subjects("user.fred^smith.a^b"), ["f"])

    def test_plus_addressing(self):
        self.start(("user.alice", "user.alice.Open|alice lrswipkxtecda anyone p", "user.alice.Closed",
                    "user.alice.Open.Deep|anyone p"))
        c = self.connect()
        for rcpt, name in (("alice+Open", "open"), ("alice+Closed", "closed"), ("alice+none", "none"),
                           ("ALICE+Open.Deep", "deep"),
                           ("alice+open", "case"), ("alice+", "empty"), ("alice+a..b", "dots")):
            self.assertDelivered(c.deliver(message(name), rcpt))
            c.command("RSET")
        self.assertEqual(self.subjects("user.alice.Open"), ["open"])
        self.assertEqual(self.subjects("user.alice.Open.Deep"), ["deep"])
        self.assertEqual(self.subjects("user.alice"), ["closed", "none", "case", "empty", "dots"])

    def test_own_right_to_post(self):
        self.start(("user.alice", "user.alice.Mine|alice p"))
        c = self.connect()
        c.command("LHLO x")
        self.assertEqual(c.command("MAIL FROM:<a@b> AUTH=alice"), "250 2.1.0 ok")
        c.command("RCPT TO:<alice+Mine>")
        self.assertDelivered(c.data(message("mine")))
        self.assertEqual(self.subjects("user.alice.Mine"), ["mine"])

    def test_shared(self):
        self.start(("user.alice", "news|anyone lrp", "board|anyone lr", "secret|alice lrp"))
        c = self.connect()
        self.assertDelivered(c.deliver(message("n"), "+news"))
        answers = c.begin("+board", "+secret", "+nothing")
        self.assertRegex(answers[0], r"^550-You do not have permission to post (.|\n)*\n550 5\.7\.1 Permission denied$")
        self.assertEqual(answers[0].count("\n"), 3)
        self.assertEqual(answers[1:], [UNKNOWN, UNKNOWN])
        self.assertEqual(self.subjects("news"), ["n"])

    def test_postuser_fuzzy_catchall(self):
        self.start(("user.alice", "user.alice.Old Mail|anyone p", "news|anyone lrp"), postuser="bb",
                   lmtp_fuzzy_mailbox_match="yes",
                   lmtp_catchall_mailbox="alice")
        c = self.connect()
        for rcpt, name in (("bb+news", "n"), ("bb+NEWS", "n2"), ("alice+oldmail", "o"), ("alice+OLDMAIL.none", "o2"),
                           ("whoever", "w"),
                           ("alice+else", "e")):
            self.assertDelivered(c.deliver(message(name), rcpt))
            c.command("RSET")
        self.assertEqual(self.subjects("news"), ["n", "n2"])
        self.assertEqual(self.subjects("user.alice.Old Mail"), ["o", "o2"])
        self.assertEqual(self.subjects("user.alice"), ["w", "e"])

    def test_quota(self):
        self.start(("user.alice", "user.bob"))
        self.inst.store("quota", "user.alice", "1")
        c = self.connect()
        big = message("big") + b"x" * 2000 + b"\r\n"
        self.assertDelivered(c.deliver(big, "alice"))                 # was not over yet
        self.assertRegex(c.begin("alice")[0], r"^452 4\.2\.2 Over quota SESSIONID=<.+>$")
        self.assertEqual(c.command("RCPT TO:<alice> IGNOREQUOTA"), "250 2.1.5 ok")
        self.assertDelivered(c.data(message("forced")))
        self.assertDelivered(c.deliver(message("other"), "bob"))
        self.assertEqual(self.subjects("user.alice"), ["big", "forced"])

    def test_strict_and_permanent_quota(self):
        self.start(lmtp_strict_quota="yes", lmtp_over_quota_perm_failure="yes")
        self.inst.store("quota", "user.alice", "1")
        c = self.connect()
        c.command("LHLO x")
        c.command("MAIL FROM:<a@b> SIZE=2000")
        self.assertRegex(c.command("RCPT TO:<alice>"), r"^552 5\.2\.2 Over quota SESSIONID=<.+>$")
        c.command("RSET")
        answers = c.deliver(message("big") + b"x" * 2000, "alice")     # not announced: refused after DATA
        self.assertEqual(answers[0], "250 2.1.5 ok")
        self.assertRegex(answers[1], r"^552 5\.2\.2 Over quota")
        self.assertEqual(self.inst.texts("user.alice"), [])

    # ---- repeats

    def test_repeats(self):
        self.start(("user.alice", "user.bob", "user.carol"))
        self.inst.store("option", "user.bob", "8")
        c = self.connect()
        for _ in range(2):
            self.assertDelivered(c.deliver(message("r"), "alice", "bob"))
        self.assertDelivered(c.deliver(message("r"), "carol"))          # another mailbox: not a repeat
        self.assertDelivered(c.deliver(message("r").replace(b"1 Jan", b"2 Jan"), "alice"))      # another date neither
        self.assertEqual(len(self.inst.texts("user.alice")), 2)
        self.assertEqual(len(self.inst.texts("user.bob")), 2)
        self.assertEqual(len(self.inst.texts("user.carol")), 1)

    def test_repeats_wanted(self):
        self.start(duplicatesuppression="no")
        c = self.connect()
        for _ in range(2):
            self.assertDelivered(c.deliver(message("r"), "alice"))
        self.assertEqual(len(self.inst.texts("user.alice")), 2)

    # ---- what may arrive

    def test_damaged_messages(self):
        self.start(("user.alice", "user.bob"))
        c = self.connect()
        for bad, why in ((b"Subject: a\0b\r\n\r\n", "NUL characters"), (b"no header\r\n\r\n", "invalid header"),
                         (b"Message-ID: \r\n\r\nx", "invalid header")):
            self.assertEqual(c.deliver(bad, "alice", "bob")[2:], ["554 5.6.0 Message contains " + why] * 2)
        self.assertDelivered(c.deliver(b"Subject: gr\xfcn\nX: y\r\n\r\na\nb\rc\r\n.d\r\n", "alice"))
        text = self.inst.texts("user.alice")[0]
        self.assertIn(b"Subject: grXn\r\nX: y\r\nMessage-ID: <cmu-lmtpd-", text)
        self.assertTrue(text.endswith(b"\r\n\r\na\r\nbc\r\n.d\r\n"), text)

    def test_no_smuggling(self):
        """Only CR LF . CR LF ends a message."""
        self.start()
        c = self.connect()
        c.begin("alice")
        c.command("DATA")
        for fake in (b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n.\rQ"):
            c.s.sendall(b"Subject: s\r\n\r\nx" if fake == b"\n.\n" else b"")
            c.s.sendall(fake + b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<alice>\r\nDATA\r\n")
        c.s.sendall(b"\r\n.\r\nNOOP\r\n")
        self.assertDelivered([c.reply()])
        self.assertEqual(c.reply(), "250 2.0.0 ok")
        self.assertEqual(len(self.inst.texts("user.alice")), 1)

    def test_long_lines(self):
        self.start()
        c = self.connect()
        self.assertEqual(c.command("NOOP " + "x" * 100000), "500 5.5.2 Syntax error")
        self.assertEqual(c.command("NOOP"), "250 2.0.0 ok")
        self.assertEqual(c.command(b"NO\0OP\r\n"), "500 5.5.2 Syntax error")
        text = b"Subject: %s\r\n\r\n%s\r\n" % (b"h" * 300000, b"b" * 300000)
        self.assertDelivered(c.deliver(text, "alice"))
        self.assertIn(b"h" * 300000, self.inst.texts("user.alice")[0])

    def test_size_limit(self):
        self.start(("user.alice", "user.bob"), maxmessagesize="1000")
        c = self.connect()
        self.assertIn("250-SIZE 1000", c.command("LHLO x"))
        self.assertEqual(c.command("MAIL FROM:<a@b> SIZE=1001"),
                         "552 5.2.3 Message SIZE exceeds fixed maximum message size (1000)")
        c.command("RSET")
        for answer in c.deliver(message("big") + b"x" * 5000, "alice", "bob")[2:]:
            self.assertRegex(answer, r"^552 5\.2\.3 Message size \(\d+\) exceeds fixed maximum message size \(1000\)$")
        self.assertEqual(c.command("NOOP"), "250 2.0.0 ok")
        self.assertEqual(self.inst.texts("user.alice"), [])

    def test_connection_lost(self):
        """Half-closed in the middle of the message: nothing is stored, no stage file stays, the service goes on."""
        self.start()
        c = self.connect()
        c.begin("alice")
        c.command("DATA")
        c.s.sendall(message("cut"))
        c.s.shutdown(socket.SHUT_WR)
        self.assertEqual(c.reply(), "")
        self.assertDelivered(self.connect().deliver(message("next"), "alice"))
        self.assertEqual(self.subjects("user.alice"), ["next"])
        staged = [f for d, _, files in os.walk(self.inst.dir + "/spool") for f in files if "stage." in d]
        self.assertEqual(staged, [])

    def test_many_recipients_twice(self):
        self.start()
        c = self.connect()
        replies = c.deliver(message("same"), *["alice"] * 50)
        self.assertDelivered(replies)
        self.assertEqual(len(replies), 100)
        self.assertEqual(self.subjects("user.alice"), ["same"])

    def test_shutdown_file(self):
        inst = self.start()
        c = self.connect()
        with open(inst.dir + "/conf/msg/shutdown", "w") as f:
            f.write("gone fishing\nsecond line\n")
        self.assertEqual(c.command("NOOP"), "250 2.0.0 ok")
        self.assertEqual(c.command("MAIL FROM:<a@b>"), "421 4.3.2 gone fishing")
        self.assertEqual(c.reply(), "")

    # ---- deliver

    def run_deliver(self, text, *args):
        return subprocess.run([lmtplib.DELIVER, "-C", self.inst.conf] + list(args), input=text, env=lmtplib.environment(),
                              timeout=lmtplib.PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_deliver(self):
        self.start(("user.alice", "user.alice.Open|anyone p"), unix=True)
        unixy = b"Subject: d\n\n.dot\n..\n"
        self.assertEqual(self.run_deliver(unixy, "-f", "me@example.com", "alice").returncode, 0)
        self.assertEqual(self.run_deliver(b"Subject: o\n\nx", "-m", "Open", "alice").returncode, 0)
        text = self.inst.texts("user.alice")[0]
        self.assertTrue(text.startswith(b"Return-Path: <me@example.com>\r\n") and text.endswith(b"\r\n\r\n.dot\r\n..\r\n"), text)
        self.assertEqual(self.subjects("user.alice.Open"), ["o"])
        r = self.run_deliver(unixy, "nobody")
        self.assertEqual((r.returncode, r.stderr), (65, b"nobody: Mailbox does not exist\n"))
        self.assertEqual(self.run_deliver(b"no header\n", "alice").returncode, 65)
        r = self.run_deliver(b"")
        self.assertEqual(r.returncode, 64)
        self.assertRegex(r.stdout, br"^421-4\.3\.0 usage: ")
        r = self.run_deliver(b"LHLO x\r\nQUIT\r\n", "-l")
        self.assertEqual(r.returncode, 0)
        self.assertTrue(r.stdout.startswith(b"220 ") and r.stdout.endswith(b"221 2.0.0 bye\r\n"), r.stdout)

    def test_deliver_without_server(self):
        self.inst = lmtplib.Instance(self.level)
        self.addCleanup(self.inst.stop)
        self.assertEqual(self.run_deliver(b"Subject: x\n\n", "alice").returncode, 75)


class Level25(Base, unittest.TestCase):
    level, ok = "2.5", "Ok"


class Level36(Base, unittest.TestCase):
    level, ok = "3.6", "Success"


if __name__ == "__main__":
    unittest.main()
