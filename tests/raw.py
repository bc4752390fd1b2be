"""raw - an IMAP connection that sends what it is told to and gives back every line of the answer."""
import re, socket

TIMES = re.compile(r' \([0-9.]+ secs?( \d+ calls)?\)')


class Raw:
    """An answer is a list of lines: the untagged ones, then the tagged one without its tag, or '(closed)'. A literal is part of
    its line; running times are taken off, as is what mask() of a test's own class hides."""

    def __init__(self, port, user=None, password='pw'):
        self.s = socket.create_connection(('127.0.0.1', port), 60)
        self.f = self.s.makefile('rwb')
        self.n = 0
        assert self.f.readline().startswith(b'* OK')
        if user:
            self.ok(f'LOGIN {user} {password}')

    def mask(self, line):
        return line

    def send(self, data):
        self.s.sendall(data)

    def line(self):
        line = self.f.readline()
        while (m := re.search(rb'\{(\d+)\}\r\n$', line)):
            line += self.f.read(int(m.group(1))) + self.f.readline()
        return line.decode('latin-1')

    def do(self, command, literal=None):
        """literal: sent where the server asks for it."""
        self.n += 1
        tag, out = f't{self.n} ', []
        self.send(tag.encode() + (command.encode('latin-1') if isinstance(command, str) else command) + b'\r\n')
        while (line := self.line()):
            if literal is not None and line.startswith('+ '):
                self.send(literal + b'\r\n')
                continue
            tagged = line.startswith(tag)
            line = line[len(tag):] if tagged else line
            out.append(self.mask(TIMES.sub('', line.rstrip('\r\n'))))
            if tagged:
                return out
        return out + ['(closed)']

    __call__ = do

    def ok(self, command, literal=None):
        """The untagged lines of what must succeed."""
        out = self.do(command, literal)
        assert out[-1].startswith('OK'), (command, out)
        return out[:-1]
