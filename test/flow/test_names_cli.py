"""`torhaus dns query` and `torhaus dns check`: what a person reads, what a program reads, and the exit status."""

import json
import socket
import struct
import threading

import pytest

from conftest import wait_for
from dns_client import RA, Upstream, address, ask, encode_name, record, reply
from test_names import names_settings


@pytest.fixture
def make(make_torhaus):
    def make(*upstreams, allow='"127.0.0.0/8", "::1"', running=True):
        forward = ", ".join(f'"{u.address}"' for u in upstreams)
        t = make_torhaus(settings=names_settings(listen='"127.0.0.1:0"', allow=allow, forward=forward))
        t.run("domain", "add", "example.test", "--web", "www.example.test", "--web", "*.example.test", "--origin",
              "http://192.0.2.7:8080", "--origin", "http://[2001:db8::7]")
        if running:
            t.start()
        return t
    return make


def codes(done):
    return [f["code"] for f in json.loads(done.stdout)["faults"]]


# ---- query ----

def test_a_name_of_the_map(make):
    t = make()
    done = t.run("dns", "query", "WWW.example.test")
    lines = done.stdout.splitlines()
    assert lines[0] == "WWW.example.test. A: NOERROR, from the map of domains"
    assert lines[1].startswith(f"127.0.0.1:{t.dns_port} udp, ") and lines[1].endswith(" ms, qr aa rd ra")
    assert [l.split() for l in lines[2:]] == [["answer"], ["WWW.example.test.", "30", "A", "192.0.2.7"]]
    told = t.json("dns", "query", "example.test", "AAAA", "--tcp")
    assert told["schema"] == "torhaus.dns-query/1" and told["transport"] == "tcp" and told["time_ms"] >= 0
    assert told["answers"] == [{"name": "example.test.", "ttl": 30, "class": "IN", "type": "AAAA", "data": "2001:db8::7"}]
    assert (told["rcode"], told["source"], told["flags"]) == ("NOERROR", "map", ["qr", "aa", "rd", "ra"])
    told = t.json("dns", "query", "example.test", "mx")
    assert not told["answers"] and told["authorities"][0]["data"].startswith("example.test. hostmaster.example.test. ")
    german = t.run("dns", "query", "example.test", "--lang", "de").stdout
    assert "aus der Karte der Domains" in german and "Antwort" in german


def test_a_name_that_is_not_answered(make):
    t = make()
    done = t.run("dns", "query", "elsewhere.test", check=False)
    assert done.returncode == 1
    assert "elsewhere.test. A: REFUSED" in done.stdout and "EDE 20 Not Authoritative" in done.stdout
    assert "from" not in done.stdout


def test_umlauts(make):
    t = make()
    t.add("käse.test", "http://192.0.2.9")
    wait_for(lambda: t.run("dns", "query", "käse.test", check=False).returncode == 0)
    assert t.json("dns", "query", "KÄSE.test")["name"] == "xn--kse-qla.test."


@pytest.mark.parametrize("words", [[], ["example.test", "NOTYPE"], ["a..b"], ["a", "A", "c"], ["a", "--server", "host"],
                                   ["a", "--server", "unix:/x"], ["a", "--udp"], ["x" * 64 + ".test"]])
def test_wrong_usage(make, words):
    assert make(running=False).run("dns", "query", *words, check=False).returncode == 2


def test_nobody_there(make):
    t = make(running=False)
    done = t.run("dns", "query", "example.test", check=False)
    assert done.returncode == 4 and "SERVE-NOT-RUNNING" in done.stderr
    for transport in ([], ["--tcp"]):
        done = t.run("dns", "query", "example.test", "--server", "127.0.0.1:9", *transport, check=False)
        assert done.returncode == 4 and "DNS-NO-ANSWER" in done.stderr and "refused" in done.stderr


def test_the_edge_is_off(make_torhaus):
    t = make_torhaus()
    t.start()
    done = t.run("dns", "query", "example.test", check=False)
    assert done.returncode == 4 and "DNS-OFF" in done.stderr
    done = t.run("dns", "check", "--json", check=False)
    assert done.returncode == 1 and codes(done) == ["DNS-OFF"]


def test_other_servers_and_types(make):
    """Any server can be asked; what it sends is shown, decoded or as it came."""
    def script(q, raw, tcp):
        return reply(raw, record(b"\xc0\x0c", "MX", 60, struct.pack("!H", 10) + encode_name("mx.b.test")) +
                     record(b"\xc0\x0c", "TXT", 60, b"\x03a\"b") + record(b"\xc0\x0c", 4711, 60, b"\1\2") +
                     record(b"\xc0\x0c", "A", 60, b"\1\2\3"), n=4)
    with Upstream(script) as u:
        told = make(running=False).json("dns", "query", "b.test", "ANY", "--server", u.address)
    assert [a["data"] for a in told["answers"]] == ["10 mx.b.test.", '"a\\"b"', "\\# 2 0102", "\\# 3 010203"]
    assert told["answers"][2]["type"] == "TYPE4711" and told["source"] is None


def test_what_is_cut_is_asked_for_by_tcp(make):
    def script(q, raw, tcp):
        return reply(raw, record(b"\xc0\x0c", "A", 60, address("192.0.2.1"))) if tcp else reply(raw, flags=RA | 0x200)
    with Upstream(script) as u:
        told = make(running=False).json("dns", "query", "b.test", "--server", u.address)
    assert told["transport"] == "tcp" and told["answers"][0]["data"] == "192.0.2.1"


def test_a_lost_datagram(make):
    """It is asked again with the same id: a late answer to the first would do as well."""
    seen = []

    def script(q, raw, tcp):
        seen.append(q.id)
        return reply(raw, record(b"\xc0\x0c", "A", 60, address("192.0.2.1"))) if len(seen) > 1 else None
    with Upstream(script) as u:
        told = make(running=False).json("dns", "query", "b.test", "--server", u.address)
    assert told["answers"][0]["data"] == "192.0.2.1" and len(seen) == 2 and seen[0] == seen[1]


def test_an_answer_that_is_none(make):
    """Wrong ids and questions are passed over; what lies about its length is shown as far as it goes."""
    def script(q, raw, tcp):
        good = reply(raw, record(b"\xc0\x0c", "A", 60, address("192.0.2.1")))
        return [reply(raw, record(b"\xc0\x0c", "A", 60, address("6.6.6.6")), id=q.id ^ 1),
                reply(raw, record(b"\xc0\x0c", "A", 60, address("6.6.6.6")), ask=encode_name("c.test") + b"\0\1\0\1"),
                raw, b"x", good[:7] + b"\2" + good[8:]]
    with Upstream(script) as u:
        told = make(running=False).json("dns", "query", "b.test", "--server", u.address)
    assert [a["data"] for a in told["answers"]] == ["192.0.2.1"] and told["malformed"]


# ---- check ----

def test_all_is_well(make):
    with Upstream() as one, Upstream() as two:
        t = make(one, two)
        t.add("other.test", "http://192.0.2.8")
        done = t.run("dns", "check", "--json")
        told = json.loads(done.stdout)
        assert told["schema"] == "torhaus.dns-check/1" and not told["faults"]
        assert [u["address"] for u in told["upstreams"]] == [one.address, two.address]
        assert all(u["recursion"] and u["rcode"] == "NOERROR" and u["udp_ms"] and u["tcp_ms"] for u in told["upstreams"])
        assert [l["address"] for l in told["listeners"]] == [f"127.0.0.1:{t.dns_port}"]
        assert told["names"] == {"names": 5, "asked": 10, "differ": 0}
        text = t.run("dns", "check").stdout
        assert "Nothing is wrong." in text and one.address in text and "5 names, 10 questions, 0 answered otherwise" in text


def test_each_fault_of_an_upstream(make):
    def refuses(q, raw, tcp):
        return reply(raw, rcode=5)

    def fails(q, raw, tcp):
        return reply(raw, rcode=2)

    def is_no_resolver(q, raw, tcp):
        return reply(raw, flags=0)

    def has_no_tcp(q, raw, tcp):
        return None if tcp else reply(raw)

    def is_silent(q, raw, tcp):
        return None

    def is_slow(q, raw, tcp):
        return [1.2, reply(raw)]

    scripts = [refuses, fails, is_no_resolver, has_no_tcp, is_silent, is_slow]
    upstreams = [Upstream(s) for s in scripts]
    t = make(*upstreams)
    done = t.run("dns", "check", "--json", check=False)
    for u in upstreams:
        u.close()
    assert done.returncode == 1
    found = {f["facts"]["server"]: (f["code"], f["facts"].get("transport")) for f in json.loads(done.stdout)["faults"]}
    assert [found[u.address] for u in upstreams] == [
        ("DNS-UPSTREAM-REFUSES", None), ("DNS-UPSTREAM-FAILS", None), ("DNS-UPSTREAM-NO-RECURSION", None),
        ("DNS-UPSTREAM-SILENT", "TCP"), ("DNS-UPSTREAM-SILENT", "UDP, TCP"), ("DNS-UPSTREAM-SLOW", None)]


class Elsewhere:
    """Takes questions at its address and answers from another port, as a server with many addresses may."""

    def __init__(self):
        self.taken, self.other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for s in (self.taken, self.other):
            s.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.taken.getsockname()[1]}"
        self.peer = f"127.0.0.1:{self.other.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            raw, peer = self.taken.recvfrom(4096)
            if not raw:
                return
            self.other.sendto(reply(raw), peer)

    def close(self):
        self.other.sendto(b"", self.taken.getsockname())


def test_upstreams_that_are_not_silent_but_odd(make):
    odd, plain = Elsewhere(), Upstream(lambda q, raw, tcp: None if q.edns else reply(raw))
    done = make(odd, plain).run("dns", "check", "--json", check=False)
    odd.close()
    plain.close()
    assert done.returncode == 1
    found = {f["facts"]["server"]: (f["code"], f["facts"].get("peer")) for f in json.loads(done.stdout)["faults"]}
    assert found[odd.address] == ("DNS-UPSTREAM-ELSEWHERE", odd.peer)
    assert found[plain.address][0] == "DNS-UPSTREAM-NO-EDNS"


def test_origins_that_cannot_be_looked_up(make):
    """The host is to blame, not the store; others of the same site are no worse for it."""
    def script(q, raw, tcp):
        name = q.questions[0][0].lower()
        if name.startswith("broken."):
            return reply(raw, rcode=2)
        if name.startswith("gone."):
            return reply(raw, rcode=3)
        return u.plain(q, raw, tcp)
    with Upstream(script) as u:
        t = make(u, running=False)
        for i, hosts in enumerate((["http://broken.example.net", "http://192.0.2.9"], ["http://gone.example.net."],
                                   ["http://fine.example.net", "https://fine.example.net"])):
            t.run("domain", "add", f"site{i}.test", *(w for h in hosts for w in ("--origin", h)))
        t.start()
        done = t.run("dns", "check", "--json", check=False)
        told = [(f["code"], f["facts"].get("host"), f["facts"].get("domain"), f["facts"].get("error"))
                for f in json.loads(done.stdout)["faults"]]
        assert sorted(told) == [("DNS-HOST-FAILS", "broken.example.net", "site0.test", "SERVFAIL"),
                                ("DNS-HOST-FAILS", "gone.example.net", "site1.test", "NXDOMAIN")]
        assert ask(t.dns_port, "site0.test").data("A") == ["192.0.2.9"]
        assert ask(t.dns_port, "site2.test").data("A") == ["203.0.113.1"]


def test_an_upstream_that_asks_us(make):
    """It gives our own SOA: a question that we forward would come back."""
    def script(q, raw, tcp):
        return raw[:2] + ask_raw(raw)[2:]

    def ask_raw(raw):
        from dns_client import exchange_udp
        return exchange_udp(t.dns_port, raw) if running else reply(raw)
    running = False
    with Upstream(script) as u:
        t = make(u)
        running = True
        done = t.run("dns", "check", "--json", check=False)
        assert "DNS-UPSTREAM-LOOPS" in codes(done) and done.returncode == 1


def test_a_server_that_does_not_run(make):
    with Upstream() as u:
        t = make(u, running=False)
        done = t.run("dns", "check", "--json", check=False)
        assert done.returncode == 4 and codes(done) == ["SERVE-NOT-RUNNING"]
        assert json.loads(done.stdout)["upstreams"][0]["rcode"] == "NOERROR"


def test_a_server_that_refuses_us(make):
    done = make(allow='"192.0.2.0/24"').run("dns", "check", "--json", check=False)
    assert done.returncode == 1 and codes(done) == ["DNS-NOT-ALLOWED"]


def test_names_that_differ(make):
    """The store says something else than the server answers: its row was spoilt behind its back."""
    import sqlite3
    t = make()
    db = sqlite3.connect(t.dir / "torhaus.db")
    with db:
        n = db.execute("update domain set body = replace(body, '192.0.2.7', '192.0.2.77')").rowcount
    db.close()
    assert n == 1
    done = t.run("dns", "check", "--json", check=False)
    told = json.loads(done.stdout)
    if told["faults"]:      # unless the server noticed, too, which is as well
        assert done.returncode == 1 and {f["code"] for f in told["faults"]} == {"DNS-NAME-DIFFERS"}
        assert told["faults"][0]["facts"]["want"] == "192.0.2.77" and told["names"]["differ"] == 3


def test_wrong_settings(make):
    t = make(running=False)
    t.conf.write_text(t.conf.read_text().replace("forward", "forwards"))
    assert t.run("dns", "check", check=False).returncode == 3
    assert t.run("dns", "query", "example.test", check=False).returncode == 3


# ---- status ----

def test_the_page_of_the_status(make, make_torhaus):
    with Upstream() as u:
        t = make(u)
        t.run("dns", "query", "elsewhere.test")
        page = t.run("status").stdout
        assert f"127.0.0.1:{t.dns_port} (DNS)" in page
        assert "3 names, 1 questions (own 0, forwarded 1, stale 0, failed 0), 1 of 1 upstreams up" in page
        assert "1 von 1 Upstreams da" in t.run("status", "--lang", "de").stdout
    without = make_torhaus()
    without.start()
    assert "DNS" not in without.run("status").stdout
