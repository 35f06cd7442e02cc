"""Waiting for origins that are slow, endless or broken, and visitors who leave or write before they read."""

import json
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from conftest import wait_for


class Quiet:
    """An origin on a socket: it answers each connection with the same bytes, and knows how many clients have gone."""

    def __init__(self, says):
        self.says, self.asked, self.gone = says, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        with conn:
            try:
                conn.recv(65536)
                self.asked += 1
                conn.sendall(self.says)
                while conn.recv(65536):
                    pass
            except ConnectionError:
                pass
            self.gone += 1

    def close(self):
        self.listener.close()


ENDLESS = {
    "silent": b"",
    "events": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: max-age=60\r\n\r\n",
    "events-begun": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n",
    "no-cache": b"HTTP/1.1 200 OK\r\nCache-Control: no-cache\r\n\r\npart",
    "lifetime-0": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=0\r\nContent-Length: 1000000\r\n\r\npart",
    "no-store": b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
}


@pytest.fixture(scope="module")
def quiet(make_torhaus_once):
    """A torhaus with a site for each endless origin."""
    t = make_torhaus_once()
    t.quiet = {name: Quiet(says) for name, says in ENDLESS.items()}
    for name, origin in t.quiet.items():
        t.add(f"{name}.test", origin.url)
    yield t.start()
    for origin in t.quiet.values():
        origin.close()


@pytest.mark.parametrize("name", ENDLESS)
def test_what_serves_nobody_else_ends_with_its_visitor(quiet, name):
    origin = quiet.quiet[name]
    with quiet.connect() as c:
        c.send(f"GET /{name} HTTP/1.1\r\nHost: {name}.test\r\n\r\n".encode())
        wait_for(lambda: origin.asked == 1)
        if origin.says and not origin.says.endswith(b"\r\n\r\n"):
            assert c.more()
    wait_for(lambda: origin.gone == 1, what="the end of the call")
    wait_for(lambda: quiet.access_path.exists() and f"/{name}" in quiet.access_path.read_text())
    line = [l for l in quiet.access_lines() if l["target"] == f"/{name}"][-1]
    assert line["status"] == (499 if not origin.says else 200 if line["bytes_sent"] else line["status"])


def test_a_follower_that_leaves_ends_nothing(make_torhaus, origin):
    """The leader's fetch goes on for whoever still waits."""
    origin.on("/slow", delay=3, headers={"Cache-Control": "max-age=60"}, body=b"late")
    t = make_torhaus()
    t.add("example.test", origin.url)
    t.start()
    leader, follower = t.connect(), t.connect()
    leader.send(b"GET /slow HTTP/1.1\r\nHost: example.test\r\n\r\n")
    wait_for(lambda: origin.count("/slow") == 1)
    follower.send(b"GET /slow HTTP/1.1\r\nHost: example.test\r\n\r\n")
    leader.close()
    assert follower.read().body == b"late" and origin.count("/slow") == 1
    follower.close()


def test_what_serves_others_is_fetched_to_its_end(make_torhaus, origin):
    origin.on("/page", headers={"Cache-Control": "max-age=60"}, pieces=[(0, b"begin "), (3, b"end")])
    t = make_torhaus()
    t.add("example.test", origin.url)
    t.start()
    with t.connect() as c:
        c.send(b"GET /page HTTP/1.1\r\nHost: example.test\r\n\r\n")
        while b"begin" not in c.buffer:
            assert c.more()
    wait_for(lambda: t.get("/page").is_hit)
    assert origin.count("/page") == 1


def test_a_visitor_who_only_ends_his_side_is_answered(site):
    site.origin.on("/half", delay=0.5, body=b"answer")
    with site.connect() as c:
        c.send(b"GET /half HTTP/1.1\r\nHost: example.test\r\n\r\n")
        c.sock.shutdown(socket.SHUT_WR)
        assert c.read().body == b"answer"


# ---- answers that come before the body was read ----

UPLOAD = 4_000_000

NODE = """
const http = require('http'), [port, n] = process.argv.slice(1).map(Number), got = [];
function next() {
  if (got.length == n) { console.log(JSON.stringify(got)); return; }
  const req = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/up', agent: false,
    headers: { Host: 'example.test', 'Content-Length': %d } }, res => {
      res.resume(); res.on('end', () => { got.push(res.statusCode); next(); }); });
  req.on('error', e => { got.push(e.code); next(); });
  req.end(Buffer.alloc(%d));
}
next();
""" % (UPLOAD, UPLOAD)


def by_urllib(port, n):
    got = []
    for _ in range(n):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/up", data=bytes(UPLOAD), headers={"Host": "example.test"})
        try:
            got.append(urllib.request.urlopen(request, timeout=30).status)
        except urllib.error.HTTPError as e:
            got.append(e.code)
        except OSError as e:
            got.append(repr(e))
    return got


def by_node(port, n):
    if not shutil.which("node"):
        pytest.skip("no Node here")
    done = subprocess.run(["node", "-e", NODE, str(port), str(n)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("upload", [by_urllib, by_node])
def test_whoever_writes_before_he_reads_hears_us(make_torhaus, origin, upload):
    origin.on("/up", raw=b"HTTP/1.1 401 Who\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    t = make_torhaus(threads=1)
    t.add("example.test", origin.url, "--body-max", "1M")
    t.start()
    assert upload(t.port, 4) == [413] * 4
    t.run("domain", "set", "example.test", "--body-max", "1G")
    wait_for(lambda: upload(t.port, 1) == [401])
    assert upload(t.port, 3) == [401] * 3


# ---- bodies that fail before their first byte ----

def test_an_answer_that_fails_before_its_first_byte_is_a_page(site):
    site.origin.on("/bad", raw=b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    site.origin.on("/pass", raw=b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    site.origin.on("/cut", raw=b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\n")
    for path in ("/bad", "/pass", "/cut"):
        reply = site.get(path)
        assert reply.status == 502 and b"ORIGIN-BODY-BROKE-OFF" in reply.body, path
    assert "HTTP-BAD-CHUNKS" in site.logs() and "closed before its declared end" in site.logs()


def test_an_answer_that_fails_before_its_first_byte_leaves_the_stale_copy(site):
    site.origin.on("/page", headers={"Cache-Control": "max-age=0", "ETag": '"1"'}, body=b"good")
    assert site.get("/page").body == b"good"
    site.origin.on("/page", raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    reply = site.get("/page")
    assert reply.body == b"good" and "detail=ORIGIN-BODY-BROKE-OFF" in reply.cache_status


def test_an_upload_that_fails_says_why(make_torhaus, origin):
    origin.on("/up", body=b"taken")
    t = make_torhaus(web='body_timeout = "200ms"')
    t.add("example.test", origin.url)
    t.start()
    head = b"POST /up HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    for sent, status, code in ((b"zz\r\n", 400, b"HTTP-BAD-CHUNKS"), (b"5\r\nab", 408, b"HTTP-SLOW-BODY"),
                               (b"5;" + b"a" * 2000 + b"\r\nhello\r\n0\r\n\r\n", 400, b"HTTP-BAD-CHUNKS")):
        with t.connect() as c:
            c.send(head + sent)
            reply = c.read()
            assert reply.status == status and code in reply.body
    assert origin.count("/up") == 0


# ---- answers that nobody asked for ----

@pytest.mark.parametrize("raw", [b"HTTP/1.1 304 Not Modified\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
                                 b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"])
def test_an_answer_that_nobody_asked_for_is_an_error(site, raw):
    site.origin.on("/odd", raw=raw)
    for method in ("GET", "POST", "HEAD"):
        reply = site.get("/odd", method=method)
        assert reply.status == 502, method
    assert "nobody" not in site.logs() and "ORIGIN-BAD-RESPONSE" in site.logs()


def test_a_304_that_was_asked_for_passes(site):
    site.origin.on("/odd", raw=b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")
    reply = site.get("/odd", headers={"If-None-Match": '"x"', "Cache-Control": "no-store"})
    assert reply.status == 304


def test_an_upgrade_to_something_else_is_an_error(make_torhaus, origin):
    origin.on("/ws", raw=b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    t = make_torhaus()
    t.add("example.test", origin.url, "--websocket", "yes")
    t.start()
    assert t.get("/ws", headers={"Connection": "upgrade", "Upgrade": "websocket"}).status == 502
