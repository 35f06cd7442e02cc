"""HTTP framing: what is ambiguous never reaches an origin, and nothing that is valid is refused."""

import pytest

HOST = "Host: example.test\r\n"

REFUSED = [
    ("length and coding", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("coding and length", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    ("two lengths", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    ("two equal lengths", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    ("length list", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1, 1\r\n\r\na", 400),
    ("signed length", f"POST / HTTP/1.1\r\n{HOST}Content-Length: +1\r\n\r\na", 400),
    ("hex length", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 0x1\r\n\r\na", 400),
    ("negative length", f"POST / HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n", 400),
    ("length overflow", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 99999999999999999999\r\n\r\n", 400),
    ("identity coding", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: identity\r\n\r\n", 400),
    ("chunked twice", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    ("two coding fields", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("coding after chunked", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    ("disguised coding", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    ("coding in 1.0", f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("bare LF", f"GET / HTTP/1.1\n{HOST}\r\n", 400),
    ("bare LF in fields", "GET / HTTP/1.1\r\nHost: example.test\nX: y\r\n\r\n", 400),
    ("bare CR in a value", f"GET / HTTP/1.1\r\n{HOST}X: a\rb\r\n\r\n", 400),
    ("folded line", f"GET / HTTP/1.1\r\n{HOST}X: a\r\n b\r\n\r\n", 400),
    ("NUL in a value", f"GET / HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n", 400),
    ("control byte", f"GET / HTTP/1.1\r\n{HOST}X: a\x01b\r\n\r\n", 400),
    ("blank before colon", f"GET / HTTP/1.1\r\n{HOST}X : a\r\n\r\n", 400),
    ("no colon", f"GET / HTTP/1.1\r\n{HOST}garbage\r\n\r\n", 400),
    ("empty name", f"GET / HTTP/1.1\r\n{HOST}: a\r\n\r\n", 400),
    ("no host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400),
    ("two hosts", f"GET / HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    ("host list", "GET / HTTP/1.1\r\nHost: example.test, other.test\r\n\r\n", 400),
    ("host with path", "GET / HTTP/1.1\r\nHost: example.test/x\r\n\r\n", 400),
    ("host with user", "GET / HTTP/1.1\r\nHost: me@example.test\r\n\r\n", 400),
    ("bad port", "GET / HTTP/1.1\r\nHost: example.test:http\r\n\r\n", 400),
    ("fragment", f"GET /a#b HTTP/1.1\r\n{HOST}\r\n", 400),
    ("blank in target", f"GET /a b HTTP/1.1\r\n{HOST}\r\n", 400),
    ("control byte in target", f"GET /a\x7f HTTP/1.1\r\n{HOST}\r\n", 400),
    ("relative target", f"GET a HTTP/1.1\r\n{HOST}\r\n", 400),
    ("no version", f"GET /\r\n{HOST}\r\n", 400),
    ("bare CR ends a line", "GET / HTTP/1.1\r\nHost: example.test\rX: y\r\n\r\n", 400),
    ("NUL in a name", f"GET / HTTP/1.1\r\n{HOST}X\0Y: a\r\n\r\n", 400),
    ("NUL in the target", f"GET /a\0b HTTP/1.1\r\n{HOST}\r\n", 400),
    ("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    ("host of empty labels", "GET / HTTP/1.1\r\nHost: example..test\r\n\r\n", 400),
    ("first field folded", f"GET / HTTP/1.1\r\n {HOST}\r\n", 400),
    ("1.0 without host", "GET / HTTP/1.0\r\n\r\n", 400),
    ("0.9", "GET /\r\n\r\n", 400),
    ("coding unknown", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("empty coding", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding:\r\n\r\n", 400),
    ("coding with parameter", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked;x=y\r\n\r\n0\r\n\r\n", 400),
    ("empty length", f"POST / HTTP/1.1\r\n{HOST}Content-Length:\r\n\r\n", 400),
    ("CONNECT", f"CONNECT example.test:443 HTTP/1.1\r\n{HOST}\r\n", 501),
    ("other expectation", f"POST / HTTP/1.1\r\n{HOST}Expect: miracles\r\nContent-Length: 1\r\n\r\na", 417),
    ("other scheme", f"GET https://example.test/ HTTP/1.1\r\n{HOST}\r\n", 421),
    ("version 2.0 in text", f"GET / HTTP/2.0\r\n{HOST}\r\n", 505),
    ("odd version", f"GET / HTTP/1.10\r\n{HOST}\r\n", 400),
    ("long target", f"GET /{'a' * 9000} HTTP/1.1\r\n{HOST}\r\n", 414),
    ("too many fields", f"GET / HTTP/1.1\r\n{HOST}" + "X: y\r\n" * 120 + "\r\n", 431),
    ("large head", f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 70000}\r\n\r\n", 431),
]


@pytest.mark.parametrize("name,bytes_out,status", REFUSED, ids=[r[0] for r in REFUSED])
def test_refused(site, name, bytes_out, status):
    site.origin.default.body = b"must not be reached"
    with site.connect() as c:
        c.send(bytes_out.encode("latin-1"))
        reply = c.read()
        assert reply.status == status
        assert c.is_closed()
    assert site.origin.requests == []


BROKEN_CHUNKS = [b"5\r\nhelloX\r\n0\r\n\r\n", b"5;x=\r\nhello\r\n0\r\n\r\n", b"5;x=y\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5 5\r\nhello\r\n0\r\n\r\n",
                 b"-1\r\n\r\n", b"ffffffffffffffffff\r\n", b"5\rhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\n0\r\n\r\n", b"0\r\nX : y\r\n\r\n", b"0\r\nX: y\n\r\n", b"0\r\n folded\r\n\r\n", b"10000000000000000\r\n", b"5\nhello\r\n0\r\n\r\n", b"\r\n", b"g\r\n"]


@pytest.mark.parametrize("chunks", BROKEN_CHUNKS, ids=repr)
def test_broken_chunks(site, chunks):
    """The origin never sees a complete request, the client a 400."""
    site.origin.on("/up", body=b"whole")
    with site.connect() as c:
        c.send(b"POST /up HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        reply = c.read()
        assert reply.status == 400
        assert c.is_closed()
    assert site.origin.count("/up") == 0


ODD_CHUNKS = [b"5;x=y\r\nhello\r\n0\r\n\r\n", b'5 ; a="b;\\"c" ;d\r\nhello\r\n0;last\r\n\r\n', b"5 \t\r\nhello\r\n0\r\n\r\n",
              b"00000000000000000005\r\nhello\r\n000\r\n\r\n"]


def test_odd_chunks(site):
    """Extensions, blanks and leading zeros have one reading; neither side ever sees them."""
    site.origin.on("/up", body=b"whole")
    for i, chunks in enumerate(ODD_CHUNKS):
        with site.connect() as c:
            c.send(b"POST /up HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
            assert c.read().body == b"whole"
        assert site.origin.last("/up").body == b"hello"
        site.origin.on(f"/{i}", raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n" + chunks)
        assert site.get(f"/{i}").body == b"hello"


ACCEPTED = [
    ("blanks around a value", f"GET /ok HTTP/1.1\r\n{HOST}X: \t a \t\r\n\r\n"),
    ("empty value", f"GET /ok HTTP/1.1\r\n{HOST}X:\r\n\r\n"),
    ("bytes above 0x7f", f"GET /ok HTTP/1.1\r\n{HOST}X: \xe4\xf6\r\n\r\n"),
    ("upper-case host", "GET /ok HTTP/1.1\r\nHOST: EXAMPLE.TEST\r\n\r\n"),
    ("host with port", "GET /ok HTTP/1.1\r\nHost: example.test:8080\r\n\r\n"),
    ("host with final dot", "GET /ok HTTP/1.1\r\nHost: example.test.\r\n\r\n"),
    ("absolute form", f"GET http://example.test/ok HTTP/1.1\r\n{HOST}\r\n"),
    ("empty line before", f"\r\nGET /ok HTTP/1.1\r\n{HOST}\r\n"),
    ("odd but seen in targets", f"GET /ok?a=[b]|{{c}}^`\\\"<> HTTP/1.1\r\n{HOST}\r\n"),
    ("minor version above 1", f"GET /ok HTTP/1.2\r\n{HOST}\r\n"),
    ("length 0", f"GET /ok HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n"),
    ("version 1.0 with host", f"GET /ok HTTP/1.0\r\n{HOST}\r\n"),
]


@pytest.mark.parametrize("name,bytes_out", ACCEPTED, ids=[a[0] for a in ACCEPTED])
def test_accepted(site, name, bytes_out):
    site.origin.on("/ok", body=b"fine")
    with site.connect() as c:
        c.send(bytes_out.encode("latin-1"))
        reply = c.read()
    assert (reply.status, reply.body) == (200, b"fine")


def test_byte_by_byte(site):
    site.origin.on("/ok", body=b"fine")
    with site.connect() as c:
        for byte in b"POST /ok HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            c.send(bytes([byte]))
        assert c.read().body == b"fine"
    assert site.origin.last("/ok").body == b"abc"


def test_pipelined_in_order(site):
    for name in "abc":
        site.origin.on(f"/{name}", body=name.encode() * 3, delay=0.2 if name == "a" else 0)
    with site.connect() as c:
        c.send(b"".join(b"GET /%c HTTP/1.1\r\nHost: example.test\r\n\r\n" % n for n in b"abc"))
        assert [c.read().body for _ in range(3)] == [b"aaa", b"bbb", b"ccc"]


def test_hop_by_hop_is_dropped(site):
    """Connection's options go, but never those that the request's meaning hangs on."""
    site.origin.on("/h", body=b"")
    site.get("/h", method="POST", body=b"four", headers={
        "Connection": "keep-alive, X-Secret, Cookie, Host, Authorization, Content-Length", "X-Secret": "1", "Cookie": "a=b",
        "Authorization": "Basic eDp5", "Keep-Alive": "x", "TE": "trailers", "Proxy-Connection": "keep-alive", "X-Kept": "2"})
    seen = site.origin.last("/h")
    assert seen.get("Authorization") == "Basic eDp5" and seen.body == b"four"
    assert seen.get("X-Secret") is None and seen.get("Keep-Alive") is None and seen.get("Proxy-Connection") is None
    assert seen.get("Cookie") == "a=b" and seen.get("X-Kept") == "2" and seen.get("Host") == "example.test"


def test_the_client_cannot_say_who_it_is(site):
    site.origin.on("/f", body=b"")
    lies = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test",
            "Forwarded": "for=1.2.3.4", "X-Host": "evil.test", "X-Original-URL": "/admin", "X-Rewrite-URL": "/admin",
            "X-Real-IP": "1.2.3.4", "X_Forwarded_For": "1.2.3.4", "X-Forwarded-Whatever": "x", "Proxy": "http://evil.test",
            "X-HTTP-Method-Override": "DELETE", "True-Client-IP": "1.2.3.4", "CF-Connecting-IP": "1.2.3.4",
            "Fastly_Client.IP": "1.2.3.4", "X-Originating-IP": "1.2.3.4"}
    site.get("/f", headers=lies)
    seen = site.origin.last("/f")
    assert seen.all("X-Forwarded-For") == ["127.0.0.1"] and seen.all("X-Forwarded-Proto") == ["http"]
    assert seen.all("X-Forwarded-Host") == ["example.test"] and seen.all("X-Real-IP") == ["127.0.0.1"]
    assert seen.all("Forwarded") == ['for=127.0.0.1;host="example.test";proto=http']
    for name in ("X-Host", "X-Original-URL", "X-Rewrite-URL", "X_Forwarded_For", "X-Forwarded-Whatever", "Proxy",
                 "X-HTTP-Method-Override", "True-Client-IP", "CF-Connecting-IP", "Fastly_Client.IP", "X-Originating-IP"):
        assert seen.get(name) is None, name


BAD_ANSWERS = [
    ("length and coding", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("HTTP/0.9", b"<html>hello</html>"),
    ("control byte", b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n"),
    ("folded", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
]


@pytest.mark.parametrize("name,raw", BAD_ANSWERS, ids=[b[0] for b in BAD_ANSWERS])
def test_bad_answers_of_the_origin(site, name, raw):
    site.origin.on("/bad", raw=raw)
    reply = site.get("/bad")
    assert reply.status == 502 and b"ORIGIN-BAD-RESPONSE" in reply.body


def test_hop_by_hop_of_an_answer_is_dropped(site):
    site.origin.on("/h", raw=b"HTTP/1.1 200 OK\r\nConnection: X-Secret, close\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"
                   b"X-Kept: 2\r\nContent-Length: 2\r\n\r\nok")
    with site.connect() as c:
        reply = c.request("/h")
        assert reply.get("X-Secret") is None and reply.get("Keep-Alive") is None and reply.get("X-Kept") == "2"
        assert reply.get("Connection") is None and c.request("/h").status == 200, "our connection is ours to keep"


def test_a_slow_client_delays_nobody_and_ends(make_torhaus, origin):
    """Many heads that trickle in: others are served meanwhile, and each is told 408 in the end."""
    origin.on("/ok", headers={"Cache-Control": "max-age=60"}, body=b"fine")
    t = make_torhaus(web='head_timeout = "1s"')
    t.add("example.test", origin.url)
    t.start()
    slow = [t.connect() for _ in range(200)]
    for c in slow:
        c.send(b"GET /ok HTTP/1.1\r\nHost: exam")
    for _ in range(20):
        assert t.get("/ok").body == b"fine"
    for c in slow:
        assert c.read().status == 408 and c.is_closed()
        c.close()


def test_a_connection_with_an_unread_body_is_not_used_again(make_torhaus, origin):
    """The visitor leaves within a long answer: what is left of it must not be taken for the next one."""
    origin.on("/long", headers={"Cache-Control": "no-store"}, pieces=[(0.02, b"x" * 1000)] * 50)
    origin.on("/next", headers={"Cache-Control": "no-store"}, body=b"next")
    t = make_torhaus(threads=1)
    t.add("example.test", origin.url)
    t.start()
    with t.connect() as c:
        c.send(b"GET /long HTTP/1.1\r\nHost: example.test\r\n\r\n")
        assert c.more()
    for _ in range(10):
        assert t.get("/next").body == b"next"


def test_an_answer_that_breaks_off_is_seen_to(site):
    site.origin.on("/cut", body=b"x" * 5000, cut=1000)
    reply = site.get("/cut")
    assert reply.status == 200 and not reply.complete


def test_early_refusal_of_an_upload(site):
    """The origin answers before it has read the body; its answer arrives, the connection to it is not used again."""
    site.origin.on("/up", raw=b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    reply = site.get("/up", method="POST", body=b"x" * 3_000_000)
    assert reply.status == 413


def test_interim_responses_and_continue(site):
    site.origin.on("/i", interim=[(103, {"Link": "</a.css>; rel=preload"})], body=b"done")
    with site.connect() as c:
        c.send(b"POST /i HTTP/1.1\r\nHost: example.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        while b"100 Continue\r\n\r\n" not in c.buffer:
            assert c.more()
        c.send(b"abc")
        reply = c.read("POST")
    assert [s for s, _ in reply.interim] == [100, 103] and reply.body == b"done"
    assert ("Link", "</a.css>; rel=preload") in reply.interim[1][1]
    assert site.origin.last("/i").get("Expect") is None and site.origin.last("/i").body == b"abc"


def test_trailers_both_ways(site):
    site.origin.on("/t", body=b"body", trailers={"X-Sum": "42"})
    with site.connect() as c:
        c.send(b"POST /t HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n"
               b"3\r\nabc\r\n0\r\nX-Up: 7\r\nContent-Length: 9\r\n\r\n")
        reply = c.read()
    assert reply.trailers == [("X-Sum", "42")]
    seen = site.origin.last("/t")
    assert seen.get("trailer-x-up") == "7" and seen.get("trailer-content-length") is None
