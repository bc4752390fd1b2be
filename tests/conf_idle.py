#!/usr/bin/env python3
"""conf_idle.py [--write] - lib/conf/idle.def must name exactly the options of imapd.conf that no source file asks for: they are
read for the sake of the file, and administrators are told that they do nothing. --write makes the list anew."""
import os, re, sys

SRC = os.environ.get('srcdir', '.')
IDLE = os.path.join(SRC, 'lib/conf/idle.def')
HEAD = ('/* idle.def - options of the originals that are read and have no effect in this version: what they govern is not '
        'there. Told by\n'
        ' * imapd.conf(5), `cyr_info conf-idle` and the master\'s log. Made by tests/conf_idle.py --write, which also checks '
        'it. */\n')


def asked_for():
    names = set()
    for top in ('lib', 'imap', 'master', 'ptclib'):
        for folder, _, files in os.walk(os.path.join(SRC, top)):
            for name in files:
                if name.endswith(('.c', '.h')):
                    with open(os.path.join(folder, name)) as f:
                        names.update(re.findall(r'\bOPT_([A-Z0-9_]+)\b', f.read()))
    return names


def options():
    """(name, type, whether it is the old name of another) of each row."""
    with open(os.path.join(SRC, 'lib/conf/options.def')) as f:
        text = f.read()
    string = r'"(?:[^"\\]|\\.)*"'
    for row in re.split(r'^OPTION\(', text, flags=re.M)[1:]:
        fields = [x.strip() for x in re.sub(r'%s(?:\s*%s)*' % (string, string), 'S', row).split(',')]
        yield fields[0], fields[2], fields[9] == 'S'


def main():
    rows, used = list(options()), asked_for()
    assert len(rows) > 500 and 'CONFIGDIRECTORY' in used and any(old for _, _, old
                                                                 in rows), 'the sources are not where they should be'
    want = [name for name, kind, old in rows if name not in used and not old and kind != 'KEY']
    if '--write' in sys.argv:
        with open(IDLE, 'w') as f:
            f.write(HEAD + ''.join('IDLE(%s)\n' % name for name in want))
        return 0
    with open(IDLE) as f:
        have = re.findall(r'^IDLE\((\w+)\)', f.read(), re.M)
    for name in sorted(set(want) - set(have)):
        print('%s has no effect and is not in idle.def' % name)
    for name in sorted(set(have) - set(want)):
        print('%s is in idle.def and a source file asks for it' % name)
    return have != want


if __name__ == '__main__':
    sys.exit(main())
