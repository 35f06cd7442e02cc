"""`torhaus cert predict --scan`: the servers of a survey, taken for clients that know what they accept."""

import json
import ssl
import subprocess

import pytest

from conftest import PROGRAM
from fleet import Fleet, Kit, Server, by_openssl, context_of
from pair import make_pair

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
MODERN, OLD_RSA, OLD_ECDSA, P384, MUSEUM, MASKED = (f"127.66.{n}.1" for n in range(6))


def torhaus(*args, status):
    done = subprocess.run([PROGRAM, "--config", "/nonexistent", *map(str, args)], text=True, capture_output=True, timeout=120)
    assert done.returncode == status and "Sanitizer" not in done.stderr, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def prediction(*args, status):
    return json.loads(torhaus("cert", "predict", "--json", *args, status=status))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    for kind in ("rsa", "ec"):
        make_pair(folder, kind, kind)
    return folder / "rsa.crt", folder / "ec.crt"


def line(**changes):
    return json.dumps({"schema": "torhaus.tls-scan/1", "host": "mx.example.net", "address": "192.0.2.1", "port": 25, "starttls": "smtp",
                       "verdict": "tls", "asked_at": 1790000000, "versions": {"TLS 1.2": True}, "full": True,
                       "suites": ["ECDHE-RSA-AES128-GCM-SHA256"], **changes}) + "\n"


def servers(kit):
    p384 = context_of(kit.rsa, lowest=V13)
    p384.set_ecdh_curve("secp384r1")
    at = {MODERN: kit.context("rsa"), OLD_RSA: context_of(kit.rsa, highest=V12), OLD_ECDSA: context_of(kit.ecdsa, highest=V12), P384: p384}
    masked = kit.make("masked")
    masked.address = MASKED
    return [Server("mx", address, "both", by_openssl(context)) for address, context in at.items()] + [masked]


@pytest.fixture(scope="module", params=[[], ["--quick"]], ids=["full", "quick"])
def scan(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    kit = Kit(folder)
    with Fleet(servers(kit)) as fleet:
        text = torhaus("tls", "scan", "--json", *request.param, "--ca", kit.ca.file, *fleet.targets(), status=1)
    museum = line(host=MUSEUM, address=MUSEUM, versions={"TLS 1.0": True, "TLS 1.2": False}, suites=["RC4-MD5", "DES-CBC3-SHA"])
    (folder / "scan.json").write_text(text + museum)
    return folder / "scan.json"


def broken(said):
    return {b["address"]: b["cause"]["code"] for b in said["breakers"]}


def test_who_would_break(scan, pairs):
    """One key type goes: those fail that know only suites of it and no TLS 1.3, whatever key the others have themselves."""
    rsa, ec = pairs
    said = prediction("--scan", scan, "--without", rsa, "--with", ec, status=1)
    assert said["source"] == "scan" and said["approximation"] and said["keeping_old_helps"]
    assert broken(said) == {OLD_RSA: "TLS-NO-RSA-CERT"}
    # The museum's RC4 and 3DES fail already; who masks STARTTLS told nothing.
    assert (said["peers"], said["failing"], said["mails_30d"]) == (5, 2, 0)
    said = prediction("--scan", scan, "--without", ec, "--with", rsa, status=1)
    assert broken(said) == {OLD_ECDSA: "TLS-NO-ECDSA-CERT"} and said["failing"] == 2
    assert broken(prediction("--scan", scan, "--without", rsa, "--without", ec, "--with", rsa, ec, status=0)) == {}


def test_it_says_what_it_is(scan, pairs):
    rsa, ec = pairs
    change = "--scan", scan, "--without", rsa, "--with", ec
    text = torhaus("cert", "predict", *change, status=1)
    for part in ("An approximation: 5 of 6 scanned servers, judged by what they accept as servers, not by what they send as clients",
                 "1 of the servers would probably no longer get through as clients.", OLD_RSA, "TLS-NO-RSA-CERT",
                 "Nobody breaks if the old certificates stay"):
        assert part in text, text
    text = torhaus("--lang", "de", "cert", "predict", *change, status=1)
    assert "nicht nach dem, was sie als Clients senden" in text and "kämen als Clients wohl nicht mehr durch" in text


NOTHING = {"no suites": {"suites": []}, "unknown suites": {"suites": ["X", "", "0x", 7, None]}, "no versions": {"versions": {}},
           "versions of another kind": {"versions": ["TLS 1.2"]}, "SSL 2 only": {"versions": {"SSL 2": True}},
           "suites of another version": {"suites": ["TLS_AES_128_GCM_SHA256"]}}


@pytest.mark.parametrize("changes", NOTHING.values(), ids=NOTHING)
def test_lines_that_tell_nothing(tmp_path, pairs, changes):
    (tmp_path / "scan.json").write_text(line(**changes))
    assert prediction("--scan", tmp_path / "scan.json", "--without", pairs[0], "--with", pairs[1], status=5)["peers"] == 0


STRANGE = {"lists of another kind": {"groups": "X25519", "signatures": {"a": 1}, "address": 7, "asked_at": "x", "certificates": 3},
           "unknown names": {"groups": ["none"], "signatures": ["none", None, 3]},
           "long lists": {"suites": ["ECDHE-RSA-AES128-GCM-SHA256"] + [f"0x{n:04x}" for n in range(0x1000, 0x1400)],
                          "groups": ["X25519"] * 5000, "signatures": ["rsa_pkcs1_sha256"] * 5000}}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
def test_strange_lines(tmp_path, pairs, changes):
    (tmp_path / "scan.json").write_text(line(**changes))
    said = prediction("--scan", tmp_path / "scan.json", "--without", pairs[0], "--with", pairs[1], status=1)
    assert [b["cause"]["code"] for b in said["breakers"]] == ["TLS-NO-RSA-CERT"], said


def test_files_that_are_no_scan(tmp_path, pairs):
    rsa, ec = pairs
    for text in ("", "{}", "x\n", json.dumps({"schema": "torhaus.tls-log/1"}) + "\n"):
        (tmp_path / "none.json").write_text(text)
        torhaus("cert", "predict", "--scan", tmp_path / "none.json", "--without", rsa, "--with", ec, status=2)
    torhaus("cert", "predict", "--scan", tmp_path / "gone.json", "--without", rsa, "--with", ec, status=2)
    (tmp_path / "scan.json").write_text(line())
    torhaus("cert", "predict", "--scan", tmp_path / "scan.json", "--with", ec, status=2)
    torhaus("cert", "predict", "--scan", tmp_path / "scan.json", "--log", tmp_path / "scan.json", "--without", rsa, status=2)
