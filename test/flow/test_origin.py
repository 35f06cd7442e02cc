"""Origins that fail, come back, are several, or speak something else."""

import socket
import ssl
import threading
import time

import pytest

from client import Connection
from conftest import wait_for
from origin import Origin
from pair import make_pair


def test_down_and_up_again_without_a_restart(site):
    """Stop the origin: pages still come (stale) and are counted; start it: fresh again."""
    site.origin.on("/p", headers={"Cache-Control": "max-age=1"}, body=b"old")
    site.get("/p")
    time.sleep(1.2)
    site.origin.stop()
    for _ in range(3):
        reply = site.get("/p")
        assert (reply.status, reply.body) == (200, b"old")
    assert site.get("/never-seen").status == 502
    stats = site.json("status")["sites"]["example.test"]
    assert stats["stale"] >= 3
    site.origin.answers["/p"].body = b"new"
    site.origin.start()
    wait_for(lambda: site.get("/p").body == b"new", what="a fresh page")


def test_two_origins_one_down(make_torhaus):
    with Origin() as a, Origin() as b:
        for o in (a, b):
            o.on("/x", headers={"Cache-Control": "no-store"}, body=o.url.encode())
        t = make_torhaus()
        t.run("domain", "add", "example.test", "--origin", a.url, "--origin", b.url)
        t.start()
        assert {t.get("/x").body for _ in range(40)} == {a.url.encode(), b.url.encode()}
        a.stop()
        assert all(t.get("/x").body == b.url.encode() for _ in range(10)), "retried on the other origin"


def test_backup_only_when_no_other_is_up(make_torhaus):
    with Origin() as a, Origin() as b:
        for o in (a, b):
            o.on("/x", headers={"Cache-Control": "no-store"}, body=o.url.encode())
        t = make_torhaus()
        t.run("domain", "add", "example.test", "--origin", a.url, "--origin", f"{b.url} backup")
        t.start()
        assert all(t.get("/x").body == a.url.encode() for _ in range(10))
        a.stop()
        assert all(t.get("/x").body == b.url.encode() for _ in range(5))


def test_weights(make_torhaus):
    with Origin() as a, Origin() as b:
        for o in (a, b):
            o.on("/x", headers={"Cache-Control": "no-store"}, body=b"x")
        t = make_torhaus()
        t.run("domain", "add", "example.test", "--origin", f"{a.url} weight=9", "--origin", b.url)
        t.start()
        for _ in range(200):
            t.get("/x")
        assert 2 <= b.count("/x") <= 60 and a.count("/x") + b.count("/x") == 200


def test_active_health(make_torhaus):
    """An origin whose health page fails is left out before a visitor notices, and taken back."""
    with Origin() as a, Origin() as b:
        for o in (a, b):
            o.on("/x", headers={"Cache-Control": "no-store"}, body=o.url.encode())
            o.on("/health", body=b"ok")
        a.on("/health", status=500)
        t = make_torhaus()
        t.run("domain", "add", "example.test", "--origin", a.url, "--origin", b.url, "--health-path", "/health",
              "--health-interval", "1s")
        t.start()

        def state(origin):
            return next((o["state"] for o in t.json("status")["origins"] if o["origin"] == origin.url), None)

        wait_for(lambda: state(a) in ("down", "retrying"), what="the sick origin marked down")
        asked = a.count("/x")
        assert all(t.get("/x").body == b.url.encode() for _ in range(5)) and a.count("/x") == asked
        a.on("/health", body=b"ok")
        wait_for(lambda: state(a) == "up", seconds=40, what="the origin taken back")
        assert {t.get("/x").body for _ in range(40)} == {a.url.encode(), b.url.encode()}


def test_origins_by_ipv6(make_torhaus):
    with Origin(host="::1") as o:
        o.on("/x", headers={"Cache-Control": "no-store"}, body=b"six")
        t = make_torhaus()
        t.add("example.test", o.url)
        t.start()
        with Connection(t.port6, host="::1") as c:
            assert c.request("/x").body == b"six"
        assert o.last("/x").get("Forwarded").startswith('for="[::1]"')


def test_requests_that_are_not_idempotent_are_sent_once(make_torhaus):
    with Origin() as a, Origin() as b:
        for o in (a, b):
            o.on("/x", raw=b"")              # takes the request and hangs up
        t = make_torhaus()
        t.run("domain", "add", "example.test", "--origin", a.url, "--origin", b.url)
        t.start()
        assert t.get("/x", method="POST", body=b"order").status == 502
        assert a.count("/x") + b.count("/x") == 1
        assert t.get("/x", method="GET").status == 502
        assert a.count("/x") + b.count("/x") == 3, "GET was tried on both"


def test_kept_connections_are_used_again_and_their_end_is_survived(site):
    site.origin.on("/x", headers={"Cache-Control": "no-store"}, body=b"x")
    for _ in range(20):
        site.get("/x")
    assert site.origin.connections <= 2, "one for each thread"
    site.origin.stop()
    site.origin.start()
    for _ in range(5):
        assert site.get("/x").status == 200


def test_timeouts_per_phase(make_torhaus, origin):
    origin.on("/late", delay=5, body=b"x")
    origin.on("/stall", pieces=[(0, b"a"), (5, b"b")])
    t = make_torhaus()
    t.add("example.test", origin.url, "--first-byte-timeout", "300ms", "--read-timeout", "300ms")
    t.start()
    late = t.get("/late")
    assert late.status == 504 and b"ORIGIN-SILENT" in late.body
    stalled = t.get("/stall")
    assert stalled.status == 200 and not stalled.complete
    assert "ORIGIN-BODY-STALLED" in t.logs()


def test_pages_tell_little_and_the_log_everything(site):
    site.origin.stop()
    page = site.get("/", headers={"Accept-Language": "de-DE,de;q=0.9"})
    assert page.status == 502 and "Seite nicht erreichbar" in page.body.decode()
    assert site.origin.url not in page.body.decode() and page.get("Cache-Control") == "no-store"
    ref = page.body.decode().split("· ")[1].split("<")[0].strip()
    log = wait_for(lambda: ref in site.logs() and site.logs())
    line = next(part for part in log.splitlines() if ref in part)
    assert "code=ORIGIN-REFUSED" in line and site.origin.url in line
    assert "remedy:" in log


def test_unknown_site(site):
    reply = site.get("/", host="unknown.test")
    assert reply.status == 421 and b"WEB-NO-SUCH-SITE" in reply.body


def test_a_loop_is_seen(make_torhaus):
    t = make_torhaus(web="")
    t.start()
    t.add("example.test", f"http://127.0.0.1:{t.port}")
    wait_for(lambda: t.get("/").status != 421)
    reply = t.get("/")
    assert reply.status == 508 and b"ORIGIN-LOOP" in reply.body


def test_upload_limits(make_torhaus, origin):
    origin.on("/up", body=b"ok")
    t = make_torhaus()
    t.add("example.test", origin.url, "--body-max", "10K")
    t.start()
    assert t.get("/up", method="POST", body=b"x" * 10000).status == 200
    assert t.get("/up", method="POST", body=b"x" * 20000).status == 413
    with t.connect() as c:
        c.send(b"POST /up HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(4):
                c.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            c.send(b"0\r\n\r\n")
        except OSError:
            pass
        assert c.read().status == 413
    assert origin.count("/up") == 1


EVIL = b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 4\r\n\r\nevil"
QUIET = b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok"


class LeftOver:
    """An origin that leaves an answer on a connection: whoever asks there next gets it. It reads no bodies."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests, self.loud = [], threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            conn, _ = self.listener.accept()
            threading.Thread(target=self.one, args=(conn,), daemon=True).start()

    def one(self, conn):
        try:
            self.serve(conn)
        except (OSError, IndexError):    # gone, or the body of a request
            conn.close()

    def serve(self, conn):
        buffer, left = b"", b""
        while True:
            while b"\r\n\r\n" not in buffer:
                data = conn.recv(4096)
                if not data:
                    return conn.close()
                buffer += data
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            self.requests.append(head.decode())
            path = head.split(b" ")[1]
            answer, loud = {
                b"/204": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
                b"/304": (b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", b""),
                b"/late": (QUIET, EVIL),
            }.get(path, (QUIET if not head.startswith(b"HEAD") else QUIET[:-2], b""))
            conn.sendall(left + answer)
            left = b"" if path == b"/ok" else EVIL
            if loud:
                time.sleep(0.1)
                conn.sendall(loud)
                self.loud.set()


@pytest.fixture(scope="module")
def left_over(make_torhaus_once):
    origin = LeftOver()
    t = make_torhaus_once(threads=1)
    t.add("example.test", origin.url)
    t.add("other.test", origin.url)
    t.start()
    t.origin = origin
    return t


def test_kept_connections_belong_to_one_site(left_over):
    """What a customer's script leaves on a connection to the server that all share, no other customer gets."""
    assert left_over.get("/leave").body == b"ok"
    assert left_over.get("/ok", host="other.test").body == b"ok"
    assert left_over.get("/ok").body == b"evil", "his own visitors get it: the connection is his"


@pytest.mark.parametrize("method, path, headers", [
    ("POST", "/post", {}), ("PUT", "/put", {}), ("GET", "/get-with-body", {}), ("HEAD", "/head", {}),
    ("GET", "/204", {}), ("GET", "/304", {"If-None-Match": '"1"'}), ("DELETE", "/chunked", {"Transfer-Encoding": "chunked"}),
])
def test_a_connection_with_something_to_come_is_not_used_again(left_over, method, path, headers):
    smuggled = b"GET /evil HTTP/1.1\r\nHost: example.test\r\n\r\n"
    body = smuggled if method in ("POST", "PUT") or path == "/get-with-body" else None
    if "Transfer-Encoding" in headers:
        body = f"{len(smuggled):x}\r\n".encode() + smuggled + b"\r\n0\r\n\r\n"
    left_over.get(path, method=method, headers=headers, body=body)
    assert left_over.get("/ok").body == b"ok"
    if body:
        asked = next(r for r in left_over.origin.requests if f" {path} " in r)
        assert "connection: close" in asked.lower(), "so that the origin does not take the body for a request"


def test_bytes_behind_an_answer_end_the_connection(left_over):
    left_over.origin.loud.clear()
    left_over.get("/late")
    assert left_over.origin.loud.wait(10)
    assert left_over.get("/ok").body == b"ok"


class WebSocketOrigin:
    """Accepts one connection, switches protocols, echoes in capitals."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        conn, _ = self.listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += conn.recv(4096)
        self.head = head.decode()
        conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Accept: x\r\n\r\nwelcome")
        while data := conn.recv(4096):
            conn.sendall(data.upper())
        conn.close()


UPGRADE = (b"GET /ws HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n\r\n")


def test_websocket(make_torhaus):
    origin = WebSocketOrigin()
    t = make_torhaus()
    t.add("example.test", origin.url, "--websocket", "yes")
    t.start()
    with t.connect() as c:
        c.send(UPGRADE)
        reply = c.read()
        assert reply.status == 101 and reply.get("Upgrade") == "websocket" and reply.get("Sec-WebSocket-Accept") == "x"
        while b"welcome" not in c.buffer:
            assert c.more()
        c.send(b"hello")
        while b"HELLO" not in c.buffer:
            assert c.more()
    assert "upgrade: websocket" in origin.head.lower()


def test_upgrades_only_where_allowed_and_never_to_h2c(make_torhaus, origin):
    origin.on("/ws", body=b"plain")
    t = make_torhaus()
    t.add("example.test", origin.url)
    t.add("open.test", origin.url, "--websocket", "yes")
    t.start()
    with t.connect() as c:
        c.send(UPGRADE)
        assert c.read().status == 200
    assert origin.last("/ws").get("Upgrade") is None
    with t.connect() as c:
        c.send(UPGRADE.replace(b"websocket", b"h2c").replace(b"example.test", b"open.test"))
        assert c.read().status == 200
    assert origin.last("/ws").get("Upgrade") is None


@pytest.fixture
def tls_origin(tmp_path):
    import subprocess
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=origin.test",
                    "-addext", "subjectAltName=DNS:origin.test", "-keyout", tmp_path / "o.key", "-out", tmp_path / "o.crt"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "o.crt", tmp_path / "o.key")
    with Origin(ssl=context) as o:
        o.certificate = tmp_path / "o.crt"
        o.on("/x", headers={"Cache-Control": "no-store"}, body=b"over TLS")
        yield o


def test_tls_to_the_origin(make_torhaus, tls_origin, monkeypatch):
    """Verified by default; an untrusted certificate is a 502 with its reason, origin_verify = no accepts it."""
    t = make_torhaus()
    t.add("example.test", tls_origin.url)
    t.start()
    assert t.get("/x").status == 502
    assert "code=ORIGIN-TLS-FAILED" in t.logs()
    t.run("domain", "set", "example.test", "--origin-verify", "no")
    wait_for(lambda: t.get("/x").body == b"over TLS")


def test_redirect_and_hsts(make_torhaus, origin):
    origin.on("/", headers={"Cache-Control": "max-age=60"}, body=b"x")
    t = make_torhaus()
    make_pair(t.certs, "site")
    t.add("example.test", origin.url, "--redirect-to-tls", "yes", "--hsts", "365d")
    t.start()
    reply = t.get("/a?b=c")
    assert reply.status == 301 and reply.get("Location") == "https://example.test/a?b=c"
    assert t.get("/a", method="POST", body=b"").status == 308
    assert t.get("/.well-known/acme-challenge/x").status == 404
    with t.connect_tls() as c:
        assert c.request("/").get("Strict-Transport-Security") == "max-age=31536000"
