"""torhaus tls scan by names: a signed zone, TLSA records, MX names, MTA-STS policies."""

import hashlib
import http.server
import socket
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from fleet import Fleet, Kit, codes, context_of
from signed_zone import SignedZone
from test_survey import lines, scan

# Policies are served on port 443 of one address: by one process at a time.
pytestmark = pytest.mark.xdist_group("port 443")

MX1, MX2 = "127.60.32.1", "127.60.208.1"  # of the kinds both and wrongname


def spki_digest(pair):
    key = x509.load_pem_x509_certificate(pair.read_bytes()).public_key()
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@pytest.fixture
def kit(tmp_path):
    return Kit(tmp_path, name="mx1.fleet.example")


@pytest.fixture
def fleet(kit):
    with Fleet([kit.make("both"), kit.make("wrongname")]) as fleet:
        yield fleet


def scan_zone(kit, fleet, records, *args, broken=()):
    """By kind of line: {"torhaus.tls-scan/1": {name: …}, …}"""
    with SignedZone(kit.ca.dir, records=records, broken=broken) as zone:
        done = scan("--json", "--quick", "--resolver", zone.address, "--anchor", zone.anchor, "--port", fleet.port, *args,
                    kit=kit)
    results = {}
    for line in lines(done):
        results.setdefault(line["schema"], {})[line.get("host") or line.get("domain")] = line
    return results, done


def scan_hosts(*args, **options):
    results, _ = scan_zone(*args, **options)
    return results["torhaus.tls-scan/1"]


def test_names_and_certificates(kit, fleet):
    results = scan_hosts(kit, fleet, {"mx1": [f"A {MX1}"], "mx2": [f"A {MX2}"]}, "mx1.fleet.example", "mx2.fleet.example",
                         "mx3.fleet.example")
    assert codes(results["mx1.fleet.example"]) == set()
    assert codes(results["mx2.fleet.example"]) == {"TLS-CERT-NAME"}
    assert results["mx3.fleet.example"]["verdict"] == "unresolved"
    assert all(c["name_fits"] for c in results["mx1.fleet.example"]["certificates"])
    assert "tlsa" not in results["mx1.fleet.example"]


@pytest.mark.parametrize("covered, fits", [(("rsa", "ecdsa"), {True}), (("rsa",), {True, False}), ((), {False})])
def test_tlsa_covers_every_certificate(kit, fleet, covered, fits):
    records = [f"TLSA 3 1 1 {spki_digest(getattr(kit, k))}" for k in covered] or [f"TLSA 3 1 1 {'00' * 32}"]
    results = scan_hosts(kit, fleet, {"mx1": [f"A {MX1}"], f"_{fleet.port}._tcp.mx1": records}, "mx1.fleet.example")
    result = results["mx1.fleet.example"]
    assert {c["dane"] for c in result["certificates"]} == fits
    assert codes(result) == (set() if fits == {True} else {"TLS-DANE-MISMATCH"})


def test_tlsa_of_the_web_does_not_count_for_mail(kit, fleet):
    results = scan_hosts(kit, fleet, {"mx1": [f"A {MX1}"], f"_{fleet.port}._tcp.mx1": [f"TLSA 1 1 1 {'00' * 32}"]},
                         "mx1.fleet.example")
    assert results["mx1.fleet.example"]["tlsa"] == {"records": 1, "usable": 0, "bogus": False}
    assert codes(results["mx1.fleet.example"]) == set()


def test_proofs_that_fail(kit, fleet):
    tlsa = f"_{fleet.port}._tcp.mx1"
    records = {"mx1": [f"A {MX1}"], tlsa: [f"TLSA 3 1 1 {'00' * 32}"], "mx2": [f"A {MX2}"]}
    results, done = scan_zone(kit, fleet, records, "mx1.fleet.example", "mx2.fleet.example", broken=["mx2", tlsa])
    hosts = results["torhaus.tls-scan/1"]
    assert codes(hosts["mx1.fleet.example"]) == {"SCAN-DNSSEC-BOGUS"}
    assert codes(hosts["mx2.fleet.example"]) == {"SCAN-NO-ADDRESS", "SCAN-DNSSEC-BOGUS"}
    assert hosts["mx2.fleet.example"]["verdict"] == "unresolved" and done.returncode == 1


def test_mx_names(kit, fleet):
    records = {"@": ["MX 20 mx2", "MX 10 mx1"], "mx1": [f"A {MX1}"], "mx2": [f"A {MX2}"], "null": ["MX 0 ."],
               "plain": [f"A {MX1}"]}
    results, _ = scan_zone(kit, fleet, records, "--mx", "Fleet.Example.", "--mx", "null.fleet.example", "--mx",
                           "plain.fleet.example")
    domains = results["torhaus.tls-scan-domain/1"]
    assert domains["fleet.example"]["mx"] == ["mx1.fleet.example", "mx2.fleet.example"]
    assert domains["fleet.example"]["dnssec"] and not domains["fleet.example"]["null_mx"]
    assert domains["null.fleet.example"]["null_mx"] and domains["null.fleet.example"]["mx"] == []
    assert domains["plain.fleet.example"]["mx"] == ["plain.fleet.example"]
    assert set(results["torhaus.tls-scan/1"]) == {"mx1.fleet.example", "mx2.fleet.example", "plain.fleet.example"}


# ---- MTA-STS ----

STS = "127.63.0.1"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: *.fleet.example\r\nmax_age: 86400\r\n"


class PolicyServer:
    """https://mta-sts.fleet.example/.well-known/mta-sts.txt"""

    def __init__(self, kit, policy=POLICY, status=200, type="text/plain", name="mta-sts.fleet.example"):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                assert self.path == "/.well-known/mta-sts.txt" and self.headers["Host"] == "mta-sts.fleet.example"
                self.send_response(status)
                self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(policy)))
                if status == 301:
                    self.send_header("Location", "https://elsewhere.example/")
                self.end_headers()
                self.wfile.write(policy.encode())

            def log_message(self, *_):
                pass

        try:
            self.server = http.server.ThreadingHTTPServer((STS, 443), Handler)
        except OSError:
            pytest.skip("port 443 is not ours to listen on")
        self.server.socket = context_of(kit.ca.issue("ecdsa", name)).wrap_socket(self.server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def scan_policy(kit, fleet, txt='TXT "v=STSv1; id=20260101;"', mx=("mx1",), **server):
    records = {"@": [f"MX 10 {name}" for name in mx], "mx1": [f"A {MX1}"], "mx2": [f"A {MX2}"], "_mta-sts": [txt],
               "mta-sts": [f"A {STS}"]}
    with PolicyServer(kit, **server):
        results, done = scan_zone(kit, fleet, records, "--mx", "fleet.example")
    return results["torhaus.tls-scan-domain/1"]["fleet.example"], done


def test_a_policy_that_is_kept(kit, fleet):
    domain, done = scan_policy(kit, fleet)
    assert domain["mta_sts"] == {"id": "20260101", "mode": "enforce", "max_age": 86400, "mx": ["*.fleet.example"]}
    assert codes(domain) == set() and done.returncode == 0


@pytest.mark.parametrize("server, code, why", [
    ({"policy": POLICY.replace("*.fleet", "mx9.fleet")}, "SCAN-STS-MX", "does not name it"),
    ({"mx": ("mx2",)}, "SCAN-STS-CERT", "another name"),
    ({"txt": 'TXT "v=STSv1; id=not-an-id;"'}, "SCAN-STS-RECORD", "id"),
    ({"status": 404}, "SCAN-STS-FETCH", "not 200"),
    ({"status": 301}, "SCAN-STS-FETCH", "redirect"),
    ({"type": "text/html"}, "SCAN-STS-FETCH", "text/plain"),
    ({"name": "other.example"}, "SCAN-STS-FETCH", "another name"),
    ({"policy": "<html>"}, "SCAN-STS-POLICY", "colon"),
    ({"policy": "x" * 70000}, "SCAN-STS-FETCH", "too long"),
])
def test_policies_that_are_not(kit, fleet, server, code, why):
    domain, done = scan_policy(kit, fleet, **server)
    assert codes(domain) == {code} and done.returncode == 1
    assert why in domain["findings"][0]["cause"]


def test_a_policy_server_that_is_not_there(kit, fleet):
    with socket.socket() as s:
        s.bind((STS, 0))  # the address is there, the port is not
    results, _ = scan_zone(kit, fleet, {"@": ["MX 10 mx1"], "mx1": [f"A {MX1}"], "mta-sts": ["A 127.63.0.2"],
                                        "_mta-sts": ['TXT "v=STSv1; " "id=1"']}, "--mx", "fleet.example")
    domain = results["torhaus.tls-scan-domain/1"]["fleet.example"]
    assert codes(domain) == {"SCAN-STS-FETCH"} and "refused" in domain["findings"][0]["cause"]
