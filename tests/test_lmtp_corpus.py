#!/usr/bin/env python3
"""Every message of the two corpora through our lmtpd, at both levels and in all configurations: the replies and what was
stored must be those recorded from the originals (cunit/golden/README in short: corpus*/replies.json)."""
import hashlib
import json
import os
import re
import sys

import lmtplib

GOLDEN = os.path.join(lmtplib.SOURCE, "cunit", "golden")
LEVELS = {"2.5.7": "2.5", "3.6.1": "3.6"}
CONFIGS = {"default": {}, "reject8bit": {"reject8bit": "yes"}, "munge8bit-off": {"munge8bit": "no"}}


def own_headers(level):
    names = ["Return-Path", "Received"] + (["X-Cyrus-Session-Id"] if level == "3.6" else []) + ["X-Sieve"]
    return re.compile(("^" + "".join(r"%s: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*" % n for n in names)).encode())


def masked(text):
    text = re.sub(rb"<cmu-lmtpd-[^@>]*@", b"<cmu-lmtpd-*@", text, count=1)
    return re.sub(rb"(<cmu-lmtpd-\*@golden\.example>\r\n|^)Date: \w{3}, \d\d \w{3} 20[0-9]{2} [\d:]+ \+0000(?=\r\n)",
                  rb"\1Date: *", text,
                  count=1) if b"<cmu-lmtpd-*@" in text else text


def same(expected, got, raw):
    """None, or what is wrong."""
    if expected == "same" or expected is None:
        return None if got == raw else "not the same bytes"
    if "text" in expected:
        want = expected["text"].encode("latin-1")
        if got == want or masked(got) == want:
            return None
        dated = re.sub(rb"(?m)^Date: [^\r]*(?=\r\n)", b"Date: *", masked(got))
        return None if dated == want else "stored %r\n expected %r" % (masked(got)[-600:], want[-600:])
    if "sha1" in expected and len(got) == expected["size"]:
        return None if hashlib.sha1(got).hexdigest() == expected["sha1"] else "other bytes"
    return "size %d, expected %r" % (len(got), expected.get("size"))


def run(level, config, rows):
    """[(file, problem)]"""
    bad = []
    inst = lmtplib.Instance(level, duplicatesuppression="no", **CONFIGS[config])
    try:
        inst.create("user.alice")
        inst.start()
        client = inst.client()
        head = own_headers(level)
        results = []
        for folder, row in rows:
            with open(os.path.join(GOLDEN, folder, row["file"]), "rb") as f:
                raw = f.read()
            reply = client.deliver(raw, "alice")[-1]
            client.command("RSET")
            reply = re.sub(r"SESSIONID=<[^>]*>", "SESSIONID=<*>", reply)
            if reply != row["lmtp"]["reply"]:
                bad.append((row["file"], "%r instead of %r" % (reply, row["lmtp"]["reply"])))
            if reply.startswith("250"):
                results.append((row, raw))
        client.close()
        texts = inst.texts("user.alice")
        if len(texts) != len(results):
            return bad + [("all", "%d stored of %d" % (len(texts), len(results)))]
        for text, (row, raw) in zip(texts, results):
            m = head.match(text)
            problem = same(row["lmtp"].get("stored", "same"), text[m.end():], raw) if m else "own headers: %r" % text[:400]
            if problem:
                bad.append((row["file"], problem))
    finally:
        inst.stop()
    return bad


def main():
    groups = {}
    for folder in ("corpus", "corpus-bad"):
        with open(os.path.join(GOLDEN, folder, "replies.json")) as f:
            for row in json.load(f):
                groups.setdefault((row["server"], row["config"]), []).append((folder, row))
    failed = 0
    for (server, config), rows in sorted(groups.items()):
        bad = run(LEVELS[server], config, rows)
        failed += len(bad)
        print("%s %s: %d messages, %d differ" % (server, config, len(rows), len(bad)))
        for name, problem in bad:
            print("  %s: %s" % (name, problem))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
