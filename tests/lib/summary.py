#!/usr/bin/env python3
"""summary.py BUILD SOURCE - counts what `make check` did, from the .trs and .log files it leaves, and ends with
"N passed, N failed" (", N skipped" when something could not run). A Check or unittest program counts with each of its tests."""
import os
import re
import sys


def results(build):
    """(name, PASS/FAIL/SKIP/ERROR..., text of the log)"""
    for folder, _, files in os.walk(build):
        for name in sorted(files):
            if not name.endswith(".trs"):
                continue
            path = os.path.join(folder, name)
            with open(path, errors="replace") as f:
                m = re.search(r"^:test-result: *(\S+)", f.read(), re.M)
            log = path[:-4] + ".log"
            text = ""
            if os.path.exists(log):
                with open(log, errors="replace") as f:
                    text = f.read()
            yield os.path.relpath(path[:-4], build), m.group(1) if m else "ERROR", text


def counts(text):
    """(passed, failed, skipped) that the program itself reports; None when it does not say."""
    passed = failed = skipped = 0
    found = False
    for m in re.finditer(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", text, re.M):
        found = True
        failed += int(m.group(2)) + int(m.group(3))
        passed += int(m.group(1)) - int(m.group(2)) - int(m.group(3))
    for m in re.finditer(r"^Ran (\d+) tests? in [^\n]*\n\s*(OK|FAILED)(?: \(([^)]*)\))?", text, re.M):
        found = True
        detail = dict(re.findall(r"(failures|errors|skipped)=(\d+)", m.group(3) or ""))
        bad = int(detail.get("failures", 0)) + int(detail.get("errors", 0))
        out = int(detail.get("skipped", 0))
        failed += bad
        skipped += out
        passed += int(m.group(1)) - bad - out
    for line in re.findall(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", text, re.M):          # pytest
        found = True
        n = {word: int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", line)}
        passed += n.get("passed", 0)
        failed += n.get("failed", 0) + n.get("error", 0) + n.get("errors", 0)
        skipped += n.get("skipped", 0)
    out = len(re.findall(r"^skipped: ", text, re.M))                # a Check test that could not run says so on a line of its own
    skipped += out
    passed -= min(out, passed)
    return (passed, failed, skipped) if found else None


def main():
    build, _ = sys.argv[1:]
    passed = failed = skipped = 0
    for name, result, text in results(build):
        p, f, s = counts(text) or (0, 0, 0)
        if result in ("PASS", "XFAIL"):
            p, f = (p, f) if p + f + s else (1, 0)
        elif result == "SKIP":
            s += 1
            print("SKIPPED %s: %s" % (name, (text.strip().splitlines() or ["no reason given"])[-1]))
        else:
            f = f or 1
            print("FAILED %s; the end of its log:" % name)
            print("\n".join("    " + line for line in text.splitlines()[-40:]))
        if s and result != "SKIP":
            for m in re.finditer(r"^(?:.*skipped '(.*)'|SKIPPED (.*)|skipped: (.*))$", text, re.M):
                print("SKIPPED in %s: %s" % (name, m.group(1) or m.group(2) or m.group(3)))
        passed, failed, skipped = passed + p, failed + f, skipped + s
    if not passed and not failed:
        failed = 1
        print("FAILED: no test left a result")
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
