"""A fleet of mail servers on 127.x addresses, for surveys: real TLS (OpenSSL by Python, GnuTLS behind a relay) and raw answers.

Every server keeps what a polite client must not do: how many connections it saw at once, and what was said on them.
`rtt` puts latency between the network's two ends: an answer leaves that long after what it answers has come.
"""

import asyncio
import contextlib
import dataclasses
import datetime
import functools
import ipaddress
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
DAY = datetime.timedelta(days=1)


# ---- certificates ----

@functools.cache
def key_of(kind):
    """Keys are made once a run: RSA takes its time."""
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else rsa.generate_private_key(65537, 2048)


def name_of(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Authority:
    """A CA; `file` is what clients trust."""

    def __init__(self, dir):
        self.dir = pathlib.Path(dir)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = (x509.CertificateBuilder()
                     .subject_name(name_of("Fleet CA")).issuer_name(name_of("Fleet CA"))
                     .public_key(self.key.public_key()).serial_number(1)
                     .not_valid_before(NOW - 10 * DAY).not_valid_after(NOW + 1000 * DAY)
                     .add_extension(x509.BasicConstraints(True, None), True)
                     .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
                     .sign(self.key, hashes.SHA256()))
        self.file = self.dir / "ca.pem"
        self.file.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def issue(self, kind, *names, days=90, begins=-1):
        """A file with certificate and key for names."""
        path = self.dir / f"{kind}-{names[0].replace('*', '_')}-{days}.pem"
        if path.exists():
            return path
        key = key_of(kind)
        cert = (x509.CertificateBuilder()
                .subject_name(name_of(names[0])).issuer_name(self.cert.subject)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(NOW + min(begins, days - 1) * DAY).not_valid_after(NOW + days * DAY)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
                .sign(self.key, hashes.SHA256()))
        path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return path


def der_of(path):
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)


def context_of(*pairs, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_3, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = lowest, highest
    if ciphers:
        context.set_ciphers(ciphers)
    for pair in pairs:
        context.load_cert_chain(pair)
    return context


# ---- raw answers ----

def record(kind, version, payload):
    return struct.pack(">BHH", kind, version, len(payload)) + payload


def message(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def alert(description, version=0x0301):
    return record(21, version, bytes([2, description]))


def offered_suites(hello):
    """Of a ClientHello in one record."""
    body = hello[5 + 4:]
    at = 2 + 32
    at += 1 + body[at]
    n = struct.unpack_from(">H", body, at)[0]
    return list(struct.unpack_from(f">{n // 2}H", body, at + 2))


def ssl2_flight(hello, certificate):
    """SERVER-HELLO of SSL 2; nothing else is spoken."""
    if not hello[0] & 0x80:
        return alert(40, 0x0300)
    body = struct.pack(">BBBHHHH", 4, 0, 1, 2, len(certificate), 3, 16) + certificate + b"\1\0\x80" + bytes(16)
    return struct.pack(">H", 0x8000 | len(body)) + body


def old_flight(hello, suites, version, certificate):
    """What a server of about 2003 answers: its first suite that is offered, in its own order."""
    if hello[:1] != b"\x16":
        return b""
    offered = offered_suites(hello)
    chosen = next((s for s in suites if s in offered), None)
    if chosen is None or struct.unpack_from(">H", hello, 9)[0] < version:
        return alert(40 if chosen is None else 70)
    chain = struct.pack(">I", len(certificate))[1:] + certificate
    chain = struct.pack(">I", len(chain))[1:] + chain
    return record(22, version, message(2, struct.pack(">H", version) + bytes(32) + b"\0" + struct.pack(">HB", chosen, 0))
                  + message(11, chain) + message(14, b""))


# ---- servers ----

@dataclasses.dataclass
class Seen:
    """What one address saw."""
    connections: int = 0
    open: int = 0
    most: int = 0
    helos: set = dataclasses.field(default_factory=set)
    quits: int = 0
    goodbyes: int = 0


@dataclasses.dataclass
class Server:
    """One server; `tls` is called with its Talk once TLS is to begin."""
    name: str
    address: str
    kind: str
    tls: object = None
    greeting_delay: float = 0
    starttls: bool = True
    limit: int = 0
    extra: tuple = ()
    refusal: str = ""
    implicit: bool = False
    seen: Seen = dataclasses.field(default_factory=Seen)


class Gone(Exception):
    """The peer has closed."""


class Talk:
    """One connection of a server: lines in, lines out, with latency."""

    def __init__(self, server, reader, writer, rtt):
        self.server, self.reader, self.writer, self.rtt = server, reader, writer, rtt
        self.tls = None

    async def lag(self):
        if self.rtt:
            await asyncio.sleep(self.rtt)

    async def recv(self):
        data = await self.reader.read(16384)
        if not data:
            raise Gone
        return data

    async def send(self, data):
        await self.lag()
        self.writer.write(data)
        await self.writer.drain()

    async def line(self):
        """A line in plain text."""
        data = await self.reader.readline()
        if not data:
            raise Gone
        return data.decode("latin-1").strip()

    async def say(self, *lines):
        await self.send("".join(f"{line}\r\n" for line in lines).encode())

    def reset(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Secure:
    """TLS on a Talk, by OpenSSL."""

    def __init__(self, talk, context):
        self.talk = talk
        self.inward, self.outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self.inward, self.outward, server_side=True)

    async def flush(self):
        data = self.outward.read()
        if data:
            await self.talk.send(data)

    async def call(self, what, *args):
        while True:
            try:
                result = what(*args)
                await self.flush()
                return result
            except ssl.SSLWantReadError:
                await self.flush()
                self.note(await self.talk.recv())
            except ssl.SSLError as error:
                await self.flush()
                raise Gone from error

    def note(self, data):
        if data[:1] == b"\x15" and data[5:7] == b"\1\x5a":
            self.talk.server.seen.goodbyes += 1
        self.inward.write(data)

    async def line(self):
        data = b""
        while not data.endswith(b"\n"):
            more = await self.call(self.ssl.read, 1024)
            if not more:
                raise Gone
            data += more
        return data.decode("latin-1").strip()

    async def say(self, *lines):
        await self.call(self.ssl.write, "".join(f"{line}\r\n" for line in lines).encode())


def by_openssl(context):
    async def begin(talk):
        secure = Secure(talk, context)
        await secure.call(secure.ssl.do_handshake)
        if not talk.server.implicit:
            await converse(talk.server, secure, inside=True)
        else:
            await secure.call(secure.ssl.read, 1)
    return begin


def by_intolerant(context, most=100):
    """OpenSSL behind something that drops hellos with many suites."""
    async def begin(talk):
        hello = await talk.recv()
        if len(offered_suites(hello)) > most:
            talk.reset()
            return
        secure = Secure(talk, context)
        secure.note(hello)
        await secure.call(secure.ssl.do_handshake)
        await converse(talk.server, secure, inside=True)
    return begin


def by_relay(port):
    """Everything goes to a real TLS server on 127.0.0.1."""
    async def begin(talk):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def back():
            while data := await reader.read(16384):
                await talk.send(data)

        task = asyncio.ensure_future(back())
        try:
            while True:
                writer.write(await talk.recv())
        finally:
            writer.close()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(task, 1)
    return begin


def by_answer(answer, end=False):
    """answer(hello) -> bytes; then it waits for the peer to leave, or leaves itself."""
    async def begin(talk):
        await talk.send(answer(await talk.recv()))
        if not end:
            await talk.recv()
    return begin


def by_drip(data, seconds):
    """A byte at a time, without end in sight."""
    async def begin(talk):
        await talk.recv()
        for i in range(len(data)):
            await talk.send(data[i:i + 1])
            await asyncio.sleep(seconds)
    return begin


async def by_reset(talk):
    await talk.recv()
    talk.reset()


async def by_silence(talk):
    await talk.reader.read()


async def converse(server, talk, inside=False):
    """SMTP up to STARTTLS or QUIT."""
    while True:
        words = (await talk.line()).split()
        verb = words[0].upper() if words else ""
        if verb in ("EHLO", "HELO"):
            server.seen.helos.add(" ".join(words[1:]))
            lines = [server.name, *server.extra, "8BITMIME"] + (["STARTTLS"] if server.starttls and not inside else [])
            await talk.say(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")
        elif verb == "STARTTLS" and server.refusal:
            await talk.say(server.refusal)
        elif verb == "STARTTLS" and server.starttls and not inside:
            await talk.say("220 2.0.0 Ready")
            await server.tls(talk)
            return
        elif verb == "QUIT":
            server.seen.quits += 1
            await talk.say("221 2.0.0 Bye")
            return
        else:
            await talk.say("502 5.5.1 No")


async def serve(server, rtt, reader, writer):
    seen, talk = server.seen, Talk(server, reader, writer, rtt)
    seen.connections += 1
    seen.open += 1
    seen.most = max(seen.most, seen.open)
    try:
        await talk.lag()
        if server.limit and seen.connections > server.limit:
            await talk.say("421 4.7.0 Too many connections, try again later")
        elif server.kind == "silent":
            await by_silence(talk)
        elif server.implicit:
            await server.tls(talk)
        else:
            await asyncio.sleep(server.greeting_delay)
            await talk.say(f"220 {server.name} ESMTP")
            await converse(server, talk)
    except (Gone, OSError, asyncio.IncompleteReadError):
        pass
    finally:
        with contextlib.suppress(Exception):
            await talk.lag()
            writer.close()
            await writer.wait_closed()
        seen.open -= 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Fleet:
    """Servers of one loop in a thread of their own. `with Fleet(…) as fleet: …`"""

    def __init__(self, servers, rtt=0, port=None):
        self.servers, self.rtt = servers, rtt
        self.port = port or free_port()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._start())
        self.ready.set()
        self.loop.run_forever()

    async def _start(self):
        self.listening = [await asyncio.start_server(functools.partial(serve, s, self.rtt), s.address, self.port,
                                                     backlog=16) for s in self.servers]

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(60)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self._stop)
        self.thread.join(10)

    def _stop(self):
        for listening in self.listening:
            listening.close()
        self.loop.stop()

    def targets(self):
        return [f"{s.address}:{self.port}" for s in self.servers]


class GnuTls:
    """gnutls-serv with both key types; `with GnuTls(…) as g: g.port`"""

    def __init__(self, *pairs, priority="NORMAL"):
        self.port = free_port()
        files = [a for pair in pairs for a in ("--x509certfile", pair, "--x509keyfile", pair)]
        self.command = [shutil.which("gnutls-serv") or "/usr/bin/gnutls-serv", "--echo", "--quiet", "--port", str(self.port),
                        "--priority", priority,
                        *map(str, files)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.05)
        raise AssertionError("gnutls-serv does not listen")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


# ---- the kinds ----

OLD_SUITES = (0x0004, 0x0005, 0x000a)  # RC4-MD5, RC4-SHA, DES-CBC3-SHA
KINDS = ("rsa", "ecdsa", "both", "tls13", "tls12rsa", "gnutls", "old", "limited", "slow", "masked", "silent", "reset",
         "expired", "wrongname", "none", "refused")


class Kit:
    """Makes servers of all kinds that call themselves `name`."""

    def __init__(self, dir, name="mx.fleet.example", gnutls_port=0, delay=15.0):
        self.name, self.gnutls_port, self.delay = name, gnutls_port, delay
        self.ca = Authority(dir)
        self.rsa, self.ecdsa = self.ca.issue("rsa", name), self.ca.issue("ecdsa", name)

    @functools.cache
    def context(self, kind):
        v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        if kind == "tls13":
            return context_of(self.rsa, self.ecdsa, lowest=v13)
        if kind == "tls12rsa":
            return context_of(self.rsa, highest=v12, ciphers="AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA")
        if kind == "expired":
            return context_of(self.ca.issue("rsa", self.name, days=-3))
        if kind == "wrongname":
            return context_of(self.ca.issue("rsa", "elsewhere.example"))
        if kind in ("rsa", "ecdsa"):
            return context_of(getattr(self, kind))
        return context_of(self.rsa, self.ecdsa)

    def make(self, kind, index=0):
        """The server number `index` of a kind, each at an address of its own."""
        address = ipaddress.ip_address("127.60.0.0") + (KINDS.index(kind) << 12) + index + 1
        server = Server(self.name, str(address), kind, by_openssl(self.context(kind)))
        if kind == "gnutls":
            server.tls = by_relay(self.gnutls_port)
        elif kind == "old":
            certificate = der_of(self.rsa)
            server.tls = by_answer(lambda hello: old_flight(hello, OLD_SUITES, 0x0301, certificate))
        elif kind == "limited":
            server.limit = 2
        elif kind == "slow":
            server.greeting_delay = self.delay
        elif kind == "masked":
            server.starttls, server.extra = False, ("XXXXXXXA",)
        elif kind == "reset":
            server.tls = by_reset
        elif kind == "none":
            server.starttls = False
        elif kind == "refused":
            server.refusal = "454 4.7.0 TLS not available due to local problem"
        return server


# ---- what a scan must say about each kind ----

def codes(result):
    return {f["code"] for f in result["findings"]}


def spoken(result):
    return {v for v, yes in result["versions"].items() if yes}


def keys(result):
    return {c["type"] for c in result["certificates"]}


# kind -> verdict, versions, key types, codes
NEW, BOTH = {"TLS 1.2", "TLS 1.3"}, {"RSA", "ECDSA"}
EXPECTED = {
    "rsa": ("tls", NEW, {"RSA"}, set()),
    "ecdsa": ("tls", NEW, {"ECDSA"}, {"SCAN-ECDSA-ONLY"}),
    "both": ("tls", NEW, BOTH, set()),
    "tls13": ("tls", {"TLS 1.3"}, BOTH, set()),
    "tls12rsa": ("tls", {"TLS 1.2"}, {"RSA"}, set()),
    "gnutls": ("tls", {"TLS 1.0", "TLS 1.1"} | NEW, BOTH, set()),
    "old": ("tls", {"TLS 1.0"}, {"RSA"}, {"SCAN-ONLY-OBSOLETE", "TLS-NO-SECURE-RENEGOTIATION"}),
    "limited": ("rate-limited", None, None, {"SCAN-RATE-LIMITED"}),
    "slow": ("tls", NEW, BOTH, set()),
    "masked": ("masked", set(), set(), {"SCAN-MASKED"}),
    "silent": ("silent", set(), set(), {"SCAN-SILENT"}),
    "reset": ("reset", set(), set(), {"SCAN-RESET"}),
    "expired": ("tls", NEW, {"RSA"}, {"TLS-CERT-EXPIRED"}),
    "wrongname": ("tls", NEW, {"RSA"}, None),
    "none": ("no-starttls", set(), set(), {"TLS-NOT-OFFERED"}),
    "refused": ("starttls-refused", set(), set(), {"SCAN-REFUSES-TLS"}),
}


def is_judged_right(kind, result):
    verdict, versions, types, found = EXPECTED[kind]
    return (result["verdict"] == verdict and versions in (None, spoken(result)) and types in (None, keys(result))
            and found in (None, codes(result)))
