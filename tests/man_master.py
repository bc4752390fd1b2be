#!/usr/bin/env python3
"""man_master.py - master(8), cyrus.conf(5) and doc/admin/master.md say what the code does, both ways: options, signals,
variables, exit codes, the keys of each section with type and default, and each line of the log. What is new in one place only
fails here."""
import os
import re
import sys

SRC = os.environ.get('srcdir', '.')
MASTER = os.path.join(SRC, 'master')
faults = []


def read(*path):
    with open(os.path.join(SRC, *path)) as f:
        return f.read()


def compare(what, code, page, where):
    for name in sorted(set(code) - set(page), key=str):
        faults.append('%s: %s of the code is not in %s' % (what, name, where))
    for name in sorted(set(page) - set(code), key=str):
        faults.append('%s: %s of %s is not in the code' % (what, name, where))


def section(page, name, level='Sh'):
    """The text below one heading, up to the next of its level or above."""
    ends = r'^\.S[h]' if level == 'Sh' else r'^\.S[hs]'
    start = re.search(r'^\.%s %s$' % (level, re.escape(name)), page, re.M)
    if not start:
        faults.append('no section %s' % name)
        return ''
    rest = page[start.end():]
    end = re.search(ends, rest, re.M)
    return rest[:end.start()] if end else rest


def sources(service=False):
    names = [n for n in sorted(os.listdir(MASTER)) if n.endswith('.c')]
    return {n: read('master', n) for n in names if service or n.startswith('services') or not n.startswith('service')}


def check_options():
    text = read('master', 'master.c')
    letters = re.search(r'getopt\(argc, argv, "([^"]+)"\)', text).group(1)
    code = {m.group(1): bool(m.group(2)) for m in re.finditer(r'(\w)(:?)', letters)}
    page = read('doc', 'man', 'master.8')
    about = section(page, 'DESCRIPTION')
    listed = {m.group(1): bool(m.group(2)) for m in re.finditer(r'^\.It Fl (\w)( Ar \w+)?', about, re.M)}
    compare('option', code.items(), listed.items(), 'master(8)')
    short = {}
    for m in re.finditer(r'^\.(?:Op )?Fl (\w+)( Ar )?', section(page, 'SYNOPSIS'), re.M):
        short.update({c: bool(m.group(2)) for c in m.group(1)})
    compare('option', code.items(), short.items(), 'the synopsis')


def check_signals():
    code = re.findall(r'\{ SIG(\w+), on_', read('master', 'signals.c'))
    items = re.findall(r'^\.It Li (.*)', section(read('doc', 'man', 'master.8'), 'SIGNALS'), re.M)
    compare('signal', code, [x for item in items for x in item.split(' , ')], 'master(8)')


def check_variables():
    texts = list(sources().values()) + [read('lib', 'conf', n) for n in ('program.c', 'conf_parse.c')]
    code = {x for text in texts for x in re.findall(r'getenv\("(\w+)"\)', text)}
    code |= set(re.findall(r'"(CYRUS_\w+)"', read('master', 'spawn.c')))
    items = re.findall(r'^\.It Ev (.*)', section(read('doc', 'man', 'master.8'), 'ENVIRONMENT'), re.M)
    compare('variable', code, [x for item in items for x in item.split(' , ')], 'master(8)')


def check_exit_codes():
    codes = {'EX_USAGE': '64', 'EX_UNAVAILABLE': '69', 'EX_SOFTWARE': '70', 'EX_OSERR': '71', 'EX_TEMPFAIL': '75',
             'EX_CONFIG': '78'}
    code = {codes[x] for text in sources().values() for x in re.findall(r'\bEX_[A-Z]+\b', text)} | {'0', '1', '2'}
    compare('exit code', code, re.findall(r'^\.It Li (\d+)$', section(read('doc', 'man', 'master.8'), 'EXIT STATUS'), re.M),
            'master(8)')


def code_keys():
    """{(section, key): (type, default)}"""
    text = read('master', 'conf_cyrus.c')
    kinds = {}
    start = dict(re.findall(r'\.(\w+) = (?:mem_strdup\()?"?(-?\w+)"?\)?',
                            re.search(r'struct cyrusconf_entry e = \{(.*?)\};', text, re.S).group(1)))
    for key, statement in re.findall(r'case KEY_(\w+): (.*?); break;', text):
        key = key.lower()
        number = re.search(r'to_int\(ps, e->line, a, (-?\d+)\)', statement)
        switch = re.search(r'to_switch\(ps, e->line, a, (\w+)\)', statement)
        if number:
            kinds[key] = ('number', 'default ' + number.group(1))
            if start.get(key, '0') != number.group(1):
                faults.append('key %s: what it is without the key and with a bad value differs' % key)
        elif switch:
            kinds[key] = ('switch', 'default ' + {'false': 'no', 'true': 'yes'}[switch.group(1)])
        elif key in ('cmd', 'listen'):
            kinds[key] = ({'cmd': 'command', 'listen': 'address'}[key], 'required')
        elif key in start and not start[key].startswith('-'):
            kinds[key] = ('word', 'default ' + start[key])
        else:
            kinds[key] = ({'at': 'hhmm', 'cron': 'fields'}[key], 'no default')
    found = {}
    for key, where in re.findall(r'\[KEY_\w+\] = \{ "(\w+)", ([^}]*) \}', text):
        for name in re.findall(r'IN\((\w+)\)', where):
            found[name, key] = kinds[key]
    found['DAEMON', 'maxforkrate'] = ('number', 'default 10')     # a daemon is babysat: service_configure()
    return found


def check_keys():
    page = read('doc', 'man', 'cyrus.conf.5')
    listed = {}
    for name in ('START', 'SERVICES', 'EVENTS', 'DAEMON'):
        for key, kind, default in re.findall(r'^\.It Li (\w+) Ns = Ns Ar (\w+) , No (.*)$', section(page, name, 'Ss'), re.M):
            listed[name, key] = (kind, default)
    code = code_keys()
    assert len(code) > 15, 'the key table is not where it should be'
    compare('key', code.items(), listed.items(), 'cyrus.conf(5)')
    if not re.search(r'A line has at most %s bytes'
                     % re.search(r'CYRUSCONF_LINE_MAX (\d+)', read('master', 'conf_cyrus.h')).group(1), page):
        faults.append('cyrus.conf(5) has another line length')


# ---- the log

STRING = r'"(?:[^"\\]|\\.)*"'
NOT_TOLD = {'%s'}          # passes on a text made elsewhere; doc/admin/master.md tells of those in words


def calls(text):
    """The arguments of each log_msg(), as text."""
    for m in re.finditer(r'\blog_msg\(', text):
        depth, i = 1, m.end()
        while depth:
            s = re.match(STRING + r"|'(?:[^'\\]|\\.)'", text[i:])
            if s:
                i += s.end()
                continue
            depth += {'(': 1, ')': -1}.get(text[i], 0)
            i += 1
        yield text[m.end():i - 1]


def arguments(text):
    """Cut at the commas that are neither in a string nor in parentheses."""
    depth, start, i, parts = 0, 0, 0, []
    while i < len(text):
        s = re.match(STRING + r"|'(?:[^'\\]|\\.)'", text[i:])
        if s:
            i += s.end()
            continue
        depth += {'(': 1, ')': -1, '[': 1, ']': -1}.get(text[i], 0)
        if text[i] == ',' and not depth:
            parts.append(text[start:i])
            start = i + 1
        i += 1
    return parts + [text[start:]]


def formats(expression):
    """The strings an expression may be: those next to each other are one."""
    for m in re.finditer(r'(?:%s|\b[A-Z_]{4,}\b|\s)+' % STRING, expression):
        pieces = re.findall(STRING, m.group(0))
        if pieces:
            yield ''.join(p[1:-1] for p in pieces).replace('\\"', '"')


def check_log():
    quiet = ('LOG_INFO', 'LOG_DEBUG')
    code, any_level = {}, set()
    for name, text in sources(service=True).items():
        for call in calls(text):
            level, text_arg = arguments(call)[:2]
            level = level.strip()
            for line in formats(text_arg):
                any_level.add(line)
                if level not in quiet and line not in NOT_TOLD:
                    levels = re.findall(r'LOG_(\w+)', level)
                    code.setdefault(line, set()).update(x.lower() for x in levels if 'LOG_' + x not in quiet)
    assert len(code) > 60, 'the log lines are not where they should be'
    page = read('doc', 'admin', 'master.md')
    rows = re.findall(r'^\| ([a-z, ]+) \| ``? ?(.*?) ?``? \| .*\|$', page, re.M)
    told = {line: {x.strip() for x in level.split(',')} for level, line in rows}
    compare('log line', code, [x for x in told if x not in any_level or x in code], 'doc/admin/master.md')
    for line, levels in code.items():
        if levels and line in told and not levels <= told[line]:
            faults.append('log line: %s is %s, not %s' % (line, '/'.join(sorted(levels)), '/'.join(sorted(told[line]))))


def main():
    for check in (check_options, check_signals, check_variables, check_exit_codes, check_keys, check_log):
        check()
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main())
