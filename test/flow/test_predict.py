"""`torhaus cert predict`: peers kept from real sessions; those that it names are exactly those that fail when the change is made."""

import json
import pathlib
import re

import pytest

from conftest import wait_for
from gateway import HOSTNAME, gateway
from mails import MAILS
from pair import fingerprint, make_pair
from partner import SUITES
from smtp import Backend, Piped
from test_tls import ECDSA_ONLY, RSA_ONLY

CASES = pathlib.Path(__file__).parent / "cases"
MODERN = "-cipher", "DEFAULT"

# Sending hosts: their EHLO name, and what their library is told.
OPENSSL = {
    "partner.test": ("-tls1_2", "-cipher", ":".join(SUITES)),
    "modern.test": MODERN,
    "rsa-suites.test": ("-tls1_2", "-cipher", RSA_ONLY),
    "ecdsa-suites.test": ("-tls1_2", "-cipher", ECDSA_ONLY),
    "rsa-signatures.test": ("-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
    "ecdsa-signatures.test": ("-tls1_3", "-sigalgs", "ECDSA+SHA256"),
    "rsa-kex.test": ("-tls1_2", "-cipher", "AES128-SHA:AES256-SHA"),
    "dhe.test": ("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"),
    "p384-curve.test": ("-tls1_2", "-groups", "P-384"),
}
GNUTLS = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA"


def deliver(t, name):
    """One mail as that host: did it get through?"""
    if name == "gnutls":
        command = ["gnutls-cli", "--insecure", "--starttls-proto=smtp", "--logfile=/dev/null", "-p", str(t.mail[1]), "127.0.0.1",
                   f"--priority={GNUTLS}"]
    else:
        command = ["openssl", "s_client", "-quiet", "-starttls", "smtp", "-name", name, "-connect", f"127.0.0.1:{t.mail[1]}",
                   *OPENSSL[name]]
    with Piped(command) as c:
        try:
            if c.ehlo(name) is None:
                return False
        except (BrokenPipeError, ConnectionError):
            return False
        reply = c.mail(MAILS["short"])
        assert reply.code == 250, reply
        return True


NAMES = [*OPENSSL, "gnutls"]


def kept(t):
    return {p["helo"]: p for p in t.json("mail", "peers")["peers"]}


def prediction(t, *args):
    done = t.run("cert", "predict", "--json", *args, check=False)
    document = json.loads(done.stdout)
    assert done.returncode == (5 if not document["peers"] else 1 if document["broken"] else 0), done.stderr
    return document


@pytest.fixture
def peers(make_torhaus):
    """A gateway with both key types, to which all have delivered; the partner twice."""
    with Backend() as backend:
        t = gateway(make_torhaus, backend)
        for name in [*NAMES, "partner.test"]:
            assert deliver(t, name), name
        wait_for(lambda: len([p for p in kept(t).values() if p["handshakes"]]) == len(NAMES), what="all peers in the store")
        wait_for(lambda: kept(t)["partner.test"]["mails"] == 2, what="the mails in the store")
        yield t


def helo_of(name, t):
    """gnutls-cli has a name of its own before STARTTLS."""
    if name in OPENSSL:
        return name
    return next(helo for helo, p in kept(t).items() if p["handshakes"] and helo not in OPENSSL)


def made(t, goes):
    """The change, really: the files go, and the running server takes it up."""
    for end in ("crt", "key"):
        (t.certs / f"{goes}.{end}").unlink()
    wait_for(lambda: len(t.json("cert", "list")["pairs"]) == 1, what="the other pair gone")


@pytest.mark.parametrize("goes", ["rsa", "ec"])
def test_the_named_are_exactly_those_that_fail(peers, goes):
    said = prediction(peers, "--without", peers.certs / f"{goes}.crt")
    assert said["source"] == "peers" and not said["approximation"] and said["failing"] == 0
    assert said["keeping_old_helps"]
    named = {b["helo"] for b in said["breakers"]}
    made(peers, goes)
    # The server says so by itself, at the moment of the change.
    first = said["breakers"][0]
    told = wait_for(lambda: re.search(r"cert-change-breaks code=CERT-CHANGE-BREAKS types=(\w+) count=(\d+) mails=(\d+) peer=(\S+)", peers.logs()),
                    what="the prediction in the log").groups()
    assert told == ("ECDSA" if goes == "rsa" else "RSA", str(said["broken"]), str(said["mails_30d"]), first["helo"])
    assert "CERT-CHANGE-BREAKS" in peers.run("doctor", check=False).stdout
    failed = {helo_of(name, peers) for name in NAMES if not deliver(peers, name)}
    assert named == failed
    assert failed                                       # and there are some
    assert len(failed) < len(NAMES)
    if goes == "rsa":
        assert {"partner.test", "rsa-suites.test", "rsa-signatures.test", "rsa-kex.test"} <= failed
        partner = next(b for b in said["breakers"] if b["helo"] == "partner.test")
        assert partner["mails_30d"] == 2 and partner["cause"]["code"] == "TLS-NO-RSA-CERT"
        assert said["breakers"][0] == partner           # the most mail first
        assert "succeeds with ECDHE-RSA-AES256-GCM-SHA384" in partner["cause"]["remedy"]


def test_a_certificate_that_is_not_there_yet(peers, tmp_path):
    """A new certificate without its key: another RSA one breaks nobody, an ECDSA one in its place does; the folders stay as they are."""
    for kind in ("rsa", "ec"):
        make_pair(tmp_path, kind, kind, names=(HOSTNAME,))
        (tmp_path / f"{kind}.key").unlink()
    before = [fingerprint(peers.certs / f"{kind}.crt") for kind in ("rsa", "ec")]
    old = peers.certs / "rsa.crt"
    assert prediction(peers, "--with", tmp_path / "rsa.crt", "--without", old)["broken"] == 0
    said = prediction(peers, "--with", tmp_path / "ec.crt", "--without", old)
    assert said["broken"] >= 4 and said["keeping_old_helps"] and (said["types_now"], said["types_then"]) == ("RSA and ECDSA", "ECDSA")
    text = peers.run("cert", "predict", "--with", tmp_path / "ec.crt", "--without", old, check=False).stdout
    for part in ("would no longer get through", "partner.test", "TLS-NO-RSA-CERT",
                 "Nobody breaks if the old certificates stay in service beside the new ones."):
        assert part in text
    text = peers.run("--lang", "de", "cert", "predict", "--with", tmp_path / "ec.crt", "--without", old, check=False).stdout
    assert "kämen nicht mehr durch" in text and "Niemand scheitert, wenn die alten Zertifikate" in text
    assert before == [fingerprint(peers.certs / f"{kind}.crt") for kind in ("rsa", "ec")]


def test_no_peers_yet_and_a_log_instead(make_torhaus, tmp_path):
    t = make_torhaus()
    for kind in ("rsa", "ec"):
        make_pair(tmp_path, kind, kind, names=(HOSTNAME,))
    rsa, ec = tmp_path / "rsa.crt", tmp_path / "ec.crt"
    assert prediction(t, "--with", ec)["peers"] == 0
    assert "no peers are known yet" in t.run("cert", "predict", "--with", ec, check=False).stdout
    said = prediction(t, "--log", CASES / "exim-main.log", "--without", rsa, "--with", ec)
    assert said["approximation"] and said["source"] == "log" and said["broken"] == 7
    assert {b["cause"]["code"] for b in said["breakers"]} == {"TLS-NO-RSA-CERT"}
    assert prediction(t, "--log", CASES / "exim-main.log", "--without", rsa, "--with", ec, rsa)["broken"] == 0
    text = t.run("cert", "predict", "--log", CASES / "exim-main.log", "--without", rsa, "--with", ec, check=False).stdout
    assert "An approximation" in text and "pphosted.com" in text


def test_misuse(make_torhaus, tmp_path):
    t = make_torhaus()
    for args in ((), ("--log", CASES / "exim-main.log", "--with", "x.crt"), ("--with",), ("--with", "x", "--since", "soon")):
        assert t.run("cert", "predict", *args, check=False).returncode == 2, args
    make_pair(tmp_path, "new", "ec")
    (t.dir / "torhaus.db").unlink()
    assert t.run("cert", "predict", "--with", "x.crt", check=False).returncode == 2
    assert t.run("cert", "predict", "--with", tmp_path / "new.crt", check=False).returncode == 4
