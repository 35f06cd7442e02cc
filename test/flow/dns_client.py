"""A DNS client and a scripted upstream that hide nothing: messages as bytes, read by a reader of their own."""

import random
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
         "DNAME": 39, "OPT": 41, "DS": 43, "RRSIG": 46, "HTTPS": 65, "IXFR": 251, "AXFR": 252, "ANY": 255,
         "CAA": 257}
NAMES_OF_TYPES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}
QR, AA, TC, RD, RA = 0x8000, 0x400, 0x200, 0x100, 0x80


def type_number(type):
    return TYPES[type] if isinstance(type, str) else type


def encode_name(name):
    """Wire form of "example.test"; bytes pass as they are."""
    if isinstance(name, bytes):
        return name
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.rstrip(".").split(".") if label) + b"\0"


def question(name, type="A", klass=1):
    return encode_name(name) + struct.pack("!HH", type_number(type), klass)


def opt(size=1232, version=0, flags=0, options=b"", high=0):
    return b"\0" + struct.pack("!HHBBHH", 41, size, high, version, flags, len(options)) + options


def query(name, type="A", id=None, flags=RD, klass=1, edns=None, counts=None, more=b""):
    """One question; edns: an OPT record of opt(). counts: the four numbers of the header, if they shall lie."""
    id = random.randrange(65536) if id is None else id
    counts = counts or (1, 0, 0, 1 if edns is not None else 0)
    return struct.pack("!6H", id, flags, *counts) + question(name, type, klass) + (edns or b"") + more


def record(name, type, ttl, data, klass=1):
    return encode_name(name) + struct.pack("!HHIH", type_number(type), klass, ttl, len(data)) + data


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


@dataclass
class Record:
    name: str
    type: str
    klass: int
    ttl: int
    data: object     # text for addresses and names, tuples for SOA, MX, bytes for the rest


@dataclass
class Message:
    id: int
    flags: int
    rcode: str
    questions: list
    answers: list
    authorities: list
    additionals: list
    edns: dict = None              # size, version, flags
    ede: list = field(default_factory=list)
    raw: bytes = b""

    def has(self, flag):
        return bool(self.flags & flag)

    def data(self, type):
        """What the answers of that type say, sorted."""
        return sorted(r.data for r in self.answers if r.type == type)


class Reader:
    def __init__(self, message):
        self.p, self.at = message, 0

    def u8(self):
        self.at += 1
        return self.p[self.at - 1]

    def u16(self):
        self.at += 2
        return struct.unpack("!H", self.p[self.at - 2:self.at])[0]

    def u32(self):
        return self.u16() << 16 | self.u16()

    def name(self, at=None):
        labels, jumped, at = [], at is not None, self.at if at is None else at
        for _ in range(128):
            n = self.p[at]
            if n >= 0xc0:
                if not jumped:
                    self.at = at + 2
                jumped, at = True, (n & 0x3f) << 8 | self.p[at + 1]
                continue
            at += 1
            if n == 0:
                break
            labels.append(self.p[at:at + n].decode("latin-1"))
            at += n
        else:
            raise ValueError("a name without end")
        if not jumped:
            self.at = at
        return ".".join(labels)

    def data(self, type, n):
        end = self.at + n
        if type in ("A", "AAAA"):
            value = socket.inet_ntop(socket.AF_INET if type == "A" else socket.AF_INET6, self.p[self.at:end])
            self.at = end
        elif type in ("NS", "CNAME", "PTR", "DNAME"):
            value = self.name()
        elif type == "MX":
            value = (self.u16(), self.name())
        elif type == "SOA":
            value = (self.name(), self.name(), *(self.u32() for _ in range(5)))
        else:
            value = self.p[self.at:end]
            self.at = end
        assert self.at == end, f"{type}: {n} bytes do not fit"
        return value

    def record(self):
        name, type, klass, ttl, n = self.name(), self.u16(), self.u16(), self.u32(), self.u16()
        type = NAMES_OF_TYPES.get(type, f"TYPE{type}")
        return Record(name, type, klass, ttl, self.data(type, n))


def parse(raw):
    r = Reader(raw)
    id, flags, *counts = struct.unpack("!6H", raw[:12])
    r.at = 12
    questions = [(r.name(), NAMES_OF_TYPES.get(t := r.u16(), f"TYPE{t}"), r.u16()) for _ in range(counts[0])]
    sections = [[r.record() for _ in range(n)] for n in counts[1:]]
    assert r.at == len(raw), "bytes behind the last record"
    message = Message(id, flags, "", questions, *sections, raw=raw)
    rcode = flags & 15
    for o in [o for o in message.additionals if o.type == "OPT"]:
        message.additionals.remove(o)
        assert message.edns is None and o.name == ""
        message.edns = {"size": o.klass, "version": o.ttl >> 16 & 255, "flags": o.ttl & 0xffff}
        rcode |= o.ttl >> 24 << 4
        options = o.data
        while options:
            code, n = struct.unpack("!HH", options[:4])
            if code == 15:
                message.ede.append(struct.unpack("!H", options[4:6])[0])
            options = options[4 + n:]
    message.rcode = RCODES.get(rcode, rcode)
    return message


# ---- asking ----

class Silence(Exception):
    """No answer came."""


def exchange_udp(port, data, host="127.0.0.1", timeout=20, source=None):
    """What came back for the bytes; Silence after timeout seconds."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
        if source:
            s.bind((source, 0))
        s.settimeout(timeout)
        s.connect((host, port))
        s.send(data)
        try:
            return s.recv(65536)
        except (TimeoutError, socket.timeout):
            raise Silence() from None


class Stream:
    """A TCP connection with questions and answers in a row (RFC 7766)."""

    def __init__(self, port, host="127.0.0.1", timeout=20):
        self.sock = socket.create_connection((host, port), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *queries):
        self.sock.sendall(b"".join(struct.pack("!H", len(q)) + q for q in queries))

    def exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            if not piece:
                return None
            data += piece
        return data

    def read(self):
        """The next message, None at the end."""
        try:
            length = self.exactly(2)
            return length and self.exactly(struct.unpack("!H", length)[0])
        except ConnectionResetError:
            return None


def ask(port, name, type="A", tcp=False, timeout=20, host="127.0.0.1", source=None, **options):
    """One question, its answer as a Message."""
    q = query(name, type, **options)
    if tcp:
        with Stream(port, host, timeout) as s:
            s.send(q)
            raw = s.read()
        if raw is None:
            raise Silence()
    else:
        raw = exchange_udp(port, q, host, timeout, source)
    m = parse(raw)
    assert m.id == struct.unpack("!H", q[:2])[0] and m.has(QR)
    return m


# ---- an upstream ----

def reply(raw, answers=b"", n=None, flags=RA, rcode=0, id=None, ask=None):
    """An answer to the query raw: records as bytes, n of them (1 if there are any)."""
    asked = Reader(raw)
    asked.at = 12
    asked.name()
    repeated = raw[12:asked.at + 4] if ask is None else ask
    n = (1 if answers else 0) if n is None else n
    head_id, head_flags = struct.unpack("!HH", raw[:4])
    return struct.pack("!6H", head_id if id is None else id, QR | head_flags & RD | flags | rcode, 1, n, 0, 0) + repeated + answers


class Upstream:
    """A server on a port of its own, UDP and TCP. `script(query, raw, tcp)` gives the answer as bytes, a list of them
    to send one after the other, a number of seconds to wait before a second element, or None: silence. It may be
    replaced at any time. Without a script every name has the address 203.0.113.1 and AAAA 2001:db8::1, TTL `ttl`."""

    def __init__(self, script=None, ttl=60, host="127.0.0.1"):
        self.script, self.ttl, self.host = script or self.plain, ttl, host
        self.asked, self.lock, self.closing = [], threading.Lock(), False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(50):
            self.udp = socket.socket(family, socket.SOCK_DGRAM)
            self.udp.bind((host, 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket(family)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.tcp.bind((host, self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(64)
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        for run in (self.run_udp, self.run_tcp):
            threading.Thread(target=run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.closing = True
        for s in (self.udp, self.tcp):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def plain(self, q, raw, tcp):
        name, type, _ = q.questions[0]
        if type == "A":
            return reply(raw, record(b"\xc0\x0c", "A", self.ttl, address("203.0.113.1")))
        if type == "AAAA":
            return reply(raw, record(b"\xc0\x0c", "AAAA", self.ttl, address("2001:db8::1")))
        return reply(raw)

    def was_asked(self, name, type=None):
        """How often it was asked for the name, whatever its case."""
        with self.lock:
            return sum(1 for n, t, _ in self.asked if n.lower() == name.lower() and type in (None, t))

    def answer(self, raw, tcp, send):
        q = parse(raw)
        with self.lock:
            self.asked.append((*q.questions[0][:2], tcp))
        said = self.script(q, raw, tcp)
        for step in said if isinstance(said, (list, tuple)) else [said]:
            if isinstance(step, (int, float)):
                time.sleep(step)
            elif step is not None:
                send(step)

    def run_udp(self):
        while not self.closing:
            try:
                raw, peer = self.udp.recvfrom(65536)
            except OSError:
                return
            if self.closing:
                return      # shutdown() wakes with nothing
            threading.Thread(target=self.guarded, args=(raw, False, lambda m, p=peer: self.udp.sendto(m, p)),
                             daemon=True).start()

    def guarded(self, raw, tcp, send):
        try:
            self.answer(raw, tcp, send)
        except OSError:
            pass      # whoever asked is gone

    def run_tcp(self):
        while not self.closing:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        stream = Stream.__new__(Stream)
        stream.sock = s
        with s:
            while (raw := stream.read()) is not None:
                self.guarded(raw, True, lambda m: stream.send(m))
