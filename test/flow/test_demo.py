"""script/run, as a new user sees it: each line it prints does what it says."""

import os
import pathlib
import signal
import socket
import subprocess

import pytest

from conftest import ROOT, wait_for


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def curl(*args):
    return subprocess.run(["curl", "-sik", "--max-time", "20", *args], capture_output=True, text=True).stdout


def mail(port, tree):
    """Over STARTTLS, to the demo's mailbox."""
    sent = subprocess.run(["curl", "-sk", "--max-time", "20", "--ssl-reqd", f"smtp://127.0.0.1:{port}", "--mail-from", "me@example.org",
                           "--mail-rcpt", "you@demo.localhost", "--crlf", "-T", "-"], input="Subject: hello\n\nworld\n",
                          capture_output=True, text=True)
    assert sent.returncode == 0, sent
    assert "Subject: hello" in (tree / "run" / "mailbox").read_text()


@pytest.mark.slow
def test_the_demo(tmp_path):
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tree)], check=True)
    ports = {name: str(free_port()) for name in ("HTTP_PORT", "HTTPS_PORT", "SMTP_PORT", "DNS_PORT", "ORIGIN_PORT", "MAILBOX_PORT")}
    output = open(tmp_path / "output", "w")
    run = subprocess.Popen(["script/run"], cwd=tree, env={**os.environ, **ports}, stdout=output, stderr=output,
                           start_new_session=True)
    site = f"https://demo.localhost:{ports['HTTPS_PORT']}"
    torhaus = [str(tree / "build" / "torhaus"), "--config", str(tree / "run" / "torhaus.conf")]

    def verb(*args):
        return subprocess.run([*torhaus, *args], capture_output=True, text=True, cwd=tree)

    def said():
        return pathlib.Path(output.name).read_text()

    try:
        def is_up():
            assert run.poll() is None, said()
            return "200 OK" in curl(f"{site}/")

        wait_for(is_up, seconds=300, what="the demo")
        assert "hit" in curl(f"{site}/") and "fwd=" in curl(f"{site}/private")
        assert "HTTP/1.1 500" in curl(f"{site}/fail")
        (tree / "run" / "origin-down").touch()
        wait_for(lambda: "detail=ORIGIN-REFUSED" in curl(f"{site}/") or "ttl=-" in curl(f"{site}/"), seconds=40)
        assert "ORIGIN-REFUSED" in verb("explain", "ORIGIN-REFUSED").stdout
        (tree / "run" / "origin-down").unlink()
        assert verb("cache", "purge", "--domain", "demo.localhost").returncode == 0
        wait_for(lambda: "200 OK" in curl(f"{site}/news"), what="the origin after its pause")
        assert "1 object" in verb("cache", "purge", "--tag", "news").stdout
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                        "/CN=demo.localhost", "-addext", "subjectAltName=DNS:demo.localhost", "-keyout",
                        tree / "run/certs/new.key", "-out", tree / "run/certs/new.crt"], check=True, capture_output=True)
        wait_for(lambda: "new.crt" in verb("cert", "list").stdout, what="the swapped certificate")
        mail(ports["SMTP_PORT"], tree)
        assert "127.0.0.1" in verb("dns", "query", "demo.localhost").stdout
        assert "REFUSED" in verb("dns", "query", "other.example").stdout

        away = tree / "run" / "away"
        away.mkdir()
        for rsa in (*(tree / "run/certs").glob("*rsa*"), *(tree / "run/certs").glob("new.*")):
            rsa.rename(away / rsa.name)
        wait_for(lambda: "RSA  " not in verb("cert", "list").stdout, what="the ECDSA pair alone")
        subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{ports['SMTP_PORT']}", "-tls1_2",
                        "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], input="QUIT\n", capture_output=True, text=True)
        wait_for(lambda: "code=TLS-NO-RSA-CERT" in said() and "this ClientHello succeeds with" in said(), what="the explanation")
        assert "Ctrl-C" in said()
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGINT)
            run.wait(60)
