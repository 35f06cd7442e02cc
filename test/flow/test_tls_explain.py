"""`torhaus tls explain`: real suite lists and captured hellos against certificates, and the same against a real server."""

import json
import pathlib
import socket
import struct
import subprocess
import threading

import pytest

from conftest import PROGRAM, wait_for
from test_tls import make_pair

CASES = pathlib.Path(__file__).parent / "cases"
PARTNER, OPENSSL3 = CASES / "partner-suites.txt", CASES / "openssl3-suites.txt"


@pytest.fixture
def certs(tmp_path):
    for kind in ("rsa", "ec"):
        make_pair(tmp_path, kind, kind, names=("mx.example.net",))
    return tmp_path


def explain(*args, lang="en"):
    done = subprocess.run([PROGRAM, "--lang", lang, "tls", "explain", *map(str, args)], text=True, capture_output=True, timeout=60)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done


def answer(*args):
    done = explain(*args, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["works"] else 1), done.stderr
    return document


def test_the_partner_and_an_ecdsa_certificate(certs):
    a = answer("--suites", PARTNER, "--with", certs / "ec.crt")
    assert not a["works"]
    assert a["explanation"]["causes"][0]["code"] == "TLS-NO-RSA-CERT"
    assert a["explanation"]["proven"] and a["explanation"]["suite"] == "ECDHE-RSA-AES256-GCM-SHA384"
    # Both sides know ECDHE and AES-GCM, and every offered suite needs an RSA certificate.
    assert (a["suites"]["offered"], a["suites"]["need_rsa"], a["suites"]["need_ecdsa"]) == (14, 14, 0)
    assert a["suites"]["common"] == 12 and a["suites"]["usable"] == 0
    assert a["certificates"][0]["stand_in_key"] and not a["certificates"][0]["usable"]


def test_a_self_signed_certificate_without_alternative_names_is_a_servers_too(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=mx.example.net",
                    "-keyout", tmp_path / "unused.key", "-out", tmp_path / "old.crt"], check=True, capture_output=True)
    a = answer("--suites", PARTNER, "--with", tmp_path / "old.crt")
    assert a["works"] and a["certificates"][0]["stand_in_key"]


def test_the_lists_overlap_in_eleven_suites(certs):
    a = answer("--suites", PARTNER, "--server-suites", OPENSSL3, "--with", certs / "ec.crt", certs / "ec.key")
    assert a["suites"]["common"] == 11 and a["suites"]["usable"] == 0 and not a["works"]
    assert not a["certificates"][0]["stand_in_key"]


def test_an_rsa_certificate_beside_it(certs):
    a = answer("--suites", PARTNER, "--with", certs / "ec.crt", "--with", certs / "rsa.crt")
    assert a["works"] and a["suite"] == "ECDHE-RSA-AES256-GCM-SHA384" and a["version"] == "TLS 1.2"
    usable = {c["type"]: c["usable"] for c in a["certificates"]}
    assert usable == {"RSA": True, "ECDSA": False}


def test_in_words(certs):
    text = explain("--suites", PARTNER, "--with", certs / "ec.crt").stdout
    for part in ("Supposed", "no key given", "It does not work.", "TLS-NO-RSA-CERT", "Serve an RSA certificate beside the ECDSA one",
                 "succeeds with ECDHE-RSA-AES256-GCM-SHA384", "offers no suite for its key type"):
        assert part in text
    text = explain("--suites", PARTNER, "--with", certs / "ec.crt", lang="de").stdout
    for part in ("Unterstellt", "Es geht nicht.", "Ein RSA-Zertifikat neben dem ECDSA-Zertifikat ausliefern"):
        assert part in text


@pytest.mark.parametrize("args, status", [
    ((), 2), (("--suites", "AES128-SHA"), 2), (("--with", "x.crt"), 2),
    (("--suites", "AES128-SHA", "--hello", "x", "--with", "x.crt"), 2),
    (("--suites", "AES128-SHA", "--with", "/nowhere/x.crt", "--for", "tea"), 2),
    (("--suites", "NO-SUCH-SUITE", "--with", "/nowhere/x.crt"), 1),
    (("--suites", "/nowhere/list", "--with", "/nowhere/x.crt"), 1),
    (("--hello", "/nowhere/hello", "--with", "/nowhere/x.crt"), 1),
    (("--suites", "AES128-SHA", "--with", "/nowhere/x.crt"), 1),
])
def test_misuse(args, status):
    assert explain(*args).returncode == status


# ---- captured ----

def hello_of(client_args):
    """What a real client sends first."""
    listener = socket.create_server(("127.0.0.1", 0))
    got = []

    def take():
        c, _ = listener.accept()
        with c:
            data = c.recv(65536)
            while len(data) < 5 + int.from_bytes(data[3:5], "big"):
                data += c.recv(65536)
            got.append(data)

    thread = threading.Thread(target=take)
    thread.start()
    subprocess.run([a.format(port=listener.getsockname()[1]) for a in client_args], input="", capture_output=True, text=True, timeout=60)
    thread.join(30)
    listener.close()
    return got[0]


def openssl_client(*options):
    return ["openssl", "s_client", "-connect", "127.0.0.1:{port}", "-servername", "mx.example.net", *options]


def pcap(payload):
    tcp = struct.pack("!HHIIBBHHH", 40000, 25, 1, 1, 0x50, 0x18, 1024, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, bytes([192, 0, 2, 7]), bytes([192, 0, 2, 1])) + tcp
    frame = bytes(12) + b"\x08\x00" + ip
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame


FORMS = {"bytes": bytes, "hex": lambda h: h.hex(":").encode() + b"\n", "message": lambda h: h[5:], "pcap": pcap}


@pytest.mark.parametrize("form", FORMS)
def test_a_captured_hello(certs, form):
    hello = hello_of(openssl_client("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"))
    path = certs / "hello"
    path.write_bytes(FORMS[form](hello))
    a = answer("--hello", path, "--with", certs / "ec.crt")
    assert not a["works"] and a["explanation"]["causes"][0]["code"] == "TLS-NO-RSA-CERT"
    assert not a["client"]["supposed"] and a["client"]["name"] == "mx.example.net"
    assert a["client"]["from"] == ("192.0.2.7" if form == "pcap" else None)
    assert answer("--hello", path, "--with", certs / "rsa.crt")["works"]


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except OSError:
        return False


def served_by_openssl(certs, kinds, client):
    """Does the same client get through to a real server with these certificates?"""
    port = socket.create_server(("127.0.0.1", 0))
    number = port.getsockname()[1]
    port.close()
    flags = []
    for flag, kind in zip(("", "d"), kinds):
        flags += [f"-{flag}cert", certs / f"{kind}.crt", f"-{flag}key", certs / f"{kind}.key"]
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{number}", "-quiet", *map(str, flags)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_open(number), what="a listening server")
        done = subprocess.run([a.format(port=number) for a in client], input="Q\n", capture_output=True, text=True, timeout=60)
        return "Handshake was completed" in done.stdout if client[0] == "gnutls-cli" else done.returncode == 0
    finally:
        server.kill()
        server.wait()


CLIENTS = {
    "rsa-suites": openssl_client("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
    "ecdsa-suites": openssl_client("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "1.2": openssl_client("-tls1_2"),
    "1.3-rsa-signatures": openssl_client("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"),
    "1.3-ecdsa-signatures": openssl_client("-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"),
    "1.2-other-curve": openssl_client("-tls1_2", "-groups", "P-384", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "gnutls": ["gnutls-cli", "--insecure", "--port", "{port}", "127.0.0.1"],
    "gnutls-rsa": ["gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:+RSA", "--port", "{port}", "127.0.0.1"],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_answer_is_what_happens(certs, client):
    path = certs / "hello"
    path.write_bytes(hello_of(CLIENTS[client]))
    for kinds in (("rsa",), ("ec",), ("rsa", "ec")):
        said = answer("--hello", path, "--with", *(certs / f"{k}.crt" for k in kinds))["works"]
        assert said == served_by_openssl(certs, kinds, CLIENTS[client]), (client, kinds)
