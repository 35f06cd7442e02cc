"""Certificates in service: RSA and ECDSA side by side, swapped while connections live, never replaced by something broken."""

import datetime
import hashlib
import json
import socket
import ssl
import struct
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from client import Connection, any_certificate
from conftest import Torhaus, wait_for
from origin import Origin
from pair import fingerprint, make_pair

RSA_ONLY = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
ECDSA_ONLY = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"


def expired_pair(crt, key):
    secret = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.test")])
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=20))
                   .not_valid_after(now - datetime.timedelta(days=1))
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.test")]), False)
                   .sign(secret, hashes.SHA256()))
    key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
    crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def served(t, ciphers=None, version=None, sni="example.test"):
    context = any_certificate(version, ciphers)
    with t.connect_tls(context, sni=sni) as c:
        return hashlib.sha256(c.sock.getpeercert(binary_form=True)).hexdigest()


@pytest.fixture
def both(make_torhaus, origin):
    origin.on("/", headers={"Cache-Control": "max-age=60"}, body=b"page")
    t = make_torhaus()
    t.rsa = make_pair(t.certs, "rsa", "rsa")
    t.ec = make_pair(t.certs, "ec", "ec")
    t.add("example.test", origin.url)
    t.start()
    return t


def test_both_key_types_for_one_name(both):
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    assert served(both, RSA_ONLY, v12) == both.rsa
    assert served(both, ECDSA_ONLY, v12) == both.ec
    assert served(both, version=v13) in (both.rsa, both.ec)
    for option, expected in (("RSA-PSS+SHA256:RSA+SHA256", both.rsa), ("ECDSA+SHA256", both.ec)):
        out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{both.tls_port}", "-servername", "example.test",
                              "-tls1_3", "-sigalgs", option], input="", capture_output=True, text=True).stdout
        assert fingerprint_of_text(out) == expected
    with both.connect_tls() as c:
        assert c.request("/").body == b"page"


def fingerprint_of_text(text):
    pem = "-----BEGIN CERTIFICATE-----" + text.split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem + "-----END CERTIFICATE-----\n")).hexdigest()


def test_gnutls_client(both):
    done = subprocess.run(["gnutls-cli", "--insecure", "--sni-hostname=example.test", "-p", str(both.tls_port), "127.0.0.1"],
                          input="GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n", capture_output=True, text=True,
                          timeout=20)
    assert "200 OK" in done.stdout and "page" in done.stdout


def test_swap_without_touching_a_connection(both):
    with both.connect_tls() as old:
        assert old.request("/").status == 200
        new = make_pair(both.certs, "rsa", "rsa", key="next")
        wait_for(lambda: served(both, RSA_ONLY, ssl.TLSVersion.TLSv1_2) == new, seconds=10, what="the new certificate")
        assert served(both, ECDSA_ONLY, ssl.TLSVersion.TLSv1_2) == both.ec
        assert old.request("/").status == 200
    wait_for(lambda: "cert-served" in both.logs(), what="the proof in the log")


FAULTY = ["garbage", "mismatch", "expired", "weak"]


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_pair_replaces_nothing(both, kind, tmp_path):
    crt, key = both.certs / "rsa.crt", both.certs / "rsa.key"
    spare = tmp_path / "spare"
    spare.mkdir()
    if kind == "garbage":
        crt.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        code = "CERT-BAD-FILE"
    elif kind == "mismatch":
        make_pair(spare, "other", "rsa", key="next")
        key.write_text((spare / "other.key").read_text())
        code = "CERT-KEY-MISMATCH"
    elif kind == "expired":
        expired_pair(crt, key)
        code = "CERT-EXPIRED"
    else:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=example.test", "-addext",
                        "subjectAltName=DNS:example.test", "-keyout", key, "-out", crt], check=True, capture_output=True)
        code = "CERT-KEY-TOO-SMALL"
    wait_for(lambda: f"code={code}" in both.logs(), what=code)
    assert served(both, RSA_ONLY, ssl.TLSVersion.TLSv1_2) == both.rsa
    assert served(both, ECDSA_ONLY, ssl.TLSVersion.TLSv1_2) == both.ec
    listed = both.run("cert", "check", check=False)
    assert listed.returncode == 1 and code in listed.stdout + listed.stderr


def test_key_type_change_is_told(make_torhaus, origin):
    """The founding story: a renewal changes the key type. It is said at that moment, not days later."""
    t = make_torhaus()
    make_pair(t.certs, "mail", "rsa")
    t.add("example.test", origin.url)
    t.start()
    make_pair(t.certs, "mail", "ec")
    log = wait_for(lambda: "CERT-KEY-TYPE-CHANGED" in t.logs() and t.logs())
    assert "RSA" in log and "ECDSA" in log
    listed = t.run("cert", "list")
    assert "CERT-KEY-TYPE-CHANGED" in listed.stdout and "side by side" in listed.stdout
    assert "CERT-KEY-TYPE-CHANGED" in [f["code"] for f in t.json("cert", "list")["faults"]]
    checked = t.run("cert", "check", check=False)
    assert checked.returncode == 1 and "CERT-KEY-TYPE-CHANGED" in checked.stdout + checked.stderr


def test_names(make_torhaus, origin):
    t = make_torhaus()
    exact = make_pair(t.certs, "a", names=("a.example.test",))
    wild = make_pair(t.certs, "wild", names=("*.example.test", "example.test"))
    t.add("example.test", origin.url)
    t.start()
    assert served(t, sni="a.example.test") == exact
    assert served(t, sni="b.example.test") == wild and served(t, sni="example.test") == wild
    assert served(t, sni="x.y.example.test") == exact and served(t, sni="elsewhere.test") == exact, "the default"
    assert served(t, sni="A.Example.TEST") == exact


def session_reused(t, session_file, save):
    args = ["openssl", "s_client", "-connect", f"127.0.0.1:{t.tls_port}", "-servername", "example.test", "-tls1_2",
            "-sess_out" if save else "-sess_in", session_file]
    out = subprocess.run(args, input="", capture_output=True, text=True).stdout
    return "\nReused, " in out


def test_sessions_survive_a_worker_restart(both, tmp_path):
    session = tmp_path / "session"
    assert not session_reused(both, session, save=True)
    assert session_reused(both, session, save=False)
    pid = both.worker_pid()
    both.kill_worker()
    wait_for(lambda: both.is_serving() and both.worker_pid() != pid)
    assert session_reused(both, session, save=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_good_for_its_own_name_only(both, version):
    context = any_certificate(version)

    def reused(session, sni):
        sock = context.wrap_socket(socket.create_connection(("127.0.0.1", both.tls_port), timeout=20),
                                   server_hostname=sni, session=session)
        with sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n")
            while sock.recv(65536):
                pass
            return sock.session_reused, sock.session

    session = reused(None, "example.test")[1]
    assert reused(session, "other.test")[0] is False
    assert reused(session, "example.test")[0] is True
    assert reused(session, "EXAMPLE.test")[0] is True


def test_old_versions_and_plain_text_are_refused_with_their_reason(both):
    out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{both.tls_port}", "-tls1_1", "-cipher",
                          "ALL:@SECLEVEL=0"], input="", capture_output=True, text=True)
    assert "protocol version" in out.stderr + out.stdout
    with Connection(both.tls_port) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n")
        c.is_closed()
    for code in ("TLS-HTTP", "TLS-PEER-TOO-OLD"):  # the proof of the latter takes its time
        wait_for(lambda: f"code={code}" in both.logs(), what=code)
    assert both.json("status")["counters"]["tls_failed"] >= 2


def test_proxy_protocol_before_tls(make_torhaus, origin):
    origin.on("/", headers={"Cache-Control": "no-store"}, body=b"x")
    t = make_torhaus(web='proxy_from = {"127.0.0.1"}')
    make_pair(t.certs, "site")
    t.add("example.test", origin.url)
    t.start()
    raw = socket.create_connection(("127.0.0.1", t.tls_port))
    raw.sendall(b"PROXY TCP4 203.0.113.7 203.0.113.9 4242 443\r\n")
    tls = any_certificate().wrap_socket(raw, server_hostname="example.test")
    tls.sendall(b"GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n")
    while tls.recv(4096):
        pass
    assert origin.last("/").get("X-Forwarded-For") == "203.0.113.7"
    wait_for(lambda: any(l["client"] == "203.0.113.7" for l in t.access_lines()))


def test_a_new_state_before_the_proxy_header_came(make_torhaus, origin):
    """The domains are replaced twice while a visitor's first bytes are awaited."""
    origin.on("/", headers={"Cache-Control": "no-store"}, body=b"x")
    t = make_torhaus(web='proxy_from = {"127.0.0.1"}')
    make_pair(t.certs, "site")
    t.add("example.test", origin.url)
    t.start()
    raw = [socket.create_connection(("127.0.0.1", t.tls_port)) for _ in range(8)]
    wait_for(lambda: t.json("status")["counters"]["connections"] >= 8)

    def is_known(host):
        with t.connect() as c:
            c.send(b"PROXY UNKNOWN\r\n")
            return c.request("/", host=host).status != 421

    for host in "a.test", "b.test":
        t.add(host, origin.url)
        wait_for(lambda: is_known(host))
    for visitor in raw:
        visitor.sendall(b"PROXY TCP4 203.0.113.7 203.0.113.9 4242 443\r\n")
        tls = any_certificate().wrap_socket(visitor, server_hostname="example.test")
        tls.sendall(b"GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n")
        assert tls.recv(4096).startswith(b"HTTP/1.1 200 ")


def proxy_v2(source, target, command=0x21):
    """A header of the PROXY protocol version 2 for TCP; addresses as (text, port)."""
    family, code = (socket.AF_INET6, 0x21) if ":" in source[0] else (socket.AF_INET, 0x11)
    body = b"".join(socket.inet_pton(family, a) for a, _ in (source, target)) + struct.pack("!HH", source[1], target[1])
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, code]) + struct.pack("!H", len(body)) + body


PROXIED = [("v1, IPv6", b"PROXY TCP6 2001:db8::7 2001:db8::9 4242 80\r\n", "2001:db8::7"),
           ("v1, unknown", b"PROXY UNKNOWN\r\n", "127.0.0.1"),
           ("v2, IPv4", proxy_v2(("203.0.113.7", 4242), ("203.0.113.9", 80)), "203.0.113.7"),
           ("v2, IPv6", proxy_v2(("2001:db8::7", 4242), ("2001:db8::9", 80)), "2001:db8::7"),
           ("v2, a health check of the balancer's own", proxy_v2(("203.0.113.7", 1), ("203.0.113.9", 80), 0x20), "127.0.0.1")]
NO_PROXY = [b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n", b"PROXY TCP4 203.0.113.7\r\n", b"PROXY " + b"x" * 200,
            proxy_v2(("203.0.113.7", 1), ("203.0.113.9", 80), 0x31)]


@pytest.fixture(scope="module")
def behind_a_balancer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("balancer")
    with Origin() as origin:
        origin.on("/", headers={"Cache-Control": "no-store"}, body=b"x")
        t = Torhaus(folder, web='proxy_from = {"127.0.0.1"}')
        t.init_store()
        t.add("example.test", origin.url)
        t.start()
        t.origin = origin
        yield t
        t.stop()


@pytest.mark.parametrize("name,header,client", PROXIED, ids=[p[0] for p in PROXIED])
def test_proxy_headers(behind_a_balancer, name, header, client):
    with behind_a_balancer.connect() as c:
        c.send(header)
        assert c.request("/").status == 200
    assert behind_a_balancer.origin.last("/").get("X-Forwarded-For") == client


@pytest.mark.parametrize("data", NO_PROXY, ids=lambda d: repr(d[:16]))
def test_what_is_no_proxy_header_is_not_served(behind_a_balancer, data):
    with behind_a_balancer.connect() as c:
        c.send(data)
        assert c.is_closed()


def test_a_staple_is_served(make_torhaus, origin, tmp_path):
    """NAME.ocsp beside NAME.crt reaches whoever asks for it."""
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=tmp_path)

    t = make_torhaus()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 9, "-subj", "/CN=CA", "-addext", "keyUsage=keyCertSign",
            "-keyout", "ca.key", "-out", "ca.crt")
    (tmp_path / "names").write_text("subjectAltName=DNS:example.test\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=example.test", "-keyout", "site.key", "-out", "site.csr")
    openssl("x509", "-req", "-in", "site.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", 5, "-extfile",
            "names", "-out", "leaf.crt")
    serial = subprocess.run(["openssl", "x509", "-in", "leaf.crt", "-noout", "-serial"], check=True, capture_output=True,
                            text=True, cwd=tmp_path).stdout.strip().split("=")[1]
    (tmp_path / "index").write_text(f"V\t{datetime.datetime.utcnow():%y}1231235959Z\t\t{serial}\tunknown\t/CN=example.test\n")
    openssl("ocsp", "-issuer", "ca.crt", "-cert", "leaf.crt", "-reqout", "ask")
    openssl("ocsp", "-index", "index", "-CA", "ca.crt", "-rsigner", "ca.crt", "-rkey", "ca.key", "-reqin", "ask", "-respout",
            "staple", "-ndays", 2)
    (t.certs / "site.key").write_bytes((tmp_path / "site.key").read_bytes())
    (t.certs / "site.ocsp").write_bytes((tmp_path / "staple").read_bytes())
    (t.certs / "site.crt").write_text((tmp_path / "leaf.crt").read_text() + (tmp_path / "ca.crt").read_text())
    t.add("example.test", origin.url)
    t.start()
    out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{t.tls_port}", "-servername", "example.test", "-status"],
                         input="", capture_output=True, text=True).stdout
    assert "OCSP Response Status: successful" in out and "Cert Status: good" in out


# ---- what is told about certificates ----

def codes_of(t, *words):
    done = t.run(*words, "--json", check=False)
    faults = json.loads(done.stdout)["faults"]
    return {f["code"]: f for f in faults}


def test_names_without_a_certificate(make_torhaus, origin):
    """The commonest fault of all: a site is there, its certificate is not, and visitors see another's."""
    t = make_torhaus()
    make_pair(t.certs, "a", names=("a.example.test", "www.a.example.test", "*.wild.test", "*.www.wild.test"))
    for name in ("a.example.test", "b.example.test", "www.wild.test"):
        t.add(name, origin.url)
    for running in (False, True):
        if running:
            t.start()
        for words in (("check",), ("doctor",), ("cert", "check"), ("cert", "list")):
            told = codes_of(t, *words)
            assert told["CERT-NAME-MISSING"]["facts"]["names"] == "b.example.test, www.b.example.test", (words, told)
            assert told["CERT-NAME-MISSING"]["facts"]["other"] == "a.example.test"
            assert told["CERT-ALL-SELF-SIGNED"]["facts"]["count"] == "1"
    make_pair(t.certs, "b", names=("b.example.test", "www.b.example.test"), key="next")
    wait_for(lambda: "CERT-NAME-MISSING" not in codes_of(t, "cert", "list"), what="the new certificate")
    assert "CERT-NAME-MISSING" not in codes_of(t, "check")


def test_mail_that_nobody_listens_for(make_torhaus, origin):
    t = make_torhaus()
    make_pair(t.certs, "a", names=("web.test",))
    t.run("domain", "add", "mail.test", "--mail", "127.0.0.1:2525")
    for verb in ("check", "doctor"):
        assert codes_of(t, verb)["MAIL-NOT-LISTENING"]["facts"]["domain"] == "mail.test"
    t.write_conf(settings='mail {\n listen = {"127.0.0.1:0"}\n hostname = "mx.example.test"\n}')
    told = codes_of(t, "check")
    assert "MAIL-NOT-LISTENING" not in told and told["CERT-MAIL-NAME-MISSING"]["facts"]["names"] == "mx.example.test"


def test_keys_and_folders_open_to_all(both):
    (both.certs / "rsa.key").chmod(0o604)
    both.certs.chmod(0o777)
    wait_for(lambda: {"CERT-KEY-EXPOSED", "CERT-FOLDER-OPEN"} <= {f["code"] for f in both.json("status")["faults"]}, what="the status")
    for verb in ("check", "doctor"):
        told = codes_of(both, verb)
        assert told["CERT-KEY-EXPOSED"]["facts"]["file"].endswith("rsa.key") and "CERT-FOLDER-OPEN" in told
    assert "code=CERT-KEY-EXPOSED" in both.logs() and "code=CERT-FOLDER-OPEN" in both.logs()


def test_doctor_with_thousands_of_faulty_files(make_torhaus):
    """Each is told once, and none is compared with all others: the verb's own time is bounded by pytest's."""
    t = make_torhaus()
    for i in range(4000):
        (t.certs / f"{i}.pem").write_text("nothing")
    assert sum(f["code"] == "CERT-BAD-FILE" for f in json.loads(t.run("doctor", "--json", check=False).stdout)["faults"]) == 4000


# ---- protocols, large hellos ----

def test_alpn(both):
    def offer(*protocols):
        context = any_certificate()
        context.set_alpn_protocols(protocols)
        with both.connect_tls(context) as c:
            return c.sock.selected_alpn_protocol()
    assert offer("h2", "http/1.1") == "http/1.1"
    for foreign in ("h2", "smtp", "imap"):
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            offer(foreign)
    wait_for(lambda: "code=TLS-NO-ALPN" in both.logs(), what="the explanation")


def test_a_hello_of_40_kib(both):
    """What is wrong with it is its RC4, not its size."""
    def vector(n, data):
        return len(data).to_bytes(n, "big") + data
    extensions = vector(2, (21).to_bytes(2, "big") + vector(2, bytes(40000)))
    body = b"\x03\x03" + bytes(32) + vector(1, b"") + vector(2, b"\0\5\0\4") + b"\1\0" + extensions
    message = b"\1" + vector(3, body)
    with socket.create_connection(("127.0.0.1", both.tls_port), timeout=10) as s:
        for at in range(0, len(message), 5000):
            s.sendall(b"\x16\3\1" + vector(2, message[at:at + 5000]))
        assert s.recv(7)[:1] == b"\x15"
    wait_for(lambda: "code=TLS-PEER-RC4" in both.logs(), what="the explanation")
