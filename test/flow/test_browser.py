"""A static site behind nginx, seen by curl and by Chromium through torhaus over TLS, with RSA and with ECDSA."""

import os
import socket
import subprocess
import time

import pytest

from conftest import wait_for
from pair import make_pair

PAGE = """<!doctype html><html><head><title>static</title><link rel="stylesheet" href="/style.css"></head>
<body><h1 id="v">version 1</h1><script src="/app.js"></script></body></html>"""


class Nginx:
    def __init__(self, dir):
        self.dir = dir
        self.www = dir / "www"
        self.www.mkdir(parents=True)
        (self.www / "index.html").write_text(PAGE)
        (self.www / "style.css").write_text("h1 { color: rgb(1, 2, 3) }")
        (self.www / "app.js").write_text("document.body.setAttribute('data-ran', getComputedStyle("
                                         "document.getElementById('v')).color)")
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # Started by root it would become somebody who may not read this folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (dir / "nginx.conf").write_text(f"""
{user} daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
worker_processes 1; events {{ }}
http {{
  include /etc/nginx/mime.types; access_log {dir}/access.log;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{self.port}; root {self.www}; add_header Cache-Control "max-age=1"; }}
}}""")

    def start(self):
        self.process = subprocess.Popen(["nginx", "-c", str(self.dir / "nginx.conf")], stderr=subprocess.DEVNULL)
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0, what="nginx")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def nginx(tmp_path):
    n = Nginx(tmp_path / "nginx")
    n.start()
    yield n
    n.stop()


def chromium(t, url, profile):
    return subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--ignore-certificate-errors", f"--user-data-dir={profile}",
         f"--host-resolver-rules=MAP example.test:443 127.0.0.1:{t.tls_port}", "--dump-dom", url],
        capture_output=True, text=True, timeout=90).stdout


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_curl_and_chromium(make_torhaus, nginx, tmp_path, kind):
    t = make_torhaus()
    make_pair(t.certs, "site", kind)
    t.add("example.test", nginx.url)
    t.start()
    curl = subprocess.run(["curl", "-sk", "--http1.1", "--connect-to", f"example.test:443:127.0.0.1:{t.tls_port}",
                           "https://example.test/"], capture_output=True, text=True)
    assert curl.stdout == PAGE
    dom = chromium(t, "https://example.test/", tmp_path / "profile")
    assert "version 1" in dom and 'data-ran="rgb(1, 2, 3)"' in dom, "style sheet and script were loaded, too"


def test_nginx_goes_and_comes_back(make_torhaus, nginx):
    t = make_torhaus()
    t.add("example.test", nginx.url)
    t.start()
    assert t.get("/").body.decode() == PAGE
    time.sleep(1.2)
    nginx.stop()
    assert t.get("/").body.decode() == PAGE
    assert t.json("status")["sites"]["example.test"]["stale"] >= 1
    (nginx.www / "index.html").write_text(PAGE.replace("version 1", "version 2"))
    nginx.start()
    wait_for(lambda: b"version 2" in t.get("/").body, what="the new page")
