"""The web edge among enemies: visitors who want to poison what others get, and origins that break the rules."""

import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from email.utils import formatdate

import pytest

from conftest import wait_for
from origin import Answer, Origin
from pair import make_pair

STORED = {"Cache-Control": "max-age=60"}


def reset(connection):
    """Closes so that the peer gets a reset."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# ---- poisoning: what is not part of the key must not reach what is stored ----

def echo(*names):
    """An origin that puts these fields of a request into its page."""
    return lambda r: Answer(headers=STORED, body="|".join(r.get(n, "-") for n in names).encode())


def test_a_port_that_nobody_serves_is_not_for_others(site):
    site.origin.on("/p", call=echo("Host", "X-Forwarded-Host"))
    assert site.get("/p", host="example.test:1337").body == b"example.test:1337|example.test:1337"
    assert site.get("/p", host="example.test").body == b"example.test|example.test"
    assert site.get("/p", host="example.test:80").is_hit, "the scheme's own port is none"


def test_a_purge_names_the_port(site):
    site.origin.on("/p", headers=STORED, body=b"x")
    site.get("/p", host="example.test:8080")
    assert site.json("cache", "purge", "--url", "http://example.test/p")["objects"] == 0
    assert site.json("cache", "purge", "--url", "http://example.test:8080/p")["objects"] == 1
    site.get("/p")
    assert site.json("cache", "purge", "--url", "http://example.test:80/p")["objects"] == 1


def test_a_parameter_outside_the_key_does_not_reach_the_page(make_torhaus, origin):
    t = make_torhaus()
    t.add("example.test", origin.url, "--preset", "wordpress")
    t.start()
    origin.answers["/w"] = lambda r: Answer(headers=STORED, body=r.target.encode())
    evil = t.get('/w?a=1&utm_source="><script>alert(1)</script>')
    assert evil.body == b"/w?a=1"
    assert t.get("/w?a=1").is_hit


def test_connection_does_not_take_fields_out_of_the_variant(site):
    """Connection: Accept-Language takes it from the origin; so what comes back is the variant of those who sent none."""
    site.origin.on("/v", call=lambda r: Answer(headers={**STORED, "Vary": "Accept-Language"},
                                               body=r.get("Accept-Language", "none").encode()))
    assert site.get("/v", headers={"Accept-Language": "de", "Connection": "Accept-Language"}).body == b"none"
    assert site.get("/v", headers={"Accept-Language": "de"}).body == b"de"


def test_an_underscore_does_not_smuggle_a_field_past_the_variant(site):
    """CGI, WSGI and PHP take Accept_Language for Accept-Language; Vary does not see it."""
    site.origin.on("/v", call=echo("Accept_Language", "Accept-Language", "api_key"))
    assert site.get("/v", headers={"Accept_Language": "xx", "api_key": "1"}).body == b"-|-|1"


def test_what_a_visitor_says_of_himself_makes_no_variant_and_reaches_nobody(site):
    names = ["X-Forwarded-Proto", "Client-IP", "X_Client_IP", "X-Cluster-Client-IP"]
    site.origin.on("/v", call=lambda r: Answer(headers={**STORED, "Vary": ", ".join(n.replace("_", "-") for n in names)},
                                               body="|".join(r.get(n, "-") for n in names).encode()))
    assert site.get("/v", headers={n: "203.0.113.1" for n in names}).body == b"http|-|-|-"
    assert site.get("/v", headers={"X-Forwarded-Proto": "gopher"}).is_hit


def test_a_page_that_depends_on_the_address_is_not_shared(site):
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        path = f"/{name}"
        site.origin.on(path, headers={**STORED, "Vary": f"Accept, {name}"}, body=b"x")
        site.get(path)
        assert not site.get(path).is_hit


def test_an_odd_coding_has_a_variant_of_its_own(site):
    site.origin.on("/z", call=lambda r: Answer(headers={**STORED, "Vary": "Accept-Encoding"},
                                               body=r.get("Accept-Encoding", "-").encode()))
    assert site.get("/z", headers={"Accept-Encoding": "x-gzip"}).body == b"x-gzip"
    assert site.get("/z", headers={"Accept-Encoding": "identity"}).body == b"identity"


# ---- origins that break the rules ----

def test_switching_protocols_unasked_is_a_broken_answer(site):
    pid = site.worker_pid()
    for path, headers in (("/s", None), ("/h", {"Cookie": "a=b"})):
        site.origin.on(path, raw=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
        assert site.get(path, headers=headers).status == 502
        assert site.get(path, method="POST", body=b"x").status == 502
    assert site.worker_pid() == pid


@pytest.fixture
def secure_origin(make_torhaus, tmp_path):
    """An origin that speaks TLS, and a torhaus before it."""
    make_pair(tmp_path, "origin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "origin.crt", tmp_path / "origin.key")
    with Origin(ssl=context) as o:
        t = make_torhaus()
        t.add("example.test", o.url, "--origin-verify", "no")
        t.start()
        t.origin, t.context = o, context
        yield t


def test_a_large_upload_to_an_origin_with_tls(secure_origin):
    """TLS 1.3 sends session tickets after the handshake: they are no answer."""
    t = secure_origin
    t.origin.on("/up", call=lambda r: Answer(body=str(len(r.body)).encode()))
    with t.connect() as c:
        c.send(b"POST /up HTTP/1.1\r\nHost: example.test\r\nContent-Length: 400000\r\n\r\n")
        for _ in range(4):
            time.sleep(0.1)
            c.send(b"x" * 100000)
        assert c.read().body == b"400000"


def test_an_interim_answer_during_an_upload_is_no_refusal(make_torhaus):
    """The origin says 102 as soon as it has the head, and waits for the body."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        s, _ = listener.accept()
        data = b""
        while b"\r\n\r\n" not in data:
            data += s.recv(65536)
        s.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        n = len(data.split(b"\r\n\r\n", 1)[1])
        while n < 200000 and (more := s.recv(65536)):
            n += len(more)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n%06d" % n)
        s.close()

    threading.Thread(target=serve, daemon=True).start()
    t = make_torhaus()
    t.add("example.test", f"http://127.0.0.1:{listener.getsockname()[1]}")
    t.start()
    with t.connect() as c:
        c.send(b"POST /up HTTP/1.1\r\nHost: example.test\r\nContent-Length: 200000\r\n\r\n")
        for _ in range(2):
            time.sleep(0.2)
            c.send(b"x" * 100000)
        assert c.read().body == b"200000"
    listener.close()


def test_tls_that_ends_without_farewell_cuts_the_body_off(make_torhaus, tmp_path):
    """The end of the connection is the end of the body only if TLS says that it is one (RFC 9112 9.8)."""
    make_pair(tmp_path, "origin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "origin.crt", tmp_path / "origin.key")
    listener = socket.create_server(("127.0.0.1", 0))
    polite = []

    def serve():
        while True:
            try:
                s = context.wrap_socket(listener.accept()[0], server_side=True)
            except OSError:
                return
            s.recv(65536)
            s.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\n" + b"part of it")
            if polite:
                s.unwrap()
            else:
                s.shutdown(socket.SHUT_WR)
            s.close()

    threading.Thread(target=serve, daemon=True).start()
    t = make_torhaus()
    t.add("example.test", f"https://127.0.0.1:{listener.getsockname()[1]}", "--origin-verify", "no")
    t.start()
    first = t.get("/cut")
    assert first is None or not first.complete
    second = t.get("/cut")
    assert second is None or not second.complete
    polite.append(True)
    assert t.get("/cut").body == b"part of it"
    assert t.get("/cut").is_hit
    listener.close()


def test_an_interim_answer_to_a_leader_that_has_gone_fails_nobody(site):
    site.origin.on("/e", headers=STORED, interim=[(103, {"Link": "</a.css>"})] * 3, delay=1, body=b"whole")
    leader = site.connect()
    leader.send(b"GET /e HTTP/1.1\r\nHost: example.test\r\n\r\n")
    wait_for(lambda: site.origin.count("/e") == 1)
    replies = []
    followers = [threading.Thread(target=lambda: replies.append(site.get("/e"))) for _ in range(4)]
    for f in followers:
        f.start()
    time.sleep(0.2)
    reset(leader)
    for f in followers:
        f.join()
    assert [r.status for r in replies] == [200] * 4 and site.origin.count("/e") == 1


def test_a_body_does_not_go_to_a_connection_that_may_be_closing(make_torhaus):
    """The origin closes its kept connections when the next request comes: a body would be lost."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(2):
            s, _ = listener.accept()
            data = s.recv(65536)
            while data.startswith(b"PUT") and not data.endswith(b"body"):
                data += s.recv(65536)
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            threading.Thread(target=lambda: (s.recv(1), s.close()), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    t = make_torhaus(threads=1)
    t.add("example.test", f"http://127.0.0.1:{listener.getsockname()[1]}")
    t.start()
    assert t.get("/x").body == b"ok"
    assert t.get("/x", method="PUT", body=b"body").body == b"ok"
    listener.close()


def test_a_refresh_beside_the_answer_keeps_what_it_needs(site):
    """By the time the origin answers, the visitor's next request lies where the first one lay."""
    page = {"Content-Type": "text/html", "Cache-Control": "stale-while-revalidate=600"}
    site.origin.on("/pages", headers={**page, "Last-Modified": formatdate(time.time() - 15, usegmt=True)}, body=b"old")
    site.get("/pages")
    time.sleep(2)
    site.origin.on("/pages", headers={**page, "Last-Modified": formatdate(time.time() - 90000, usegmt=True)}, body=b"new",
                   delay=0.7)
    site.origin.on("/a.css", body=b"x")
    with site.connect() as c:
        assert c.request("/pages").body == b"old"
        c.request("/a.css")
        wait_for(lambda: site.origin.count("/pages") == 2)
        time.sleep(1)
        reply = c.request("/pages")
        assert reply.is_hit and reply.body == b"new"


def said(server, begin):
    """The next line of a program that begins so; it must not end before."""
    return next(line for line in iter(server.stdout.readline, b"") if line.startswith(begin))


@pytest.mark.parametrize("again", ["R", "r"])
def test_an_origin_that_renegotiates_beside_a_websocket(make_torhaus, tmp_path, again):
    make_pair(tmp_path, "origin")
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-crlf", "-legacy_renegotiation",
                               "-cert", tmp_path / "origin.crt", "-key", tmp_path / "origin.key"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    port = said(server, b"ACCEPT ").split(b":")[-1].decode().strip()
    t = make_torhaus()
    t.add("example.test", f"https://127.0.0.1:{port}", "--origin-verify", "no", "--websocket", "yes", "--connect-timeout", "60s")
    t.start()
    pid = t.worker_pid()
    try:
        with t.connect() as c:
            c.send(b"GET /ws HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            said(server, b"GET /ws")
            for line in (b"HTTP/1.1 101 Switching Protocols\n", b"Connection: Upgrade\n", b"Upgrade: websocket\n", b"\n"):
                server.stdin.write(line)
                server.stdin.flush()
                time.sleep(0.1)
            assert c.read().status == 101
            server.stdin.write(again.encode() + b"\n")
            server.stdin.flush()
            try:
                for _ in range(20):
                    c.send(b"x" * 1000)
                    time.sleep(0.02)
            except OSError:
                pass
        assert t.worker_pid() == pid
    finally:
        server.kill()
        server.wait()


# ---- bodies too large to be kept ----

def numbered(n):
    """n blocks of 16 KiB, each full of its own number."""
    return [struct.pack(">Q", i) * 2048 for i in range(n)]


def test_a_slow_reader_of_a_large_stream_gets_what_was_sent(make_torhaus, origin):
    """It streams through a window: what the reader is still sending must not be freed."""
    t = make_torhaus(web='cache_memory = "1M"')
    t.add("example.test", origin.url)
    t.start()
    blocks = numbered(512)
    origin.on("/s", headers=STORED, pieces=[(0, b) for b in blocks])
    with t.connect() as c:
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        c.send(b"GET /s HTTP/1.1\r\nHost: example.test\r\n\r\n")
        for _ in range(60):
            time.sleep(0.02)
            c.more()
        reply = c.read()
    assert reply.complete and reply.body == b"".join(blocks)


@pytest.mark.slow
def test_a_reader_that_stands_still_does_not_stop_a_stream(make_torhaus, origin):
    """After 30 s it is cut off, and the others go on."""
    t = make_torhaus(web='cache_memory = "1M"\n  send_timeout = "10m"')
    t.add("example.test", origin.url)
    t.start()
    blocks = numbered(512)
    origin.on("/s", headers=STORED, delay=1, pieces=[(0, b) for b in blocks])
    still = t.connect()
    still.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    still.send(b"GET /s HTTP/1.1\r\nHost: example.test\r\n\r\n")
    time.sleep(0.3)
    with t.connect(timeout=50) as c:
        reply = c.request("/s")
    assert reply.complete and reply.body == b"".join(blocks) and origin.count("/s") == 1
    still.close()


def test_many_large_fills_stay_within_the_cache(make_torhaus, origin):
    """The memory of fills under way counts: they cannot outgrow what the cache may have."""
    t = make_torhaus(threads=1, web='cache_memory = "16M"')
    t.add("example.test", origin.url)
    t.start()
    piece = b"x" * 65536
    for i in range(40):
        origin.on(f"/{i}", headers=STORED, pieces=[(0, piece)] * 24 + [(3, b"end")])
    visitors = [t.connect() for _ in range(40)]
    for i, c in enumerate(visitors):
        c.send(f"GET /{i} HTTP/1.1\r\nHost: example.test\r\n\r\n".encode())
    most = 0
    for _ in range(20):
        time.sleep(0.1)
        most = max(most, t.json("cache", "stat")["bytes"])
    for c in visitors:
        assert len(c.read().body) == 24 * 65536 + 3
        c.close()
    assert most < 24 << 20


def test_what_is_of_no_use_any_more_is_swept_out(make_torhaus, origin):
    t = make_torhaus()
    t.add("example.test", origin.url, "--grace", "0s")
    t.start()
    for i in range(50):
        origin.on(f"/{i}", headers={"Cache-Control": "max-age=1"}, body=b"x")
        t.get(f"/{i}")
    wait_for(lambda: t.json("cache", "stat")["objects"] == 0, 30, "an empty cache")


# ---- the end, and what comes in between ----

@pytest.mark.slow
def test_a_websocket_does_not_outlive_its_worker(make_torhaus):
    """At the end of a drain the streams that are still open are cut; nothing may hang."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        s, _ = listener.accept()
        s.recv(65536)
        s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while s.recv(65536):
            pass

    threading.Thread(target=serve, daemon=True).start()
    t = make_torhaus()
    t.add("example.test", f"http://127.0.0.1:{listener.getsockname()[1]}", "--websocket", "yes")
    t.start()
    with t.connect(timeout=60) as c:
        c.send(b"GET /ws HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert c.read().status == 101
        assert t.stop() == 0
    assert "SIGKILL" not in t.logs()
    listener.close()


def test_an_access_log_that_is_written_slowly_does_not_hinder_the_end(make_torhaus, origin):
    t = make_torhaus()
    os.mkfifo(t.access_path)
    log = os.open(t.access_path, os.O_RDONLY | os.O_NONBLOCK)
    t.add("example.test", origin.url)
    t.start()
    for _ in range(5):
        with t.connect() as c:
            for _ in range(10):
                c.request("/" + "x" * 2000)
    t.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    os.set_blocking(log, True)
    text = b""
    while piece := os.read(log, 65536):
        text += piece
    assert t.stop() == 0 and text.count(b"\n") == 50
    os.close(log)


# ---- purges and unsafe requests against fetches under way ----

def slow_page(site, path, text, headers=STORED):
    site.origin.on(path, headers=headers, pieces=[(0, text), (1.5, b".")])


def in_background(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_purge_wins_over_a_fetch_after_private_answers(site):
    """A key whose answers were private fetches alone: a purge must find that fetch, too."""
    site.origin.on("/m", headers={"Cache-Control": "private"}, body=b"mine")
    site.get("/m")
    slow_page(site, "/m", b"old")
    fetch = in_background(lambda: site.get("/m"))
    wait_for(lambda: site.origin.count("/m") == 2)
    time.sleep(0.3)
    site.run("cache", "purge", "--url", "http://example.test/m", "--hard")
    fetch.join()
    site.origin.on("/m", headers=STORED, body=b"new")
    assert site.get("/m").body == b"new"


@pytest.mark.parametrize("how", [("--url", "http://example.test/n"), ("--prefix", "http://example.test/"),
                                 ("--domain", "example.test"), ("--all",)], ids=lambda h: h[0])
def test_after_a_purge_nobody_follows_an_older_fetch(site, how):
    slow_page(site, "/n", b"old")
    fetch = in_background(lambda: site.get("/n"))
    wait_for(lambda: site.origin.count("/n") == 1)
    time.sleep(0.3)
    site.run("cache", "purge", *how)
    site.origin.on("/n", headers=STORED, body=b"new")
    assert site.get("/n").body == b"new"
    fetch.join()


def test_after_a_post_the_old_page_is_not_shown_once_more(site):
    """RFC 9111 4.4: invalid is more than stale. Not even stale-while-revalidate or max-stale brings it back."""
    site.origin.on("/c", call=lambda r: Answer(headers={"Cache-Control": "max-age=60, stale-while-revalidate=600"},
                                               body=b"old" if r.method == "GET" else b"done"))
    site.get("/c")
    assert site.get("/c").is_hit
    assert site.get("/c", method="POST", body=b"x").body == b"done"
    site.origin.on("/c", headers={"Cache-Control": "max-age=60, stale-while-revalidate=600"}, body=b"new")
    assert site.get("/c", headers={"Cache-Control": "max-stale"}).body == b"new"


def test_after_a_post_an_origin_that_is_down_is_told(site):
    site.origin.on("/c", headers=STORED, body=b"old")
    site.get("/c")
    site.get("/c", method="POST", body=b"x")
    site.origin.stop()
    assert site.get("/c").status == 502
