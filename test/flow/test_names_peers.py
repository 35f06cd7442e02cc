"""Beside others: the same questions to Knot, where the protocol leaves no freedom; and Squid with torhaus as its only
DNS server."""

import os
import pathlib
import socket
import subprocess
import time
import urllib.request

import pytest

from client import Connection
from conftest import wait_for
from dns_client import AA, QR, RD, TC, Silence, Upstream, ask, exchange_udp, opt, parse, query, question, record, reply, address
from mta import any_loopback, free_port
from origin import Origin
from test_names import MALFORMED, names_settings


class Knot:
    """An authoritative server with the zone that a torhaus has for the same domain."""

    def __init__(self, dir):
        self.dir, self.port = pathlib.Path(dir), free_port("127.0.0.1")
        (self.dir / "example.test.zone").write_text("""\
$ORIGIN example.test.
$TTL 30
@ SOA example.test. hostmaster.example.test. 1 3600 600 86400 30
@ NS example.test.
@ A 192.0.2.7
@ A 192.0.2.8
@ AAAA 2001:db8::7
www A 192.0.2.7
www A 192.0.2.8
www AAAA 2001:db8::7
*.wild A 192.0.2.7
*.wild A 192.0.2.8
*.wild AAAA 2001:db8::7
""" + "".join(f"many AAAA 2001:db8::{i:x}\n" for i in range(1, 25)))
        (self.dir / "knot.conf").write_text(f"""\
server:
    rundir: {self.dir}
    listen: 127.0.0.1@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: {self.dir}
zone:
  - domain: example.test
    storage: {self.dir}
    zonefile-sync: -1
    journal-content: none
""")
        self.process = subprocess.Popen(["knotd", "-c", self.dir / "knot.conf"], stderr=open(self.dir / "stderr", "wb"))
        wait_for(self.answers, what="Knot")

    def answers(self):
        assert self.process.poll() is None, (self.dir / "stderr").read_text()
        try:
            return ask(self.port, "example.test", timeout=0.5).rcode == "NOERROR"
        except (Silence, ConnectionError):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def pair(make_torhaus_once, tmp_path_factory):
    """(torhaus, Knot) with the same names."""
    t = make_torhaus_once(settings=names_settings(listen='"127.0.0.1:0"'))
    origins = [w for o in ("http://192.0.2.7", "http://192.0.2.8", "http://[2001:db8::7]") for w in ("--origin", o)]
    t.run("domain", "add", "example.test", "--web", "www.example.test", "--web", "*.wild.example.test", *origins)
    t.run("domain", "add", "many.example.test", *(w for i in range(1, 25) for w in ("--origin", f"http://[2001:db8::{i:x}]")))
    t.start()
    knot = Knot(tmp_path_factory.mktemp("knot"))
    wait_for(lambda: ask(t.dns_port, "many.example.test").rcode == "NOERROR")
    yield t, knot
    knot.stop()


def both(pair, data):
    """Each one's answer, None where there was none. What is dropped is not waited for: a good question follows."""
    def one(port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(20)
            s.connect(("127.0.0.1", port))
            s.send(data)
            s.send(query("example.test", id=0xabcd))
            raw = s.recv(65536)
            return None if raw[:2] == b"\xab\xcd" else parse(raw)
    return [one(port) for port in (pair[0].dns_port, pair[1].port)]


def compared(m):
    """What both have to say alike: not the SOA's serial, not whether recursion is offered, not the order."""
    if m is None:
        return None
    return {"id": m.id, "flags": m.flags & ~0x80 & ~0x0010, "rcode": m.rcode, "questions": m.questions,
            "answers": sorted((r.name, r.type, r.klass, r.ttl, str(r.data)) for r in m.answers if r.type != "SOA"),
            "types": [r.type for r in m.answers][:1],
            "authority": [(r.name.lower(), r.type, r.ttl, *(n.lower() for n in r.data[:2]), r.data[3:])
                          for r in m.authorities if r.type == "SOA"],
            "edns": m.edns and (m.edns["version"], m.edns["flags"])}


EDNS = {"none": None, "usual": opt(), "512": opt(512), "4096": opt(4096), "too small": opt(0), "DO": opt(flags=0x8000),
        "unknown flags": opt(flags=0x7fff)}


@pytest.mark.parametrize("edns", EDNS)
@pytest.mark.parametrize("name", ["example.test", "EXAMPLE.TEST", "WwW.example.test", "a.Wild.example.TEST",
                                  "many.example.test"])
def test_questions(pair, name, edns):
    for type in ("A", "AAAA", "MX", "TXT", "SOA", "SRV", "CAA", "HTTPS", "PTR", 4711):
        q = query(name, type, edns=EDNS[edns])
        ours, theirs = map(compared, both(pair, q))
        if "many" in name:      # a domain of its own here, a name in the zone there: the SOA is another's
            ours["authority"] = theirs["authority"] = ours["types"] = theirs["types"] = None
            ours["flags"] &= ~AA
            theirs["flags"] &= ~AA
            if type == "SOA":
                continue
        assert ours == theirs, type


@pytest.mark.parametrize("flags", [0, RD, RD | 0x10, 0x10, RD | 0x40, RD | 0x20, AA | TC | RD])
def test_flags(pair, flags):
    ours, theirs = map(compared, both(pair, query("example.test", flags=flags, id=77)))
    assert ours == theirs


@pytest.mark.parametrize("version", [1, 77, 255])
def test_versions(pair, version):
    ours, theirs = both(pair, query("example.test", edns=opt(version=version)))
    assert ours.rcode == theirs.rcode == "BADVERS" and ours.edns["version"] == theirs.edns["version"] == 0
    assert not ours.answers and not theirs.answers


@pytest.mark.parametrize("opcode", [3, 6, 7, 15])
def test_opcodes(pair, opcode):
    ours, theirs = both(pair, query("example.test", flags=opcode << 11))
    assert ours.rcode == theirs.rcode == "NOTIMP" and ours.flags >> 11 & 15 == theirs.flags >> 11 & 15 == opcode


def test_what_is_no_question(pair):
    for data in (b"", b"\0" * 11, query("example.test", flags=QR)):
        assert both(pair, data) == [None, None]


# What Knot overlooks.
LENIENT = {"an OPT with a name"}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed(pair, what):
    """Both say FORMERR or nothing at all; never anything else."""
    ours, theirs = both(pair, MALFORMED[what])
    assert ours.rcode == "FORMERR"
    assert theirs is None or theirs.rcode == "FORMERR" or what in LENIENT


# ---- Squid ----

class Squid:
    """A forward proxy without a cache whose names come from one DNS server."""

    def __init__(self, dir, nameserver):
        self.dir, self.port = pathlib.Path(dir), free_port("127.0.0.1")
        self.dir.chmod(0o777)      # it gives up root
        (self.dir / "squid.conf").write_text(f"""\
http_port 127.0.0.1:{self.port}
http_access allow all
dns_nameservers {nameserver}
dns_timeout 10 seconds
hosts_file none
cache deny all
cache_mem 8 MB
negative_dns_ttl 1 second
positive_dns_ttl 1 second
ipcache_size 0
access_log none
cache_log {self.dir}/cache.log
pid_filename {self.dir}/pid
coredump_dir {self.dir}
visible_hostname squid.test
shutdown_lifetime 1 second
pinger_enable off
""")
        self.process = subprocess.Popen(["squid", "-N", "-f", self.dir / "squid.conf"], stderr=open(self.dir / "stderr", "wb"))
        wait_for(self.accepts, seconds=30, what="Squid")

    def accepts(self):
        assert self.process.poll() is None, self.log()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            return True
        except OSError:
            return False

    def get(self, url):
        """(status, body)"""
        with Connection(self.port) as c:
            r = c.request(url, host=url.split("/")[2])
        return r.status, r.body

    def log(self):
        return "".join(p.read_text(errors="replace") for p in (self.dir / "cache.log", self.dir / "stderr") if p.exists())

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.mark.slow
def test_squid_with_torhaus_as_its_dns_server(make_torhaus, tmp_path):
    """The domain has one address for the public and another in the map: Squid fetches from the mapped origin, and goes on
    while all upstreams swallow what they get; names that it knew are served from what torhaus kept."""
    if os.getuid() != 0:
        pytest.skip("Squid asks port 53, which is root's")
    where = any_loopback()
    mapped, public = any_loopback(), any_loopback()
    port = free_port("127.0.0.1")
    silent = False

    def script(u):
        def answer(q, raw, tcp):
            if silent:
                return None
            if q.questions[0][1] != "A":
                return reply(raw)
            return reply(raw, record(b"\xc0\x0c", "A", 2, address(public)))
        return answer
    with Upstream() as one, Upstream() as two, Web(mapped, port, b"mapped"), Web(public, port, b"public"):
        one.script, two.script = script(one), script(two)
        t = make_torhaus(settings=names_settings(
            listen=f'"{where}:53"', forward=f'"{one.address}", "{two.address}"'))
        t.add("customer.test", f"http://{mapped}:{port}")
        t.start()
        wait_for(lambda: ask(53, "customer.test", host=where).data("A") == [mapped])
        assert parse(exchange_udp(one.port, query("customer.test"))).data("A") == [public]
        squid = Squid(tmp_path, where)
        try:
            assert squid.get(f"http://customer.test:{port}/") == (200, b"mapped")
            assert squid.get(f"http://known.example.net:{port}/") == (200, b"public")
            silent = True
            time.sleep(3)      # what Squid and torhaus have kept is over
            for i in range(3):
                assert squid.get(f"http://customer.test:{port}/{i}") == (200, b"mapped")
                assert squid.get(f"http://known.example.net:{port}/{i}") == (200, b"public")
                status, _ = squid.get(f"http://new{i}.example.net:{port}/")
                assert status in (502, 503, 504)
            silent = False
            wait_for(lambda: squid.get(f"http://back.example.net:{port}/") == (200, b"public"), seconds=30)
            assert not [line for line in squid.log().splitlines() if "DNS" in line and "dead" in line.lower()]
        finally:
            squid.stop()


class Web:
    """Answers every request with the same body."""

    def __init__(self, host, port, body):
        import http.server
        import threading

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer((host, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
