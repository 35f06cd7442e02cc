"""`torhaus tls log` on what Postfix and Exim (with GnuTLS) really write: a server with an ECDSA certificate only, as in the founding story."""

import ssl

import pytest

from client import any_certificate
from conftest import wait_for
from mta import Exim, Postfix
from pair import make_pair
from smtp import Smtp, deliver
from test_tls import RSA_ONLY
from test_tls_log import peers, run

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
MAIL = b"Subject: x\r\n\r\nx\r\n"
OLD, REFUSED, GOOD, LEFT, MISTRUSTING = (f"127.0.0.{n}" for n in (11, 12, 13, 14, 15))


@pytest.fixture(params=[Postfix, Exim])
def mta(request, tmp_path):
    make_pair(tmp_path, "ec", "ec")
    lines = "smtpd_tls_loglevel = 1" if request.param is Postfix else ""
    with request.param(name="mx.example.test", certificate=(tmp_path / "ec.crt", tmp_path / "ec.key"), lines=lines) as m:
        m.log = m.root / ("var/log/mail.log" if request.param is Postfix else "var/log/exim4/mainlog")
        m.failed = "starttls=0/1" if request.param is Postfix else "TLS error on connection from"
        yield m


def fail(mta, source, context):
    with Smtp((mta.address, mta.port), source) as c:
        c.ehlo()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            c.starttls(context)


def written(mta, failures):
    """What is told once the log has the last line of each failure; some are written after their connection's end."""
    wait_for(lambda: mta.log.read_text().count(mta.failed) == failures, what="the lines", seconds=30)
    return peers(mta.log)[1]


def test_the_founding_story(mta):
    at = mta.address, mta.port
    old = any_certificate(V12, RSA_ONLY)
    fail(mta, OLD, old)
    assert deliver(at, MAIL, source=OLD).code == 250          # at once
    fail(mta, REFUSED, old)
    with Smtp(at, REFUSED) as c:
        c.ehlo()
        assert c.ask("MAIL FROM:<a@client.test>").code == 250
        assert c.ask("RCPT TO:<secret@example.test>").code in (450, 550)
        c.ask("QUIT")
    assert deliver(at, MAIL, any_certificate(V13), source=GOOD).code == 250
    assert deliver(at, MAIL, any_certificate(V12), source=GOOD).code == 250
    mta.wait_for_mails(3)

    seen = written(mta, 2)
    for source in (OLD, REFUSED):
        p = seen[source]
        assert p["failures_inbound"] == 1 and p["failures_outbound"] == 0 and p["tls"] == [], p
        assert [(c["code"], c["guess"], c["count"]) for c in p["causes"]] == [("TLS-HANDSHAKE-FAILED", True, 1)], p
        assert "key type, suites or curves" in p["causes"][0]["why"]
        assert p["fallbacks"] == 1 and p["fallback_after_s"] is not None, p
    assert seen[OLD]["mails_inbound_clear"] == 1 and seen[OLD]["refusals"] == 0
    assert seen[REFUSED]["mails_inbound_clear"] == 0 and seen[REFUSED]["refusals"] == 1
    assert seen[REFUSED]["refused_for"] == "secret@example.test" and "ncryption" in seen[REFUSED]["refused_with"]
    good = seen[GOOD]
    assert good["mails_inbound"] == 2 and good["mails_inbound_clear"] == good["failures_inbound"] == good["fallbacks"] == 0
    assert [(t["version"][-3:], t["key"], t["inbound"]) for t in good["tls"]] == [("1.3", "ECDSA", 1), ("1.2", "ECDSA", 1)]
    for t, cipher in zip(good["tls"], ("AES_256_GCM", "AES256-GCM" if isinstance(mta, Postfix) else "AES_256_GCM")):
        assert cipher in t["suite"], good
    assert f"[{OLD}]  failed 1 inbound" in run(mta.log)


def test_other_ends_of_a_handshake(mta):
    fail(mta, MISTRUSTING, ssl.create_default_context())
    with Smtp((mta.address, mta.port), LEFT) as c:
        c.ehlo()
        assert c.ask("STARTTLS").code == 220
    seen = written(mta, 2)
    assert seen[MISTRUSTING]["failures_inbound"] == seen[LEFT]["failures_inbound"] == 1
    assert [c["code"] for c in seen[LEFT]["causes"]] == ["TLS-PEER-LEFT-AT-CERT"], seen[LEFT]
    # GnuTLS cannot read the alert of an OpenSSL client of TLS 1.3.
    refused = "TLS-CERT-CA-UNKNOWN" if isinstance(mta, Postfix) else "TLS-CERT-REFUSED"
    assert [(c["code"], c["guess"]) for c in seen[MISTRUSTING]["causes"]] == [(refused, True)], seen[MISTRUSTING]
