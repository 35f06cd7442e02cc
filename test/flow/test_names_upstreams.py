"""Never silent: whatever the upstreams do, every question is answered, within 2 s (here: 4, for a busy machine)."""

import contextlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from conftest import wait_for
from dns_client import (RA, RD, TC, Silence, Stream, Upstream, address, ask, encode_name, exchange_udp, opt, parse, query,
                        record, reply)
from test_names import names_settings

PATIENCE = 4


@pytest.fixture
def make(make_torhaus):
    """A running torhaus that forwards to these, with one name of its own."""
    def make(*upstreams, threads=2):
        forward = ", ".join(f'"{getattr(u, "address", u)}"' for u in upstreams)
        t = make_torhaus(threads=threads, settings=names_settings(listen='"127.0.0.1:0"', forward=forward))
        t.add("example.test", "http://192.0.2.7")
        t.start()
        return t
    return make


def plain(raw, data="203.0.113.1", ttl=60):
    return reply(raw, record(b"\xc0\x0c", "A", ttl, address(data)))


def ask_soon(t, name, type="A", **options):
    """Asks, and sees to it that the answer came in time."""
    began = time.monotonic()
    m = ask(t.dns_port, name, type, edns=opt(), **options)
    assert time.monotonic() - began < PATIENCE, f"{name}: {time.monotonic() - began:.1f} s"
    return m


def ask_all(t, names, ask_one=ask_soon):
    """All at the same time; the answers in order."""
    answers = [None] * len(names)

    def run(i):
        answers[i] = ask_one(t, names[i])
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(names))]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    assert all(answers), "some were not answered in time"
    return answers


def fresh_names(prefix, n):
    return [f"{prefix}{i}.example.net" for i in range(n)]


# ---- all is well ----

def test_what_an_upstream_says_is_passed_on(make):
    def script(q, raw, tcp):
        name, type, _ = q.questions[0]
        if name.lower().startswith("no."):
            return reply(raw, rcode=3, flags=RA)
        if type == "MX":
            return reply(raw, record(b"\xc0\x0c", "MX", 300, b"\0\x0a\4mail\xc0\x0c"))
        return plain(raw)
    with Upstream(script) as u:
        t = make(u)
        m = ask_soon(t, "Www.Example.net")
        assert (m.rcode, m.data("A"), m.ede) == ("NOERROR", ["203.0.113.1"], []) and m.has(RA) and not m.has(0x400)
        assert m.questions == [("Www.Example.net", "A", 1)]
        assert ask_soon(t, "example.net", "MX").data("MX") == [(10, "mail.example.net")]
        assert ask_soon(t, "no.example.net").rcode == "NXDOMAIN"
        assert ask_soon(t, "www.example.net", tcp=True).data("A") == ["203.0.113.1"]
        assert ask(t.dns_port, "www.example.net").edns is None


OWNER = b"\xc0\x0c"
SOA = record("example.net", "SOA", 60, encode_name("ns.example.net") + encode_name("h.example.net") + struct.pack("!5I", 1, 2, 3, 4, 2))


def with_authority(raw, authority, rcode=0):
    """A negative answer: one record in the authority section."""
    m = reply(raw, authority, n=0, rcode=rcode)
    return m[:8] + b"\0\1" + m[10:]


def test_records_of_all_kinds(make):
    """Chains, signatures, types that nobody knows, names with bytes that are no letters."""
    def script(q, raw, tcp):
        name, type, _ = q.questions[0]
        name = name.lower()
        if name == "alias.example.net":
            return reply(raw, record(OWNER, "CNAME", 60, encode_name("target.example.net")) +
                         record("target.example.net", "A", 60, address("203.0.113.9")), n=2)
        if type == "TYPE4711":
            return reply(raw, record(OWNER, 4711, 60, b"\0\xff\xc0\x0c"))
        if name == "big.example.net":
            many = b"".join(record(OWNER, "TXT", 60, b"\xfa" + b"x" * 249 + bytes([i])) for i in range(16))
            return reply(raw, many, n=16) if tcp else reply(raw, flags=RA | TC)
        if name.startswith("gone"):
            return with_authority(raw, SOA, rcode=3)
        if name.startswith("empty"):
            return with_authority(raw, SOA)
        return plain(raw)
    with Upstream(script) as u:
        t = make(u)
        m = ask_soon(t, "ALIAS.example.net")
        assert [(r.name.lower(), r.type, r.data) for r in m.answers] == [
            ("alias.example.net", "CNAME", "target.example.net"), ("target.example.net", "A", "203.0.113.9")]
        assert ask_soon(t, "x.example.net", 4711).answers[0].data == b"\0\xff\xc0\x0c"
        assert ask_soon(t, b"\3a.b\2\0\xff\7example\3net\0").data("A") == ["203.0.113.1"]
        # Too much for a datagram: whole by TCP, cut by UDP.
        m = ask_soon(t, "big.example.net", "TXT")
        assert m.has(TC) and not m.answers
        assert len(ask_soon(t, "big.example.net", "TXT", tcp=True).answers) == 16
        for name, rcode in (("gone.example.net", "NXDOMAIN"), ("empty.example.net", "NOERROR")):
            m = ask_soon(t, name)
            assert m.rcode == rcode and not m.answers and m.authorities[0].type == "SOA"


def test_negative_answers_are_kept_as_long_as_their_soa_says(make):
    """RFC 2308 5: here 2 s."""
    with Upstream(lambda q, raw, tcp: with_authority(raw, SOA, rcode=3)) as u:
        t = make(u, threads=1)
        for _ in range(3):
            assert ask_soon(t, "gone.example.net").rcode == "NXDOMAIN"
        assert u.was_asked("gone.example.net") == 1
        time.sleep(2.2)
        assert ask_soon(t, "gone.example.net").rcode == "NXDOMAIN"
        wait_for(lambda: u.was_asked("gone.example.net") == 2)


def test_what_has_no_lifetime_is_not_kept(make):
    with Upstream(ttl=0) as u:
        t = make(u, threads=1)
        for n in (1, 2, 3):
            assert ask_soon(t, "a.example.net").data("A") == ["203.0.113.1"]
            assert u.was_asked("a.example.net") == n


def test_bits_that_a_client_sets(make):
    """DO and CD go along and part what is kept; without RD nobody is asked (RFC 1035 4.1.1)."""
    seen = []

    def script(q, raw, tcp):
        seen.append((q.questions[0][0].lower(), bool(q.edns and q.edns["flags"] & 0x8000), q.has(0x10)))
        return plain(raw)
    with Upstream(script) as u:
        t = make(u, threads=1)
        ask(t.dns_port, "a.example.net")
        ask(t.dns_port, "a.example.net", edns=opt(flags=0x8000))
        ask(t.dns_port, "a.example.net", flags=RD | 0x10)
        assert ask(t.dns_port, "b.example.net", flags=0).rcode == "REFUSED"
        assert [s[1:] for s in seen if s[0] == "a.example.net"] == [(False, False), (True, False), (False, True)]
        assert not [s for s in seen if s[0] == "b.example.net"]


def test_upstreams_by_ipv6(make):
    with Upstream(host="::1") as u:
        assert ask_soon(make(u), "a.example.net").data("A") == ["203.0.113.1"]


def test_an_upstream_without_edns(make):
    """RFC 6891 6.2.2: FORMERR to what has an OPT record; it is asked again without."""
    with Upstream(lambda q, raw, tcp: reply(raw, rcode=1) if q.edns else plain(raw)) as u:
        t = make(u)
        assert ask_soon(t, "a.example.net").data("A") == ["203.0.113.1"]


def test_answers_are_kept_and_grow_older(make):
    with Upstream(ttl=60) as u:
        t = make(u, threads=1)
        ask_soon(t, "a.example.net")
        before = u.was_asked("a.example.net")
        time.sleep(1.1)
        m = ask_soon(t, "A.example.net")
        assert m.data("A") == ["203.0.113.1"] and m.answers[0].ttl in (57, 58, 59)
        assert u.was_asked("a.example.net") == before


def test_names_of_the_map_are_never_forwarded(make):
    with Upstream() as u:
        t = make(u)
        for type in ("A", "AAAA", "MX", "HTTPS", "TXT"):
            assert ask_soon(t, "example.test", type).rcode == "NOERROR"
        assert u.was_asked("example.test") == 0


def test_an_origin_with_a_name(make):
    """Its addresses are given as the site's own."""
    def script(q, raw, tcp):
        return plain(raw, "6.6.6.6") if q.questions[0][0].lower() == "named.test" else u.plain(q, raw, tcp)
    with Upstream(script) as u:
        t = make(u, threads=1)
        t.add("named.test", "http://backend.example.net:8080")
        wait_for(lambda: ask(t.dns_port, "named.test").data("A") == ["203.0.113.1"])
        before = u.was_asked("named.test")      # while the server did not have it yet
        m = ask_soon(t, "named.test", "AAAA")
        assert m.data("AAAA") == ["2001:db8::1"] and all(r.name == "named.test" for r in m.answers)
        assert u.was_asked("named.test") == before and u.was_asked("backend.example.net") > 0


def test_the_same_question_many_times_is_asked_once(make):
    def script(q, raw, tcp):
        return [0.3, plain(raw)] if q.questions[0][0].lower() == "same.example.net" else plain(raw)
    with Upstream(script) as u:
        t = make(u, threads=1)
        ask_soon(t, "warm.example.net")
        for m in ask_all(t, ["same.example.net"] * 60):
            assert m.data("A") == ["203.0.113.1"]
        assert u.was_asked("same.example.net") <= 3


# ---- one of two does badly ----

def stopped():
    """An upstream as a process of its own, that can be stopped as a machine can: its sockets swallow everything."""
    code = ("import sys, time; sys.path.insert(0, sys.argv[1]); from dns_client import Upstream; "
            "u = Upstream(); print(u.port, flush=True); time.sleep(600)")
    p = subprocess.Popen([sys.executable, "-c", code, os.path.dirname(__file__)], stdout=subprocess.PIPE, text=True)
    p.address = f"127.0.0.1:{int(p.stdout.readline())}"
    return p


@pytest.fixture
def process():
    """Makes upstreams that are processes."""
    made = []

    def make():
        made.append(stopped())
        return made[-1]
    yield make
    for p in made:
        p.kill()
        p.wait()
        p.stdout.close()


SCRIPTS = {
    "silence": lambda q, raw, tcp: None,
    "REFUSED": lambda q, raw, tcp: reply(raw, rcode=5),
    "SERVFAIL": lambda q, raw, tcp: reply(raw, rcode=2),
    "FORMERR": lambda q, raw, tcp: reply(raw, rcode=1),
    "NOTIMP": lambda q, raw, tcp: reply(raw, rcode=4),
    "wrong ids": lambda q, raw, tcp: plain(bytes([raw[0] ^ 0x55]) + raw[1:], "6.6.6.6"),
    "wrong questions": lambda q, raw, tcp: reply(raw, record("evil.test", "A", 60, address("6.6.6.6")),
                                                 ask=encode_name("evil.test") + b"\0\1\0\1"),
    "the question itself": lambda q, raw, tcp: raw,
    "rubbish": lambda q, raw, tcp: b"\xff" * 40,
    "an answer cut off": lambda q, raw, tcp: plain(raw)[:-3],
    "a referral": lambda q, raw, tcp: reply(raw, flags=0),
    "records of others": lambda q, raw, tcp: reply(raw, record("www.bank.test", "A", 60, address("6.6.6.6"))),
    "3 s of delay": lambda q, raw, tcp: [3, plain(raw)],
    "30 % of loss": lambda q, raw, tcp: None if random.random() < 0.3 else plain(raw),
    "TC for ever": lambda q, raw, tcp: None if tcp else reply(raw, flags=RA | TC),
    "slow TCP only": lambda q, raw, tcp: [0.2, plain(raw)] if tcp else reply(raw, flags=RA | TC),
}
# These answer well after all, or say that there is nothing.
ANSWERED = {"30 % of loss", "slow TCP only", "a referral"}
NOTHING = {"a referral"}


@pytest.fixture(scope="module")
def two(make_torhaus_once):
    """A torhaus with two upstreams for all cases below: each begins with both of them well."""
    with Upstream(ttl=1) as one, Upstream(ttl=1) as other:
        t = make_torhaus_once(settings=names_settings(
            listen='"127.0.0.1:0"', forward=f'"{one.address}", "{other.address}"'))
        t.add("example.test", "http://192.0.2.7")
        t.start()
        t.upstreams = [one, other]
        yield t


def be_well(t):
    for u in t.upstreams:
        u.script = u.plain
    for _ in range(3):
        wait_for(lambda: ask(t.dns_port, f"w{random.random()}.example.net").data("A") == ["203.0.113.1"])


def tag():
    return f"t{random.randrange(1 << 40)}x"


@pytest.mark.parametrize("what", SCRIPTS)
def test_the_first_does_badly(two, what):
    """The second is asked in time, and nothing that the first made up is believed."""
    be_well(two)
    two.upstreams[0].script = SCRIPTS[what]
    two.upstreams[1].asked.clear()
    for m in ask_all(two, fresh_names(tag(), 20)):
        assert m.rcode == "NOERROR" and m.data("A") in ([[], ["203.0.113.1"]] if what in NOTHING else [["203.0.113.1"]])
    assert two.upstreams[1].asked or what in ANSWERED
    assert ask_soon(two, "example.test").data("A") == ["192.0.2.7"]


@pytest.mark.parametrize("what", SCRIPTS)
def test_both_do_badly(two, what):
    """Then the failure is said, in time, with what is known of it (RFC 8914); what had been answered is given stale."""
    be_well(two)
    known = tag() + ".example.net"
    assert ask_soon(two, known).data("A") == ["203.0.113.1"]
    for u in two.upstreams:
        u.script = SCRIPTS[what]
    time.sleep(1.2)
    fails = what not in ANSWERED
    for m in ask_all(two, fresh_names(tag(), 20)):
        assert not set(m.data("A")) - {"203.0.113.1"}
        if fails:
            assert m.rcode == "SERVFAIL" or (m.rcode, what) == ("REFUSED", "REFUSED")
            assert m.ede and m.ede[0] in (22, 23)
    m = ask_soon(two, known)
    if fails:
        assert (m.rcode, m.data("A"), m.ede) == ("NOERROR", ["203.0.113.1"], [3]) and m.answers[0].ttl == 30
    assert ask_soon(two, "example.test").data("A") == ["192.0.2.7"]
    be_well(two)
    wait_for(lambda: not ask_soon(two, known).ede)


class OddTcp(Upstream):
    """Truncates by UDP; by TCP it sends what `said(query)` gives, as it is, and closes if that is not all."""

    def __init__(self, said):
        self.said = said
        super().__init__(lambda q, raw, tcp: reply(raw, flags=RA | TC))

    def serve(self, s):
        with s, contextlib.suppress(OSError):       # whoever asked may be gone
            n = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))[0]
            for piece in self.said(s.recv(n, socket.MSG_WAITALL)):
                if piece is None:
                    s.recv(1)
                else:
                    s.sendall(piece)
                    time.sleep(0.01)


def framed(m):
    return struct.pack("!H", len(m)) + m


ODD_TCP = {
    "closes at once": lambda raw: [],
    "half a length": lambda raw: [b"\0"],
    "half an answer": lambda raw: [framed(plain(raw))[:-5]],
    "length 0": lambda raw: [b"\0\0"],
    "a lying length": lambda raw: [b"\xff\xff" + plain(raw)],
    "another id": lambda raw: [framed(plain(bytes([raw[0] ^ 1]) + raw[1:], "6.6.6.6"))],
    "another question": lambda raw: [framed(reply(raw, record("x", "A", 60, address("6.6.6.6")), ask=encode_name("x") + b"\0\1\0\1"))],
    "truncated again": lambda raw: [framed(reply(raw, flags=RA | TC))],
    "nothing": lambda raw: [None],
    "in pieces": lambda raw: [bytes([b]) for b in framed(plain(raw))],
}


@pytest.fixture(scope="module")
def odd(make_torhaus_once):
    """A torhaus whose first upstream is an OddTcp."""
    with OddTcp(lambda raw: []) as one, Upstream() as other:
        t = make_torhaus_once(settings=names_settings(
            listen='"127.0.0.1:0"', forward=f'"{one.address}", "{other.address}"'))
        t.start()
        t.upstreams = [one, other]
        yield t


@pytest.mark.parametrize("what", ODD_TCP)
def test_odd_answers_by_tcp(odd, what):
    """A name whose answer does not fit into a datagram, from an upstream that is odd by TCP: the other one is asked; if that
    is silent, it is said in time."""
    odd.upstreams[0].said = ODD_TCP[what]
    odd.upstreams[1].script = odd.upstreams[1].plain
    wait_for(lambda: ask(odd.dns_port, tag() + ".example.net").data("A") == ["203.0.113.1"])
    for m in ask_all(odd, fresh_names(tag(), 5)):
        assert m.data("A") == ["203.0.113.1"]
    odd.upstreams[1].script = SCRIPTS["silence"]
    m = ask_soon(odd, tag() + ".example.net")
    assert m.data("A") == (["203.0.113.1"] if what == "in pieces" else [])


# ---- black holes ----

@pytest.mark.slow
def test_a_black_hole_for_a_while(make, process):
    """Both upstreams stopped as machines stop: each second a new name and a known one, all of them answered."""
    one, two = process(), process()
    t = make(one.address, two.address)
    for name in fresh_names("known", 8):
        assert ask_soon(t, name).data("A") == ["203.0.113.1"]
    for p in (one, two):
        p.send_signal(signal.SIGSTOP)
    for i in range(5):
        new, known, ours = ask_all(t, [f"new{i}.example.net", f"known{i}.example.net", "example.test"])
        assert new.rcode == "SERVFAIL" and new.ede[0] in (22, 23)
        assert known.data("A") == ["203.0.113.1"] and ours.data("A") == ["192.0.2.7"]
        time.sleep(0.5)
    for p in (one, two):
        p.send_signal(signal.SIGCONT)
    wait_for(lambda: ask_soon(t, f"back{random.random()}.example.net").rcode == "NOERROR", what="recovery")


def test_nobody_listens_there(make):
    """ICMP says so at once: nobody waits 2 s for that."""
    t = make("127.0.0.1:9", "127.0.0.2:9")
    began = time.monotonic()
    for m in ask_all(t, fresh_names("a", 10)):
        assert m.rcode == "SERVFAIL" and m.ede[0] in (22, 23)
    assert time.monotonic() - began < PATIENCE


def test_flapping(make):
    """Down and up again every quarter of a second, both at the same time."""
    began = time.monotonic()

    def script(u):
        return lambda q, raw, tcp: None if int((time.monotonic() - began) * 4) % 2 else u.plain(q, raw, tcp)
    with Upstream() as one, Upstream() as two:
        one.script, two.script = script(one), script(two)
        t = make(one, two)
        good = 0
        for i in range(5):
            good += sum(m.rcode == "NOERROR" for m in ask_all(t, fresh_names(f"f{i}x", 20)))
            time.sleep(0.1)
        assert good >= 80, f"{good} of 100"


def test_an_upstream_that_comes_back_is_used_again(make, process):
    one = process()
    t = make(one.address)
    assert ask_soon(t, "a.example.net").rcode == "NOERROR"
    one.send_signal(signal.SIGSTOP)
    assert ask_soon(t, "b.example.net").rcode == "SERVFAIL"
    one.send_signal(signal.SIGCONT)
    wait_for(lambda: ask_soon(t, f"c{random.random()}.example.net").rcode == "NOERROR")
    upstreams = t.json("status")["names"]["upstreams"]
    assert [u["address"] for u in upstreams] == [one.address]


def test_failures_are_not_kept_for_long(make):
    """RFC 2308 7.1: at most 5 s."""
    mode = {"bad": True}
    with Upstream() as u:
        u.script = lambda q, raw, tcp: reply(raw, rcode=2) if mode["bad"] else u.plain(q, raw, tcp)
        t = make(u)
        assert ask_soon(t, "a.example.net").rcode == "SERVFAIL"
        mode["bad"] = False
        began = time.monotonic()
        wait_for(lambda: ask_soon(t, "a.example.net").rcode == "NOERROR", seconds=10)
        assert time.monotonic() - began < 8


# ---- much ----

def test_thousands_under_way(make):
    """All of them are answered, with the failure when it is due; nothing is dropped."""
    with Upstream(lambda q, raw, tcp: None) as u:
        t = make(u)
        n, answered = 4000, {}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            s.connect(("127.0.0.1", t.dns_port))
            s.settimeout(20)
            for i in range(n):
                s.send(query(f"n{i}.example.net", id=i))
                if i % 100 == 99:
                    time.sleep(0.005)
            while len(answered) < n:
                raw = s.recv(4096)
                answered[raw[0] << 8 | raw[1]] = raw[3] & 15
        assert set(answered.values()) == {2}


def test_the_worker_dies_while_questions_wait(make):
    """What is asked after it is answered, with the upstreams as they are."""
    with Upstream(lambda q, raw, tcp: None) as u:
        t = make(u)
        waiting = threading.Thread(target=lambda: ask_quietly(t, "a.example.net"))
        waiting.start()
        time.sleep(0.2)
        t.kill_worker()
        assert ask(t.dns_port, "example.test").data("A") == ["192.0.2.7"]
        assert ask(t.dns_port, "b.example.net").rcode == "SERVFAIL"
        waiting.join()


def ask_quietly(t, name):
    try:
        ask(t.dns_port, name, timeout=5)
    except (Silence, ConnectionError):
        pass


def test_a_stop_answers_whoever_waits(make):
    with Upstream(lambda q, raw, tcp: [0.8, plain(raw)]) as u:
        t = make(u)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(ask(t.dns_port, "a.example.net")))
        waiting.start()
        wait_for(lambda: u.was_asked("a.example.net"))
        t.process.send_signal(signal.SIGTERM)
        waiting.join()
        assert answers[0].rcode in ("NOERROR", "SERVFAIL")


# ---- loops ----

def test_an_upstream_that_asks_us(make):
    """Questions that come back are not sent round for ever: they are answered, and the loop is told."""
    where = {}

    def script(q, raw, tcp):
        return exchange_udp(where["port"], raw, timeout=10) if where else None
    with Upstream(script) as u:
        t = make(u)
        where["port"] = t.dns_port
        for m in ask_all(t, fresh_names("l", 10)):
            assert m.rcode in ("SERVFAIL", "REFUSED")
        wait_for(lambda: any(f["code"] == "DNS-FORWARD-LOOP" for f in t.json("status")["faults"]))
        time.sleep(1)
        before = len(u.asked)
        time.sleep(2)
        assert len(u.asked) - before < 50


# ---- settings ----

def test_other_upstreams_by_reload(make):
    with Upstream() as one, Upstream(lambda q, raw, tcp: plain(raw, "203.0.113.2")) as two:
        t = make(one)
        assert ask_soon(t, "a.example.net").data("A") == ["203.0.113.1"]
        t.write_conf(settings=names_settings(listen='"127.0.0.1:0"', forward=f'"{two.address}"'))
        t.run("reload")
        wait_for(lambda: ask_soon(t, f"b{random.random()}.example.net").data("A") == ["203.0.113.2"])


# ---- answers that nobody takes ----

def test_long_answers_that_a_client_does_not_take(make):
    """Each is 60 KB, and he reads none until he has asked for all: those that there is no room for become SERVFAIL."""
    data = b"".join(bytes([250]) + b"x" * 250 for _ in range(240))

    def script(q, raw, tcp):
        return [0.5, reply(raw, record(b"\xc0\x0c", "TXT", 60, data))] if tcp else reply(raw, flags=RA | TC)

    with Upstream(script) as u:
        t = make(u)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(30)
            s.connect(("127.0.0.1", t.dns_port))
            for i in range(150):
                q = query(f"long{i}.test", "TXT", id=i)
                s.sendall(struct.pack("!H", len(q)) + q)
            wait_for(lambda: t.json("status")["names"]["waiting"] == 0, what="the end of all questions")
            answers = Stream.__new__(Stream)
            answers.sock = s
            heard = {m.id: m.rcode for m in (parse(answers.read()) for _ in range(150))}
        assert len(heard) == 150 and set(heard.values()) <= {"NOERROR", "SERVFAIL"}
