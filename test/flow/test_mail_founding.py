"""The case that torhaus was made for: a certificate was renewed as ECDSA, and a large partner whose servers verify only RSA came in
plaintext ever after. Here the log says so at once, with proof of the remedy, and the remedy needs no restart."""

import re

import pytest

from conftest import wait_for
from gateway import HOSTNAME, gateway, mail_events
from mails import MAILS
from pair import make_pair
from partner import PARTNER, SUITES, partner_hello
from smtp import Backend, Piped, Smtp


def come_with_tls(t):
    """STARTTLS and the hello: the alert that comes back."""
    with Smtp(t.mail) as c:
        c.ehlo(PARTNER)
        assert c.ask("STARTTLS").code == 220
        c.send(partner_hello())
        return c.sock.recv(100)


def come_in_plaintext(t):
    with Smtp(t.mail) as c:
        c.ehlo(PARTNER)
        assert c.ask("MAIL FROM:<someone@partner.test>").code == 250
        return c.ask("RCPT TO:<recipient@example.test>")


def deliver_as_partner(t):
    """The same suites in a real client, as far as OpenSSL 3 has them."""
    with Piped(["openssl", "s_client", "-quiet", "-starttls", "smtp", "-connect", f"127.0.0.1:{t.mail[1]}", "-tls1_2",
                "-cipher", ":".join(SUITES)]) as c:
        if c.ehlo(PARTNER) is None:
            return None
        return c.mail(MAILS["short"], "someone@partner.test", ["recipient@example.test"])


@pytest.fixture
def case():
    with Backend() as backend:
        yield backend


def failed_peers(t):
    return t.run("mail", "peers", "--failed", check=False).stdout


def test_the_founding_case(make_torhaus, case):
    t = gateway(make_torhaus, case, "--tls", "require", certificates=("ec",))
    pid = t.json("status")["worker_pid"]

    assert come_with_tls(t)[:1] == b"\x15"                  # handshake failure
    assert deliver_as_partner(t) is None
    wait_for(lambda: PARTNER in [e["helo"] for e in mail_events(t, "tls-failed")], what="the cause in the log")
    refusal = come_in_plaintext(t)
    assert refusal.code == 450 and "TLS-NO-RSA-CERT" in refusal.text

    log = t.logs()
    failed = next(part for part in log.split(" mail tls-failed ") if f"helo={PARTNER} " in part.split("\n")[0])
    assert all(suite in failed.split("\n")[0] for suite in SUITES)
    assert "cause:  The peer can only verify RSA certificates (14 suites offered, all with RSA authentication, TLS 1.2 at most)" in failed
    proof = "Replayed against the same settings plus an RSA certificate, this ClientHello succeeds with ECDHE-RSA-AES256-GCM-SHA384."
    assert f"remedy: Serve an RSA certificate beside the ECDSA one. {proof}" in failed
    assert re.search(r"followed: \d+ s later the same peer came without TLS and was deferred for recipient@example.test", log)

    said = wait_for(lambda: (out := failed_peers(t)) and "refused without TLS: 1" in out and out, what="the peer in `mail peers --failed`")
    said = said[said.index(PARTNER):].split("\n\n")[0]
    assert "TLS-NO-RSA-CERT" in said and "14 suites" in said and proof in said
    assert all(suite in said for suite in SUITES)
    report = t.run("mail", "report", "--domain", "example.test").stdout
    assert "<someone@partner.test>" in report and "TLS-NO-RSA-CERT" in report
    assert not case.mails

    make_pair(t.certs, "rsa", "rsa", names=(HOSTNAME,))
    wait_for(lambda: (reply := deliver_as_partner(t)) and reply.code == 250, what="the partner's mail")
    assert case.done[0].content.endswith(MAILS["short"])
    assert b"ECDHE-RSA-AES256-GCM-SHA384" in case.done[0].content
    assert t.json("status")["worker_pid"] == pid and t.json("status")["worker_restarts"] == 0


def test_explain_says_it_in_both_languages(make_torhaus):
    t = make_torhaus()
    assert "RSA" in t.run("explain", "TLS-NO-RSA-CERT").stdout
    german = t.run("--lang", "de", "explain", "TLS-NO-RSA-CERT").stdout
    assert "RSA" in german and german != t.run("explain", "TLS-NO-RSA-CERT").stdout
