"""`torhaus cert check HOST:PORT`: nginx, OpenSSL, GnuTLS, Postfix, Exim and torhaus itself, with the newest certificate and without."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import pytest

from conftest import PROGRAM, wait_for
from fleet import GnuTls, free_port
from gateway import HOSTNAME, gateway
from mta import Exim, Postfix
from pair import make_pair


def check(*args, status=None):
    done = subprocess.run([PROGRAM, "--config", "/nonexistent", "cert", "check", "--json", *map(str, args)], text=True,
                          capture_output=True, timeout=120)
    assert "Sanitizer" not in done.stderr, done.stderr
    document = json.loads(done.stdout) if done.stdout else {"faults": [], "served": []}
    codes = sorted(f["code"] for f in document["faults"])
    assert done.returncode == (status if status is not None else 1 if codes else 0), done.stdout + done.stderr
    return codes, document


def listens(port, host="127.0.0.1"):
    with socket.socket() as s:
        return s.connect_ex((host, port)) == 0


@pytest.fixture
def pairs(tmp_path):
    """RSA and ECDSA, old and new: the new ones begin later."""
    for stem, kind in (("rsa", "rsa"), ("ec", "ec")):
        for age in ("old", "new"):
            make_pair(tmp_path, f"{stem}-{age}", kind, names=("mx.example.test",),
                      extra=["-days", "60"] if age == "new" else [], key=age)
    backdate(tmp_path / "rsa-old")
    backdate(tmp_path / "ec-old")
    return tmp_path


def backdate(stem):
    """The same key in a certificate that began a month ago."""
    subprocess.run(["openssl", "req", "-new", "-key", f"{stem}.key", "-subj", "/CN=mx.example.test", "-out", f"{stem}.csr"],
                   check=True, capture_output=True)
    pathlib.Path(f"{stem}.ext").write_text("subjectAltName=DNS:mx.example.test\n")
    # openssl x509 has no start date before 3.4; a CA has.
    folder = pathlib.Path(f"{stem}.ca")
    folder.mkdir()
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "conf").write_text(f"[ca]\ndefault_ca=c\n[c]\nnew_certs_dir={folder}\ndatabase={folder}/index\nserial={folder}/serial\n"
                                 "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
    subprocess.run(["openssl", "ca", "-batch", "-config", folder / "conf", "-selfsign", "-keyfile", f"{stem}.key",
                    "-in", f"{stem}.csr", "-out", f"{stem}.crt", "-startdate", "20260101000000Z", "-enddate", "20361231000000Z",
                    "-extfile", f"{stem}.ext", "-notext"], check=True, capture_output=True)


class Nginx:
    def __init__(self, dir, *stems):
        self.dir, self.port = dir, free_port()
        dir.mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        lines = "".join(f"ssl_certificate {s}.crt; ssl_certificate_key {s}.key; " for s in stems)
        (dir / "nginx.conf").write_text(f"""
{user} daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; events {{ }}
http {{
  access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{self.port} ssl; {lines} }}
}}""")

    def __enter__(self):
        self.process = subprocess.Popen(["nginx", "-c", str(self.dir / "nginx.conf")], stderr=subprocess.DEVNULL)
        wait_for(lambda: listens(self.port), what="nginx")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def reload(self):
        subprocess.run(["nginx", "-c", str(self.dir / "nginx.conf"), "-s", "reload"], check=True, capture_output=True)


def test_renewed_but_not_reloaded(pairs, tmp_path):
    """The founding story's first half: the new certificate lies on disk for days, and the server still has the old one."""
    live = tmp_path / "live"
    for end in ("crt", "key"):
        shutil.copy(pairs / f"rsa-old.{end}", f"{live}.{end}")
    with Nginx(tmp_path / "nginx", live) as n:
        at = f"127.0.0.1:{n.port}"
        codes, document = check(at, "--file", f"{live}.crt")
        assert codes == [] and document["served"][0]["current"] and document["served"][0]["type"] == "RSA"
        for end in ("crt", "key"):
            shutil.copy(pairs / f"rsa-new.{end}", f"{live}.{end}")
        os.utime(f"{live}.crt", (1790000000, 1790000000))
        codes, document = check(at, "--file", f"{live}.crt")
        assert codes == ["CERT-SERVED-OLD"]
        facts = document["faults"][0]["facts"]
        assert facts["since"].startswith("2026-09-21") and facts["served_from"].startswith("2026-01-01")
        n.reload()
        wait_for(lambda: check(at, "--file", f"{live}.crt")[0] == [], what="the new one served")


def test_both_types_are_wanted(pairs, tmp_path):
    rsa, ec = pairs / "rsa-new.crt", pairs / "ec-new.crt"
    with Nginx(tmp_path / "nginx", pairs / "rsa-new") as n:
        at = f"127.0.0.1:{n.port}"
        assert check(at, "--file", rsa)[0] == []
        assert check(at, "--file", rsa, ec)[0] == ["CERT-SERVED-MISSING"]
        assert check(at, "--file", ec)[0] == ["CERT-SERVED-MISSING"]
        # The older file is beside the newest: nothing wrong. And served from none of the files.
        assert check(at, "--file", rsa, pairs / "rsa-old.crt")[0] == []
        assert check(at, "--file", pairs / "rsa-old.crt")[0] == ["CERT-SERVED-OTHER"]
    with Nginx(tmp_path / "nginx2", pairs / "rsa-new", pairs / "ec-old") as n:
        codes, document = check(f"127.0.0.1:{n.port}", "--file", rsa, "--file", ec, pairs / "ec-old.crt")
        assert codes == ["CERT-SERVED-OLD"] and document["faults"][0]["facts"]["type"] == "ECDSA"
        assert {(s["type"], s["current"]) for s in document["served"]} == {("RSA", True), ("ECDSA", False)}


def test_gnutls(pairs):
    for kind in ("rsa", "ec"):
        (pairs / f"{kind}.pem").write_bytes((pairs / f"{kind}-new.crt").read_bytes() + (pairs / f"{kind}-new.key").read_bytes())
    with GnuTls(pairs / "rsa.pem", pairs / "ec.pem") as g:
        assert check(f"127.0.0.1:{g.port}", "--file", pairs / "rsa-new.crt", pairs / "ec-new.crt")[0] == []


@pytest.mark.parametrize("kind", [Postfix, Exim])
def test_mail_servers(pairs, kind):
    with kind(name="mx.example.test", certificate=(pairs / "rsa-new.crt", pairs / "rsa-new.key")) as mta:
        at = f"{mta.address}:{mta.port}"
        assert check(at, "--starttls", "smtp", "--file", pairs / "rsa-new.crt")[0] == []
        assert check(at, "--starttls", "smtp", "--file", pairs / "rsa-new.crt", pairs / "ec-new.crt")[0] == ["CERT-SERVED-MISSING"]


def test_torhaus_itself(make_torhaus):
    """By STARTTLS and by the implicit port; and the server proves itself without a web listener, each minute and after each change."""
    t = gateway(make_torhaus, None)
    files = [t.certs / "rsa.crt", t.certs / "ec.crt"]
    assert check(f"127.0.0.1:{t.mail[1]}", "--starttls", "smtp", "--name", HOSTNAME, "--file", *files)[0] == []
    assert check(f"127.0.0.1:{t.mail_tls[1]}", "--file", *files)[0] == []


def test_what_cannot_be_asked(pairs, tmp_path):
    rsa = pairs / "rsa-new.crt"
    assert check(f"127.0.0.1:{free_port()}", "--file", rsa, status=4)[0] == ["CERT-SERVED-UNKNOWN"]
    assert check("no-such-host.invalid:443", "--file", rsa, status=4)[0] == ["CERT-SERVED-UNKNOWN"]
    codes, _ = check("127.0.0.1:443", "--file", tmp_path / "none.crt", status=1)
    assert codes == ["CERT-UNREADABLE"]
    for args in (("127.0.0.1:443",), ("127.0.0.1", "--file", rsa), ("127.0.0.1:0", "--file", rsa), ("127.0.0.1:x", "--file", rsa),
                 ("127.0.0.1:443", "--file", rsa, "--starttls", "imap"), ("--file", rsa)):
        check(*args, status=2)


MISBEHAVIOUR = {"refused": b"220 x ESMTP\r\n250 x\r\n454 not now\r\n", "turned away": b"554 go away\r\n", "cut": b"220-x\r\n",
                "nothing": b"", "zeros": b"\0" * 100, "endless": b"2" * 10000}


@pytest.mark.parametrize("said", MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
def test_servers_that_misbehave(pairs, said):
    """Everything is said at once, whatever is asked; then the end."""
    def serve():
        with contextlib.suppress(OSError):          # until the listener is closed
            while True:
                c, _ = listener.accept()
                with c, contextlib.suppress(OSError):
                    c.sendall(said)
                    c.shutdown(socket.SHUT_WR)
                    c.recv(4096)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    at = f"127.0.0.1:{listener.getsockname()[1]}"
    try:
        assert check(at, "--starttls", "smtp", "--file", pairs / "rsa-new.crt", status=4)[0] == ["CERT-SERVED-UNKNOWN"]
        # Who says something else than TLS is no server without the certificate: it could not be asked.
        wanted = (["CERT-SERVED-UNKNOWN"], 4) if said else (["CERT-SERVED-MISSING"], 1)
        assert check(at, "--file", pairs / "rsa-new.crt", status=wanted[1])[0] == wanted[0]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_in_words(pairs, tmp_path):
    with Nginx(tmp_path / "nginx", pairs / "rsa-old") as n:
        done = subprocess.run([PROGRAM, "--lang", "de", "cert", "check", f"127.0.0.1:{n.port}", "--file", pairs / "rsa-new.crt"],
                              text=True, capture_output=True, timeout=60)
        assert done.returncode == 1 and "CERT-SERVED-OLD" in done.stdout and "liefert ein älteres RSA-Zertifikat aus" in done.stdout


def test_when_it_runs_out_is_printed(pairs, tmp_path):
    with Nginx(tmp_path / "nginx", pairs / "rsa-old") as n:
        done = subprocess.run([PROGRAM, "cert", "check", f"127.0.0.1:{n.port}", "--file", pairs / "rsa-old.crt"],
                              text=True, capture_output=True, timeout=60)
        assert done.returncode == 0 and "until 2036-12-31" in done.stdout and "rsa-old.crt" in done.stdout, done


def test_the_wrong_way_to_tls_is_no_missing_certificate(pairs, tmp_path):
    """SMTP where TLS begins at once, and the other way round: it says what to try."""
    for said, way, other in ((b"220 mx.example.test ESMTP\r\n", "none", "smtp"), (b"\x15\3\1\0\2\2\x28", "smtp", "none")):
        listener = socket.create_server(("127.0.0.1", 0))

        def greet(listener=listener, said=said):
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    client.sendall(said)
                    client.settimeout(2)
                    with contextlib.suppress(OSError):
                        client.recv(4096)
                    client.close()
        threading.Thread(target=greet, daemon=True).start()
        try:
            at = f"127.0.0.1:{listener.getsockname()[1]}"
            codes, document = check(at, "--starttls", way, "--file", pairs / "rsa-old.crt", status=4)
            assert codes == ["CERT-SERVED-UNKNOWN"] and f"--starttls {other}" in document["faults"][0]["cause"], document
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
