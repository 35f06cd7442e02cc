"""Names of the map: whoever is allowed to ask gets the right answer, whatever the question looks like."""

import random
import socket
import struct
import threading
import time

import pytest

from conftest import wait_for
from dns_client import (AA, QR, RA, RD, TC, Silence, Stream, ask, encode_name, exchange_udp, opt, parse, query,
                        question)

WEB = ["192.0.2.7", "192.0.2.8"]


def names_settings(listen='"127.0.0.1:0", "[::1]:0"', allow='"127.0.0.0/8", "::1"', forward=""):
    return f"names {{ listen = {{{listen}}} allow = {{{allow}}} forward = {{{forward}}} }}"


def run_names(t):
    """A running torhaus with a few domains, no upstreams."""
    t.run("domain", "add", "example.test", "--web", "example.test", "--web", "www.example.test", "--web",
          "*.wild.example.test", "--origin", "http://192.0.2.7:8080", "--origin", "http://192.0.2.8", "--origin",
          "https://[2001:db8::7]", "--origin", "http://192.0.2.99 backup")
    t.add("v4.test", "http://192.0.2.4")
    t.run("domain", "add", "backups.test", "--origin", "http://192.0.2.5 backup")
    t.run("domain", "add", "many.test", *(w for i in range(24) for w in ("--origin", f"http://[2001:db8::{i + 1:x}]")))
    t.start()
    wait_for(lambda: ask(t.dns_port, "many.test").rcode == "NOERROR", what="the names")
    return t


@pytest.fixture(scope="module")
def names(make_torhaus_once):
    """For tests that only ask: one server for all."""
    return run_names(make_torhaus_once(settings=names_settings()))


@pytest.fixture
def own(make_torhaus):
    """For tests that change something: a server of their own."""
    return run_names(make_torhaus(settings=names_settings()))


# ---- what is asked for ----

def test_addresses(names):
    for tcp in (False, True):
        m = ask(names.dns_port, "example.test", tcp=tcp)
        assert (m.rcode, m.data("A")) == ("NOERROR", WEB)
        assert m.has(AA) and m.has(RA) and m.has(RD) and not m.has(TC)
        assert {r.ttl for r in m.answers} == {30} and not m.authorities
        assert ask(names.dns_port, "www.example.test", "AAAA", tcp=tcp).data("AAAA") == ["2001:db8::7"]
    assert ask(names.dns_port6, "example.test", host="::1").data("A") == WEB


def test_backups_are_given_only_if_there_is_nothing_else(names):
    assert ask(names.dns_port, "backups.test").data("A") == ["192.0.2.5"]


def test_each_address_is_first_at_times(names):
    firsts = {ask(names.dns_port, "example.test").answers[0].data for _ in range(64)}
    assert firsts == set(WEB)


@pytest.mark.parametrize("type", ["AAAA", "MX", "TXT", "NS", "CNAME", "SRV", "HTTPS", "CAA", "DS", "PTR", 999, 65534])
def test_other_types_are_nodata_with_soa(names, type):
    """RFC 2308 2.2: NOERROR, no answers, the SOA with its minimum in the authority section; never forwarded."""
    m = ask(names.dns_port, "v4.test", type)
    assert (m.rcode, m.answers) == ("NOERROR", []) and m.has(AA)
    (soa,) = m.authorities
    assert (soa.name, soa.type) == ("v4.test", "SOA")
    assert soa.ttl <= 30 and soa.data[6] <= 30


def test_the_soa_itself(names):
    m = ask(names.dns_port, "v4.test", "SOA")
    assert [r.type for r in m.answers] == ["SOA"]
    m = ask(names.dns_port, "www.example.test", "SOA")
    assert not m.answers and m.authorities[0].name == "example.test"


def test_wildcards_stand_for_one_label(names):
    assert ask(names.dns_port, "a.wild.example.test").data("A") == WEB
    assert ask(names.dns_port, "*.wild.example.test").data("A") == WEB
    for name in ("wild.example.test", "a.b.wild.example.test", "other.example.test"):
        assert ask(names.dns_port, name).rcode == "REFUSED"


def test_case_does_not_count_and_is_kept(names):
    """RFC 4343; the question comes back bit by bit, as those who use 0x20 against forgery expect."""
    for name in ("EXAMPLE.TEST", "eXaMpLe.tEsT", "A.wIlD.Example.Test"):
        q = query(name)
        raw = exchange_udp(names.dns_port, q)
        m = parse(raw)
        assert raw[12:len(q)] == q[12:] and m.data("A") == WEB
        assert all(r.name == name for r in m.answers)


def test_any_is_answered_small(names):
    """RFC 8482 4.2."""
    m = ask(names.dns_port, "example.test", "ANY")
    assert [r.type for r in m.answers] == ["HINFO"] and m.answers[0].data == b"\7RFC8482\0"


def test_names_that_are_not_ours(names):
    """Without upstreams there is nobody to ask: REFUSED, and why (RFC 8914)."""
    m = ask(names.dns_port, "elsewhere.test", edns=opt())
    assert m.rcode == "REFUSED" and m.ede == [20]


@pytest.mark.parametrize("type", ["AXFR", "IXFR"])
def test_no_zone_transfers(names, type):
    for tcp in (False, True):
        assert ask(names.dns_port, "example.test", type, tcp=tcp).rcode == "REFUSED"


@pytest.mark.parametrize("klass", [3, 4, 254, 255])
def test_other_classes(names, klass):
    assert ask(names.dns_port, "example.test", klass=klass).rcode == "REFUSED"


# ---- sizes and EDNS ----

def test_what_does_not_fit_is_cut(names):
    """24 AAAA are 700 bytes: TC without EDNS and with less, all of them from 1232 bytes on (RFC 6891 6.2.3-6.2.5)."""
    for edns in (None, opt(512), opt(0), opt(100), opt(690)):
        q = query("many.test", "AAAA", edns=edns)
        raw = exchange_udp(names.dns_port, q)
        m = parse(raw)
        assert m.has(TC) and not m.answers and len(raw) <= 512 and (m.edns is None) == (edns is None)
    for size in (1232, 1400, 4096, 65535):
        raw = exchange_udp(names.dns_port, query("many.test", "AAAA", edns=opt(size)))
        m = parse(raw)
        assert not m.has(TC) and len(m.answers) == 24 and len(raw) <= 1232
    assert len(ask(names.dns_port, "many.test", "AAAA", tcp=True).answers) == 24


def test_edns_is_answered_with_edns(names):
    m = ask(names.dns_port, "example.test", edns=opt())
    assert m.edns["version"] == 0 and m.edns["size"] >= 512
    assert ask(names.dns_port, "example.test").edns is None
    # DO is repeated (RFC 3225 3), unknown flags are not (RFC 6891 6.1.4), unknown options are passed over (6.1.2).
    m = ask(names.dns_port, "example.test", edns=opt(flags=0xffff, options=struct.pack("!HH3s", 65001, 3, b"abc")))
    assert m.edns["flags"] == 0x8000 and m.data("A") == WEB


@pytest.mark.parametrize("version", [1, 2, 255])
def test_unknown_edns_versions(names, version):
    """RFC 6891 6.1.3."""
    m = ask(names.dns_port, "example.test", edns=opt(version=version))
    assert m.rcode == "BADVERS" and m.edns["version"] == 0 and not m.answers


# ---- odd and malformed ----

@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_unknown_opcodes(names, opcode):
    m = ask(names.dns_port, "example.test", flags=opcode << 11 | RD)
    assert m.rcode == "NOTIMP" and m.flags >> 11 & 15 == opcode


def test_bits_of_the_header(names):
    """RD and CD come back, AA, TC, RA, AD and the reserved bit of a question mean nothing."""
    for flags in (0, RD, 0x10, RD | 0x10, AA | TC | RA | 0x40 | 0x20):
        m = ask(names.dns_port, "example.test", flags=flags)
        assert m.data("A") == WEB and not m.has(TC) and not m.has(0x60)
        assert m.flags & (RD | 0x10) == flags & (RD | 0x10)


LONG = b"".join(bytes([63]) + b"a" * 63 for _ in range(4)) + b"\0"
MALFORMED = {
    "no question": query("example.test", counts=(0, 0, 0, 0))[:12],
    "two questions": query("example.test", counts=(2, 0, 0, 0), more=question("www.example.test")),
    "counts that lie: an answer": query("example.test", counts=(1, 1, 0, 0)),
    "counts that lie: 65535 of all": query("example.test", counts=(65535, 65535, 65535, 65535)),
    "counts that lie: an OPT that is not there": query("example.test", counts=(1, 0, 0, 1)),
    "bytes behind": query("example.test", more=b"x"),
    "half a question": query("example.test")[:-3],
    "no type": query("example.test")[:-4],
    "a label that goes on": query(b"\x07exam", more=b""),
    "a label of 64": query(b"\x40" + b"a" * 64 + b"\0"),
    "the label type 10": query(b"\x80abc\0"),
    "a name of 257": query(LONG),
    "a pointer to itself": query(b"\xc0\x0c"),
    "a pointer onwards": query(b"\xc0\x20", more=b"\0" * 40),
    "two pointers in a ring": query(b"\1a\xc0\x10\1b\xc0\x0c"),
    "two OPT records": query("example.test", counts=(1, 0, 0, 2), more=opt() + opt()),
    "an OPT with a name": query("example.test", counts=(1, 0, 0, 1), more=b"\1a" + opt()),
    "an option that goes on": query("example.test", edns=opt(options=struct.pack("!HH", 10, 99))),
    "a record that goes on": query("example.test", counts=(1, 0, 0, 1), more=encode_name("a") + struct.pack("!HHIH", 1, 1, 0, 99)),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_questions(names, what):
    """FORMERR with the id that was asked with (RFC 1035 4.1.1), by UDP and TCP; and the next question is served."""
    data = MALFORMED[what]
    m = parse(exchange_udp(names.dns_port, data))
    assert m.rcode == "FORMERR" and m.has(QR) and not m.answers and m.id == struct.unpack("!H", data[:2])[0]
    with Stream(names.dns_port) as s:
        s.send(data)
        assert parse(s.read()).rcode == "FORMERR"
    assert ask(names.dns_port, "example.test").data("A") == WEB


def first_of(port, *datagrams):
    """The id of the first answer to the datagrams, sent in this order from one socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect(("127.0.0.1", port))
        for d in datagrams:
            s.send(d)
        return parse(s.recv(65536)).id


@pytest.mark.parametrize("data", [b"", b"\0", b"\1\2\3\4\5\6\7\x08\x09\x0a\x0b", query("example.test", flags=QR | RD),
                                  query("example.test", flags=QR, counts=(0, 0, 0, 0))[:12]],
                         ids=["empty", "a byte", "less than a header", "an answer", "a header that answers"])
def test_what_is_no_question_is_dropped(names, data):
    """An answer is never answered: two servers would keep each other busy for ever."""
    for _ in range(4):
        assert first_of(names.dns_port, data, query("example.test", id=7)) == 7


def test_noise(names):
    """Random bytes and questions with random bytes changed: nothing is harmed, everything else is answered."""
    rng = random.Random(5)
    good = [query(n, t, edns=e) for n in ("example.test", "a.wild.example.test", "x.test") for t in ("A", "MX", "ANY")
            for e in (None, opt())]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", names.dns_port))
        for i in range(3000):
            data = bytearray(rng.choice(good)) if i % 3 else bytearray(rng.randbytes(rng.randrange(80)))
            for _ in range(rng.randrange(4)):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
            s.send(data)
            if i % 50 == 49:
                assert ask(names.dns_port, "example.test").data("A") == WEB
    assert names.process.poll() is None


# ---- who asks ----

def test_who_may_ask(make_torhaus):
    t = make_torhaus(settings=names_settings(allow='"127.0.0.1", "127.9.0.0/16"'))
    t.add("example.test", "http://192.0.2.7")
    t.start()
    wait_for(lambda: ask(t.dns_port, "example.test").data("A") == ["192.0.2.7"])
    assert ask(t.dns_port, "example.test", source="127.9.8.7").data("A") == ["192.0.2.7"]
    q = query("example.test", edns=opt())
    raw = exchange_udp(t.dns_port, q, source="127.0.0.2")
    m = parse(raw)
    assert m.rcode == "REFUSED" and m.ede == [18] and not m.answers
    assert len(raw) <= len(q) + 10     # nobody is worth attacking with it
    # What is malformed tells a stranger no more.
    assert parse(exchange_udp(t.dns_port, MALFORMED["bytes behind"], source="127.0.0.2")).rcode == "REFUSED"
    # A reload lets others in.
    t.write_conf(settings=names_settings(listen='"127.0.0.1:0", "[::1]:0"', allow='"127.0.0.2"'))
    t.run("reload")
    wait_for(lambda: ask(t.dns_port, "example.test", source="127.0.0.2").rcode == "NOERROR")
    assert ask(t.dns_port, "example.test").rcode == "REFUSED"


def test_an_answer_leaves_from_the_address_that_was_asked(make_torhaus):
    """On 0.0.0.0 and [::] a client that was answered from elsewhere would not take the answer."""
    t = make_torhaus(settings=names_settings(listen='"0.0.0.0:0", "[::]:0"'))
    t.add("example.test", "http://192.0.2.7")
    t.start()
    wait_for(lambda: ask(t.dns_port, "example.test").rcode == "NOERROR")
    for host in ("127.0.0.1", "127.3.2.1", "127.255.255.254"):
        assert ask(t.dns_port, "example.test", host=host).data("A") == ["192.0.2.7"]
        assert ask(t.dns_port, "example.test", host=host, tcp=True).data("A") == ["192.0.2.7"]
    assert ask(t.dns_port6, "example.test", host="::1").data("A") == ["192.0.2.7"]


# ---- TCP ----

def test_questions_in_a_row(names):
    """RFC 7766 6.2.1.1: many questions in one connection, sent before any answer is read; in pieces, too."""
    with Stream(names.dns_port) as s:
        s.send(*(query("example.test", id=i) for i in range(500)))
        answers = [parse(s.read()) for _ in range(500)]
        assert sorted(m.id for m in answers) == list(range(500))
        assert all(m.data("A") == WEB for m in answers)
        for piece in struct.pack("!H", 30) + query("example.test", id=9):
            s.sock.sendall(bytes([piece]))
        assert parse(s.read()).id == 9


def test_half_a_question_holds_up_nobody(names):
    with Stream(names.dns_port) as slow, Stream(names.dns_port) as none:
        slow.sock.sendall(struct.pack("!H", 30) + query("example.test")[:11])
        none.sock.sendall(b"\0")
        for _ in range(3):
            assert ask(names.dns_port, "example.test", tcp=True).data("A") == WEB
        slow.sock.sendall(query("example.test")[11:])
        assert parse(slow.read()).data("A") == WEB


def test_the_end_of_a_connection(names):
    """Whoever says that nothing more will come still gets the answers; a message too short to be one ends it."""
    with Stream(names.dns_port) as s:
        s.send(query("example.test", id=1), query("example.test", id=2))
        s.sock.shutdown(socket.SHUT_WR)
        assert sorted(parse(s.read()).id for _ in range(2)) == [1, 2]
        assert s.read() is None
    for data in (b"\0\0", b"\0\1x", struct.pack("!H", 12) + struct.pack("!6H", 1, QR, 0, 0, 0, 0)):
        with Stream(names.dns_port) as s:
            s.sock.sendall(data)
            s.sock.shutdown(socket.SHUT_WR)
            assert s.read() is None


def test_many_connections(names):
    streams = [Stream(names.dns_port) for _ in range(200)]
    for i, s in enumerate(streams):
        s.send(query("example.test", id=i))
    for i, s in enumerate(streams):
        assert parse(s.read()).id == i
        s.sock.close()


def test_who_reads_nothing_costs_little(names):
    """Questions without end, answers not taken: the server stops reading there, serves others, and answers all in the end."""
    q, sent = query("many.test", "AAAA", id=1), 0
    framed = struct.pack("!H", len(q)) + q
    with Stream(names.dns_port) as s:
        s.sock.settimeout(2)
        try:
            while sent < 200 * len(framed) * 1000:
                sent += s.sock.send(framed * 100 if sent % len(framed) == 0 else framed[sent % len(framed):])
        except TimeoutError:
            pass
        assert sent < 200 * len(framed) * 1000, "it reads without end"
        assert ask(names.dns_port, "example.test", tcp=True).data("A") == WEB
        s.sock.settimeout(20)
        for _ in range(sent // len(framed)):
            assert len(s.read()) > 600
        if sent % len(framed):
            s.sock.sendall(framed[sent % len(framed):])
            assert len(s.read()) > 600


def test_being_there_keeps_nobody_out(make_torhaus):
    """More connections than a thread keeps, idle ones and such with half a message: newer ones are served all the same."""
    t = make_torhaus(threads=1, settings=names_settings(listen='"127.0.0.1:0"'))
    t.add("example.test", "http://192.0.2.7")
    t.start()
    wait_for(lambda: ask(t.dns_port, "example.test").rcode == "NOERROR")
    with Stream(t.dns_port) as busy:
        idle = []
        for i in range(1200):
            idle.append(Stream(t.dns_port))
            if i % 2:
                idle[-1].sock.sendall(b"\0\x20half")
            if i % 100 == 0:
                busy.send(query("example.test", id=i))
                assert parse(busy.read()).id == i
        assert ask(t.dns_port, "example.test", tcp=True).data("A") == ["192.0.2.7"]
        assert t.json("status")["names"]["connections"] <= 1001
        for s in idle:
            s.sock.close()


# ---- changes ----

def test_a_change_is_answered_soon(own):
    began = time.monotonic()
    own.run("domain", "set", "v4.test", "--origin", "http://192.0.2.44")
    wait_for(lambda: ask(own.dns_port, "v4.test").data("A") == ["192.0.2.44"], seconds=10)
    own.run("domain", "remove", "v4.test")
    wait_for(lambda: ask(own.dns_port, "v4.test").rcode == "REFUSED", seconds=10)
    assert time.monotonic() - began < 20


def test_a_flat_list_is_imported_and_answered(own, tmp_path):
    """As the lists of name and address from which such DNS servers have been fed for years."""
    lines = ["# made by a script", ""]
    for i in range(3000):
        lines += [f"customer{i}.test 10.1.{i // 250}.{i % 250 + 1}"]
        if i % 2:
            lines += [f"www.customer{i}.test\t10.1.{i // 250}.{i % 250 + 1}"]
    flat = tmp_path / "origin-list.txt"
    flat.write_text("\n".join(lines) + "\n")
    own.run("domain", "import", flat)
    imported = time.monotonic()
    wait_for(lambda: ask(own.dns_port, "customer2999.test").data("A") == ["10.1.11.250"], seconds=10)
    print(f"answered {time.monotonic() - imported:.2f} s after the import")
    for i in random.Random(1).sample(range(3000), 200):
        for prefix in ("", "www.") if i % 2 else ("",):
            assert ask(own.dns_port, f"{prefix}customer{i}.test").data("A") == [f"10.1.{i // 250}.{i % 250 + 1}"]


# ---- trouble ----

class Load(threading.Thread):
    """Asks all the time; `unanswered` has what was not answered within `patience` seconds, `wrong` other answers than WEB."""

    def __init__(self, port, name="example.test", patience=3):
        super().__init__(daemon=True)
        self.port, self.name, self.patience = port, name, patience
        self.ending, self.answered, self.unanswered, self.wrong = False, 0, [], []
        self.start()

    def run(self):
        while not self.ending:
            began = time.monotonic()
            try:
                m = ask(self.port, self.name, timeout=self.patience)
                self.answered += 1
                if m.data("A") != WEB:
                    self.wrong.append(m.rcode)
            except (Silence, ConnectionError):
                self.unanswered.append(began)

    def end(self):
        self.ending = True
        self.join()
        return self


def test_a_dead_worker(own):
    """What was under way in the killed process is lost; what is asked afterwards waits in the socket's queue. No name is
    unknown because it is not loaded yet."""
    loads = [Load(own.dns_port) for _ in range(4)]
    for _ in range(3):
        time.sleep(0.3)
        own.kill_worker()
        assert ask(own.dns_port, "example.test", timeout=20).data("A") == WEB
        wait_for(lambda: own.run("status", check=False).returncode == 0)
    for load in loads:
        load.end()
        assert load.answered > 0 and len(load.unanswered) <= 3 and not load.wrong


def test_reloads_lose_nothing(own):
    """In place, and by handing over to the same program again."""
    loads = [Load(own.dns_port, patience=20) for _ in range(2)]
    for _ in range(3):
        own.run("reload")
    own.run("reload", "--binary")
    time.sleep(0.5)
    for load in loads:
        load.end()
        assert load.answered > 0 and not load.unanswered and not load.wrong


def test_before_its_names_are_known(make_torhaus):
    """A first start with a store that cannot be read: nobody is told that a name is not ours, or what others say of it."""
    t = make_torhaus(settings=names_settings(forward='"127.0.0.1:1"'))
    t.add("example.test", "http://192.0.2.7")
    db = t.dir / "torhaus.db"
    whole = db.read_bytes()
    db.write_bytes(b"this is no database" * 500)
    t.start()
    for tcp in (False, True):
        for name in ("example.test", "elsewhere.test"):
            m = ask(t.dns_port, name, tcp=tcp, edns=opt())
            assert (m.rcode, m.ede) == ("SERVFAIL", [14])
    db.write_bytes(whole)
    wait_for(lambda: ask(t.dns_port, "example.test").data("A") == ["192.0.2.7"], what="the names")


def test_a_worker_that_starts_without_its_store(own):
    """It has the names of the one before."""
    for file in own.dir.glob("torhaus.db*"):
        file.unlink()
    wait_for(lambda: any(f["code"] == "STORE-MISSING" for f in own.json("status")["faults"]))
    own.kill_worker()
    assert ask(own.dns_port, "example.test").data("A") == WEB
    wait_for(lambda: own.run("status", check=False).returncode == 0)
    own.run("reload", "--binary")
    assert ask(own.dns_port, "example.test").data("A") == WEB


def test_without_its_store(own):
    """What is in memory is answered."""
    for file in own.dir.glob("torhaus.db*"):
        file.rename(file.with_name(file.name + ".away"))
    time.sleep(1.5)
    assert ask(own.dns_port, "example.test").data("A") == WEB
    for file in own.dir.glob("*.away"):
        file.rename(file.with_name(file.name[:-5]))


def test_counters(own):
    before = own.json("status")["counters"]
    for q in (query("example.test"), query("x.test"), MALFORMED["bytes behind"]):
        exchange_udp(own.dns_port, q)
    first_of(own.dns_port, query("example.test", flags=QR), query("example.test"))
    after = own.json("status")["counters"]
    grown = {k: after[k] - before[k] for k in after if k.startswith("names_")}
    assert grown["names_queries"] == 5 and grown["names_local"] == 2 and grown["names_refused"] == 1
    assert grown["names_malformed"] == 1 and grown["names_dropped"] == 1
