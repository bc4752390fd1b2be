#!/usr/bin/env python3
"""man_tools.py - each tool has a page in section 8 that is installed, and the page and the code agree on the options, both ways:
every option of the page is one that the tool takes, with an argument or without, and every option that it takes is told in the
synopsis and in the text."""
import os
import re
import sys

SRC = os.environ.get('srcdir', '.')
faults = []


def read(*path):
    with open(os.path.join(SRC, *path)) as f:
        return f.read()


def programs():
    """Tool -> its sources."""
    text = read('imap', 'tools', 'local.mk').replace('\\\n', ' ')
    names = re.findall(r'imap/tools/(\w+)\b(?!\.)', ' '.join(re.findall(r'^sbin_PROGRAMS \+= (.*)$', text, re.M)))
    return {n: re.search(r'imap_tools_%s_SOURCES = (.*)' % n, text).group(1).split()[0] for n in names}


def options_of_code(tool, source):
    """Letter or word -> does it take an argument?"""
    text = read(source)
    calls = re.findall(r'getopt(?:_long)?\(argc, argv, "([^"]*)"', text)
    if len(calls) != 1:
        faults.append('%s: %d calls of getopt' % (tool, len(calls)))
        return {}
    options = {m.group(1): bool(m.group(2)) for m in re.finditer(r'(\w)(:?)', calls[0])}
    for word, arg in re.findall(r'\{ "([\w-]+)", (no|required|optional)_argument,', text):
        options['-' + word] = arg != 'no'
    return options


def sections(page):
    parts = re.split(r'^\.Sh (.*)$', page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def words(line):
    """The options of one line of a macro that holds Fl: pairs of option and whether Ar stands behind it."""
    tokens = line.replace('.Fl ', 'Fl ', 1).split() if line.startswith('.Fl ') else line.split()
    i = tokens.index('Fl') + 1
    found = []
    while i < len(tokens):
        t = tokens[i]
        if t in ('Fl', 'Op', ',', '|', 'No', 'Ns'):
            i += 1
            continue
        if t == 'Ar':
            found = [(o, True) for o, _ in found] if line.startswith('.It') else found[:-1] + [(o, True) for o, _ in found[-1:]]
            i += 2
            continue
        if t in ('.', ')') or not re.fullmatch(r'-?[\w-]+', t):
            i += 1
            continue
        found += [(t, False)] if t.startswith('-') else [(c, False) for c in t]
        i += 1
    return found


def options_of_text(text, macro):
    found = {}
    for line in text.split('\n'):
        for option, arg in words(line) if re.match(macro, line) else ():
            found[option] = found.get(option, False) or arg
    return found


def refused(text):
    """Those that the page says are refused or ignored, in an item or a paragraph: they are no part of the synopsis."""
    found = set()
    for block in re.split(r'^(?=\.It |\.Pp|\.El|\.Sh )', text, flags=re.M):
        if re.search(r'\b(refused|ignored|do nothing|no longer supported)\b', block, re.I) and not block.startswith('.Sh'):
            found |= {o for line in block.split('\n') if re.match(r'\.(It )?Fl ', line) for o, _ in words(line)}
    return found


def compare(tool, code, page, where):
    for o in sorted(set(code) - set(page)):
        faults.append('%s: -%s is not in %s' % (tool, o, where))
    for o in sorted(set(page) - set(code)):
        faults.append('%s: %s has -%s, the tool has not' % (tool, where, o))
    for o in sorted(set(page) & set(code)):
        if code[o] and not page[o]:
            faults.append('%s: -%s takes an argument, %s does not say so' % (tool, o, where))


def main():
    installed = read('Makefile.am') + ''.join(read(os.path.join(d, 'local.mk')) for d in ('doc', 'imap/tools')
                                              if os.path.exists(os.path.join(SRC, d, 'local.mk')))
    tools = programs()
    assert len(tools) >= 15, tools
    for tool, source in sorted(tools.items()):
        if not os.path.exists(os.path.join(SRC, 'doc', 'man', tool + '.8')):
            faults.append('%s: no page' % tool)
            continue
        if 'doc/man/%s.8' % tool not in installed:
            faults.append('%s: its page is not installed' % tool)
        page = sections(read('doc', 'man', tool + '.8'))
        code = options_of_code(tool, source)
        text = ''.join(v for k, v in page.items() if k != 'SYNOPSIS')
        no = refused(text)
        items = options_of_text(text, r'^\.It Fl ')
        # in a sentence about another one will do
        told = dict({o: code.get(o) for o in options_of_text(text, r'^\.Fl ')}, **items)
        synopsis = options_of_text(page['SYNOPSIS'], r'^\.(Op )?Fl ')
        told.setdefault('C', code.get('C'))                                                   # the same everywhere
        compare(tool, code, {o: a for o, a in told.items() if o in items or o in code}, 'the text')
        compare(tool, {o: a for o, a in code.items() if o not in no}, {o: a for o, a in synopsis.items() if o not in no},
                'the synopsis')
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main())
