"""SMTP with nothing hidden: a raw client, and a scripted backend whose every answer the test decides."""

import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field

from client import any_certificate


@dataclass
class Reply:
    code: int
    lines: list

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def enhanced(self):
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", self.lines[0])
        return found.group() if found else ""

    def __str__(self):
        return f"{self.code} {self.text}"


def dotted(content):
    """A message as it travels after DATA, with its final dot."""
    content = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", content) + b".\r\n"


class Smtp:
    """One conversation. Replies are None once the server has closed."""

    def __init__(self, server, source="127.0.0.1", tls=None, timeout=30, before=b""):
        """server: (address, port). tls: a context for implicit TLS. before: bytes before anything else (PROXY)."""
        self.sock = socket.create_connection(server, timeout=timeout, source_address=(source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if before:
            self.sock.sendall(before)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="mx.example.test")
        self.greeting = self.read()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def receive(self):
        return self.sock.recv(65536)

    def send_split(self, data, at):
        """In two pieces that do not arrive as one."""
        self.send(data[:at])
        time.sleep(0.005)
        self.send(data[at:])

    def _line(self):
        while b"\r\n" not in self.buffer:
            try:
                data = self.receive()
            except (ConnectionError, ssl.SSLEOFError):
                data = b""
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("utf-8", "replace")

    def read(self):
        lines = []
        while True:
            line = self._line()
            if line is None:
                return None
            assert re.match(r"\d\d\d[ -]|\d\d\d$", line), f"not a reply: {line!r}"
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), lines)

    def read_all(self):
        """Every reply until the server closes."""
        replies = []
        while (reply := self.read()) is not None:
            replies.append(reply)
        return replies

    def ask(self, line):
        try:
            self.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        except (ConnectionError, ssl.SSLEOFError):
            return None
        return self.read()

    def ehlo(self, name="client.test"):
        reply = self.ask(f"EHLO {name}")
        self.extensions = {line.split(" ")[0].upper() for line in reply.lines[1:]} if reply else set()
        return reply

    def starttls(self, context=None, name="client.test"):
        """STARTTLS, handshake, EHLO again; raises ssl.SSLError or ConnectionError when the handshake fails."""
        reply = self.ask("STARTTLS")
        assert reply.code == 220, reply
        self.handshake(context)
        return self.ehlo(name)

    def handshake(self, context=None):
        self.sock = (context or any_certificate()).wrap_socket(self.sock, server_hostname="mx.example.test")

    def envelope(self, sender, recipients, parameters=""):
        """MAIL, RCPTs, DATA up to its 354; a refusal is an assertion."""
        assert (reply := self.ask(f"MAIL FROM:<{sender}>{parameters}")).code == 250, reply
        for recipient in recipients:
            assert (reply := self.ask(f"RCPT TO:<{recipient}>")).code == 250, reply
        assert (reply := self.ask("DATA")).code == 354, reply

    def mail(self, content, sender="sender@client.test", recipients=("box@example.test",), parameters=""):
        self.envelope(sender, recipients, parameters)
        try:
            self.send(dotted(content))
        except (ConnectionError, ssl.SSLEOFError):
            pass                                  # what the server said before it closed counts
        return self.read()


class Piped(Smtp):
    """A conversation through a program that has connected and made TLS, such as openssl s_client."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.buffer = b""

    def close(self):
        self.process.kill()
        self.process.communicate()

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self):
        return os.read(self.process.stdout.fileno(), 65536)


def deliver(server, content, tls=None, source="127.0.0.1", **envelope):
    """One mail in a session of its own: the reply to its dot. tls: a context for STARTTLS."""
    with Smtp(server, source) as c:
        c.ehlo()
        if tls:
            c.starttls(tls)
        reply = c.mail(content, **envelope)
        c.ask("QUIT")
        return reply


@dataclass
class Received:
    """What the backend had of one transaction."""
    sender: str = ""
    recipients: list = field(default_factory=list)
    lines: list = field(default_factory=list)      # MAIL and RCPT as they came
    wire: bytes = b""                              # after DATA, dots and all, without the final one; or all chunks
    chunked: bool = False                          # by BDAT
    tls: bool = False
    told: str = ""                                 # the XCLIENT or PROXY line before it
    done: bool = False                             # its final dot came

    @property
    def content(self):
        return self.wire if self.chunked else re.sub(rb"(?m)^\.", b"", self.wire)


class Backend:
    """A scripted server.

        with Backend() as backend:
            backend.at("RCPT", "450 4.2.1 Later")     the answer to a command, once or for good (times=1)
            backend.at("dot", delay=2)                ... later
            backend.at("MAIL", close=True)            ... none: the connection ends
            backend.at("DATA", silent=True)           ... none at all
            backend.at("shaken", reset=True)          ... a reset, right after the handshake

    Steps: connect, EHLO, STARTTLS, handshake, shaken, XCLIENT, MAIL, RCPT, DATA, dot, RSET, NOOP, QUIT; "body" acts after the first bytes
    of a message. call=f decides by the line (of the dot: by the recipients): f(line) is the answer, or None for the usual one.
    """

    usual = {"connect": "220 backend.test ESMTP", "STARTTLS": "220 2.0.0 Ready", "XCLIENT": "220 backend.test ESMTP",
             "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go", "dot": "250 2.0.0 Ok: queued", "RSET": "250 2.0.0 Ok",
             "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye", "HELO": "250 backend.test"}

    def __init__(self, extensions=("PIPELINING", "SIZE 60000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"),
                 certificate=None, address="127.0.0.1"):
        self.extensions = list(extensions)
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            self.extensions.append("STARTTLS")
        self.steps, self.mails, self.commands, self.sessions = {}, [], [], 0
        self._open = set()
        self._listener = socket.create_server((address, 0), backlog=256)
        self.address, self.port = self._listener.getsockname()
        self.ended = threading.Event()

    def at(self, step, answer=None, *, delay=0, close=False, silent=False, call=None, times=None, reset=False):
        self.steps[step] = [answer, delay, "reset" if reset else close, silent, call, times]

    def usual_again(self):
        self.steps.clear()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)      # close() alone would not wake accept()
        self._listener.close()
        self.hang_up()

    def hang_up(self):
        """Ends every session, hard."""
        for sock in list(self._open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @property
    def done(self):
        return [m for m in self.mails if m.done]

    def count(self, command):
        return sum(1 for c in self.commands if c.upper().startswith(command.upper()))

    def _accept(self):
        while not self.ended.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(sock,), daemon=True).start()

    def _session(self, sock):
        self.sessions += 1
        self._open.add(sock)
        session = _BackendSession(self, sock)
        try:
            session.run()
        except (OSError, _Hangup):
            pass
        finally:
            self._open.discard(sock)
            session.sock.close()


class _Hangup(Exception):
    pass


class _BackendSession:
    def __init__(self, backend, sock):
        self.backend, self.sock = backend, sock
        self.file = sock.makefile("rb")
        self.mail, self.tls, self.told = None, False, ""

    def act(self, step, line="", answer=None):
        """Answers as the script says. The answer's code, 0 if there was none."""
        script = self.backend.steps.get(step)
        answer = answer or self.backend.usual.get(step)
        if script and script[5] is not None:
            script[5] -= 1
            if script[5] < 0:
                script = None
        if script:
            scripted, delay, close, silent, call, _ = script
            if delay:
                self.backend.ended.wait(delay)
            if close == "reset":
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.file.close()
                self.sock.close()
            if close:
                raise _Hangup
            if silent:
                self.backend.ended.wait(120)
                raise _Hangup
            answer = (call(line) if call else scripted) or answer
        if answer:
            self.sock.sendall(answer if isinstance(answer, bytes) else answer.encode() + b"\r\n")
            return int(answer[:3]) if answer[:3].isdigit() else 0
        return 0

    def run(self):
        self.act("connect")
        while line := self.file.readline(65536):
            if line.startswith(b"PROXY "):
                self.told = line.decode().strip()
                continue
            line = line.decode("utf-8", "replace").rstrip("\r\n")
            self.backend.commands.append(line)
            verb = line.split(" ")[0].upper()
            getattr(self, f"on_{verb.lower()}", self.on_other)(line, verb)

    def on_other(self, line, verb):
        self.act(verb, line, None if verb in self.backend.usual else "502 5.5.1 What?")

    def on_ehlo(self, line, _):
        names = ["backend.test", *(e for e in self.backend.extensions if not (self.tls and e == "STARTTLS"))]
        self.act("EHLO", line, "\r\n".join(f"250{'-' if i + 1 < len(names) else ' '}{n}" for i, n in enumerate(names)))

    def on_starttls(self, line, _):
        if self.act("STARTTLS", line) != 220:
            return
        self.act("handshake")
        self.file.close()
        self.sock = self.backend.context.wrap_socket(self.sock, server_side=True)
        self.file, self.tls, self.mail = self.sock.makefile("rb"), True, None
        self.act("shaken")

    def on_xclient(self, line, _):
        self.told = line
        self.act("XCLIENT", line)

    def on_mail(self, line, _):
        if self.act("MAIL", line) // 100 == 2:
            self.mail = Received(sender=line[10:].split(">")[0].lstrip("<"), lines=[line], tls=self.tls, told=self.told)
            self.backend.mails.append(self.mail)

    def on_rcpt(self, line, _):
        if self.act("RCPT", line) // 100 == 2 and self.mail:
            self.mail.recipients.append(line[8:].split(">")[0].lstrip("<"))
            self.mail.lines.append(line)

    def on_data(self, line, _):
        if not (self.mail and self.mail.recipients):
            self.sock.sendall(b"503 5.5.1 No recipients\r\n")
            return
        if self.act("DATA", line) != 354:
            return
        first = True
        while (line := self.file.readline(65536)) and line != b".\r\n":
            self.mail.wire += line
            if first and "body" in self.backend.steps:
                self.act("body")
            first = False
        if not line:
            raise _Hangup
        mail, self.mail = self.mail, None
        mail.done = True
        self.act("dot", " ".join(mail.recipients))

    def on_bdat(self, line, _):
        _, size, *last = line.split(" ")
        self.mail.chunked = True
        self.mail.wire += self.file.read(int(size))
        if last:
            self.mail.done = True
        self.act("dot" if last else "BDAT", line, "250 2.0.0 Ok")

    def on_rset(self, line, _):
        self.mail = None
        self.act("RSET", line)

    def on_quit(self, line, _):
        self.act("QUIT", line)
        raise _Hangup
