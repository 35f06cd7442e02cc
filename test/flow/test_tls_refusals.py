"""torhaus tls and torhaus cert, asked what they cannot answer: each says what is wrong and what to write instead, and breaks no terminal."""

import datetime
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import PROGRAM


def run(*args, dir):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, stdin=subprocess.DEVNULL, cwd=dir, timeout=60,
                          env=os.environ | {"LANG": "C.UTF-8"})
    assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def write_pair(path, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=90)).sign(key, hashes.SHA256()))
    path.with_suffix(".crt").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".der").write_bytes(cert.public_bytes(serialization.Encoding.DER))
    path.with_suffix(".key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                           serialization.NoEncryption()))


@pytest.fixture(scope="module")
def dir(tmp_path_factory):
    """What people have lying about."""
    dir = tmp_path_factory.mktemp("files")
    write_pair(dir / "mx", "mx.example.net")
    write_pair(dir / "red", "\x1b[31mred")
    (dir / "folder").mkdir()
    (dir / "empty").write_bytes(b"")
    (dir / "zeros").write_bytes(bytes(5000))
    (dir / "bytes").write_bytes(bytes(range(256)) * 1200)
    (dir / "half.crt").write_bytes((dir / "mx.crt").read_bytes()[:300])
    (dir / "suites").write_text("ECDHE-ECDSA-AES128-GCM-SHA256\n")
    (dir / "loop").symlink_to("loop")
    (dir / "certs").mkdir()
    write_pair(dir / "certs" / "old", "mx.example.net")
    (dir / "torhaus.conf").write_text(f'store = "sqlite:{dir}/torhaus.db"\ncertificates = {{"{dir}/certs"}}\n')
    return dir


HOST = "no host such as mx.example.net"


@pytest.mark.parametrize("args, said", [
    ([""], HOST), (["\x1b[31mx"], r"\x1b[31mx"), (["mx..example"], HOST), (["a" * 64 + ".example"], HOST), (["a" * 300], HOST),
    (["1.2.3"], HOST), (["256.1.1.1"], HOST), (["mx.7"], HOST), (["[::1]:"], HOST), (["[::1"], HOST), ([".mx"], HOST),
    (["https://example.net/"], "take the host alone"), (["user@example.net"], "--mx DOMAIN"), (["müller.example"], "xn--"),
    (["--mx", "127.0.0.1"], "no mail domain"), (["--mx", "a@example.net"], "behind the @"), (["--mx", ""], "no mail domain"),
    (["--file", "folder"], "Is a directory"), (["--file", "loop"], "symbolic links"), (["--file", "empty"], "which hosts?"),
    (["--file", "bytes"], "bytes:1: "), (["--file", "zeros"], r"\x00"), (["--file", "mx.crt"], "mx.crt:1: "),
    (["mx", "--compare", "folder"], "Is a directory"), (["mx", "--compare", "empty"], "holds no scan"),
    (["mx", "--compare", "bytes"], "not what torhaus tls scan --json prints"),
    (["mx", "--ca", "nowhere"], "No such file"), (["mx", "--ca", "folder"], "no certificates in PEM form"),
    (["mx", "--ca", "mx.der"], "no certificates in PEM form"),
    (["mx", "--resolver", "127.0.0.1:0"], "--resolver is an address"), (["mx", "--resolver", "unix:/x"], "--resolver is"),
    (["mx", "--resolver", "dns.example"], "--resolver is"), (["mx", "--anchor", "folder"], "Is a directory"),
    (["mx", "--anchor", "bytes"], "no DS or DNSKEY"), (["mx", "--anchor", "empty"], "no DS or DNSKEY"),
    (["mx", "--helo", "a;b"], "--helo is the name"), (["mx", "--helo", ""], "--helo is the name"),
    (["mx", "--json", "--csv"], "not both"), (["mx", "--timeout", "0"], "at least 100ms"),
    (["mx", "--rate", "0"], "from 1 to 10000"), (["mx", "--jobs", "1e3"], "from 1 to 2000"),
    (["mx", "--gap", "99999999999999999d"], "duration"), (["mx", "--port", "70000"], "from 1 to 65535"),
])
def test_scans(dir, args, said):
    done = run("tls", "scan", *args, dir=dir)
    assert done.returncode == 2 and done.stdout == "" and said in done.stderr, done


@pytest.mark.parametrize("args, status, said", [
    (["--suites", "suites", "--with", "nowhere"], 1, "CERT-UNREADABLE"),
    (["--suites", "suites", "--with", "folder"], 1, "CERT-UNREADABLE"),
    (["--suites", "suites", "--with", "empty"], 1, "CERT-BAD-FILE"),
    (["--suites", "suites", "--with", "half.crt"], 1, "CERT-BAD-FILE"),
    (["--suites", "suites", "--with", "mx.der"], 1, "CERT-BAD-FILE"),
    (["--suites", "folder", "--with", "mx.crt"], 1, "Is a directory"),
    (["--suites", "bytes", "--with", "mx.crt"], 1, "File too large"),
    (["--suites", "nonsense", "--with", "mx.crt"], 1, "TLS-SUITES-UNKNOWN"),
    (["--suites", "\x1b[31m", "--with", "mx.crt"], 1, r"\x1b"),
    (["--hello", "mx.crt", "--with", "mx.crt"], 1, "TLS-HELLO-NOT-FOUND"),
    (["--hello", "folder", "--with", "mx.crt"], 1, "FILE-UNREADABLE"),
    (["--hello", "empty", "--with", "mx.crt"], 1, "tcpdump"),
    (["--suites", "suites", "--with", "mx.crt", "--server-suites", "nonsense"], 1, "TLS-SUITES-UNKNOWN"),
    (["--suites", "suites", "--with", "mx.crt", "--server-suites", "folder"], 1, "FILE-UNREADABLE"),
    (["--suites", "suites", "--with", "mx.crt", "--name", "a b"], 2, "--name is a host name"),
    (["--suites", "suites", "--with", "mx.crt", "--name", "a" * 300], 2, "--name is a host name"),
])
def test_explanations(dir, args, status, said):
    done = run("tls", "explain", *args, dir=dir)
    assert done.returncode == status and done.stdout == "" and said in done.stderr, done


@pytest.mark.parametrize("args, status, said", [
    (["127.0.0.1", "--file", "mx.crt"], 2, "HOST:PORT, such as"),
    (["mx:0", "--file", "mx.crt"], 2, "HOST:PORT, such as"),
    (["127.0.0.1:1", "--file", "mx.key"], 2, "holds a key and no certificate"),
    (["127.0.0.1:1", "--file", "mx.crt", "--name", "a b"], 2, "--name is a host name"),
    (["127.0.0.1:1", "--file", "half.crt"], 1, "CERT-BAD-FILE"),
    (["127.0.0.1:1", "--file", "mx.crt"], 4, "CERT-SERVED-UNKNOWN"),
])
def test_checks(dir, args, status, said):
    done = run("cert", "check", *args, dir=dir)
    assert done.returncode == status and said in done.stdout + done.stderr and "Nothing is wrong" not in done.stdout, done


@pytest.mark.parametrize("args, status, said", [
    (["--with", "nowhere"], 2, "--with names no usable certificate"),
    (["--with", "mx.key"], 2, "--with names no usable certificate"),
    (["--with", "mx.crt", "--without", "mx.crt"], 2, "none of the files in the certificate folders"),
    (["--with", "mx.crt", "--without", "nowhere", "--log", "empty"], 2, "CERT-UNREADABLE"),
    (["--with", "mx.crt", "--without", "mx.crt", "--log", "nowhere"], 5, "FILE-UNREADABLE"),
    (["--with", "mx.crt", "--without", "mx.crt", "--log", "empty"], 5, "it names nobody"),
    (["--with", "mx.crt", "--without", "mx.crt", "--log", "bytes"], 5, "it names nobody"),
    (["--with", "mx.crt", "--without", "mx.crt", "--scan", "folder"], 2, "Is a directory"),
    (["--with", "mx.crt", "--without", "mx.crt", "--scan", "bytes"], 2, "not what torhaus tls scan --json prints"),
    (["--with", "mx.crt", "--log", "empty"], 2, "name the certificates in service by --without"),
    (["--with", "mx.crt"], 4, "STORE-MISSING"),
])
def test_predictions(dir, args, status, said):
    done = run("--config", "torhaus.conf", "cert", "predict", *args, dir=dir)
    assert done.returncode == status and said in done.stdout + done.stderr, done


def test_names_that_would_command_a_terminal(dir, tmp_path):
    """Certificates come from customers; what is in them is shown, and obeyed by nothing."""
    done = run("tls", "explain", "--suites", "suites", "--with", "red.crt", dir=dir)
    assert done.returncode == 0 and r"(\x1b[31mred)" in done.stdout
    (tmp_path / "torhaus.conf").write_text(f'store = "sqlite:{tmp_path}/torhaus.db"\ncertificates = {{"{dir}"}}\n')
    done = run("--config", tmp_path / "torhaus.conf", "cert", "list", dir=dir)
    assert r"\x1b[31mred" in done.stdout
