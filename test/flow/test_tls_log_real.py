"""`torhaus tls log` on what Postfix and Exim (with GnuTLS) really write: as a server with an ECDSA certificate only, as in the founding
story, and as a client of servers whose TLS fails."""

import ssl

import pytest

from client import any_certificate
from conftest import wait_for
from mta import Exim, Postfix, Postscreen
from pair import make_pair
from smtp import Backend, Smtp, deliver
from test_tls import RSA_ONLY
from test_tls_log import peers, run

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
MAIL = b"Subject: x\r\n\r\nx\r\n"
OLD, REFUSED, GOOD, LEFT, MISTRUSTING = (f"127.0.0.{n}" for n in (11, 12, 13, 14, 15))


def log_of(mta):
    return mta.root / ("var/log/mail.log" if isinstance(mta, Postfix) else "var/log/exim4/mainlog")


@pytest.fixture(params=[Postfix, Exim])
def mta(request, tmp_path):
    make_pair(tmp_path, "ec", "ec")
    lines = "smtpd_tls_loglevel = 1" if request.param is Postfix else ""
    with request.param(name="mx.example.test", certificate=(tmp_path / "ec.crt", tmp_path / "ec.key"), lines=lines) as m:
        m.failed = "starttls=0/1" if request.param is Postfix else "TLS error on connection from"
        yield m


def fail(mta, source, context):
    with Smtp((mta.address, mta.port), source) as c:
        c.ehlo()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            c.starttls(context)


def written(mta, failures):
    """What is told once the log has the last line of each failure; some are written after their connection's end."""
    wait_for_failures(mta, failures)
    return peers(log_of(mta))[1]


def wait_for_failures(mta, failures):
    """A server's process of its own writes each connection: what comes next must not be in the log before it."""
    wait_for(lambda: log_of(mta).read_text().count(mta.failed) == failures, what="the lines", seconds=30)


def test_the_founding_story(mta):
    at = mta.address, mta.port
    old = any_certificate(V12, RSA_ONLY)
    fail(mta, OLD, old)
    wait_for_failures(mta, 1)
    assert deliver(at, MAIL, source=OLD).code == 250          # at once
    fail(mta, REFUSED, old)
    wait_for_failures(mta, 2)
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
    assert f"[{OLD}]\n    failed: 1 inbound, 0 outbound" in run(log_of(mta))


@pytest.mark.parametrize("level", [0, 2, 4])
def test_postfix_at_every_loglevel(tmp_path, level):
    """The same story, though only the end of a connection tells of TLS at level 0; with clients' ports, too."""
    make_pair(tmp_path, "ec", "ec")
    with Postfix(name="mx.example.test", certificate=(tmp_path / "ec.crt", tmp_path / "ec.key"),
                 lines=f"smtpd_tls_loglevel = {level}\nsmtpd_client_port_logging = yes") as m:
        m.failed = "starttls=0/1"
        fail(m, OLD, any_certificate(V12, RSA_ONLY))
        assert deliver((m.address, m.port), MAIL, source=OLD).code == 250
        fail(m, REFUSED, any_certificate(V12, RSA_ONLY))
        with Smtp((m.address, m.port), REFUSED) as c:
            c.ehlo()
            assert c.ask("MAIL FROM:<a@client.test>").code == 250
            assert c.ask("RCPT TO:<secret@example.test>").code in (450, 550)
            c.ask("QUIT")
        assert deliver((m.address, m.port), MAIL, any_certificate(V13), source=GOOD).code == 250
        m.wait_for_mails(2)
        wait_for(lambda: f"[{GOOD}]" in log_of(m).read_text().split("disconnect from ")[-1], what="the end of the last connection", seconds=30)
        seen = written(m, 2)
    assert (seen[OLD]["failures_inbound"], seen[OLD]["fallbacks"], seen[OLD]["mails_inbound_clear"]) == (1, 1, 1), seen[OLD]
    assert seen[OLD]["reason"].endswith("no shared cipher"), seen[OLD]
    assert (seen[REFUSED]["failures_inbound"], seen[REFUSED]["fallbacks"], seen[REFUSED]["refusals"]) == (1, 1, 1), seen[REFUSED]
    good = seen[GOOD]
    assert good["mails_inbound"] == 1 and good["secured"], good
    assert good["mails_inbound_clear"] == good["mails_inbound_untold"] == good["failures_inbound"] == good["fallbacks"] == 0, good


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


def test_postscreen(tmp_path):
    """A new client fails at tlsproxy, comes without TLS (450: it is being tested), and comes again: postscreen lets it in."""
    make_pair(tmp_path, "ec", "ec")
    certificate = tmp_path / "ec.crt", tmp_path / "ec.key"
    with Postscreen(name="mx.example.test", certificate=certificate, lines="smtpd_tls_loglevel = 1") as m:
        m.failed = "TLS handshake failed for service=smtpd"
        at = m.address, m.port
        fail(m, OLD, any_certificate(V12, RSA_ONLY))
        for source, context in ((OLD, None), (GOOD, any_certificate(V13))):
            with Smtp(at, source) as c:
                c.ehlo()
                if context:
                    c.starttls(context)
                assert c.ask("MAIL FROM:<a@client.test>").code == 250
                assert c.ask("RCPT TO:<box@example.test>").code == 450
                c.ask("QUIT")
        fail(m, MISTRUSTING, ssl.create_default_context())
        with Smtp(at, LEFT) as c:
            c.ehlo()
            assert c.ask("STARTTLS").code == 220
        wait_for(lambda: log_of(m).read_text().count("PASS NEW") == 2, what="clients that are let in", seconds=30)
        assert deliver(at, MAIL, source=OLD).code == 250
        m.wait_for_mails()
        seen = written(m, 3)
    old = seen[OLD]
    assert old["failures_inbound"] == 1 and old["reason"].endswith("no shared cipher") and old["tls"] == [], old
    assert [(c["code"], c["guess"]) for c in old["causes"]] == [("TLS-HANDSHAKE-FAILED", True)]
    assert old["fallbacks"] == 1 and old["refusals"] == 0 and old["mails_inbound_clear"] == 1, old
    assert [c["code"] for c in seen[MISTRUSTING]["causes"]] == ["TLS-CERT-CA-UNKNOWN"], seen[MISTRUSTING]
    assert [c["code"] for c in seen[LEFT]["causes"]] == ["TLS-PEER-LEFT-AT-CERT"], seen[LEFT]
    good = seen[GOOD]
    assert good["failures_inbound"] == good["fallbacks"] == good["mails_inbound"] == good["mails_inbound_clear"] == 0, good
    assert [(t["version"], t["key"], t["inbound"]) for t in good["tls"]] == [("TLSv1.3", "ECDSA", 1)]


@pytest.fixture(params=[Postfix, Exim])
def send(request, tmp_path):
    """Sends a mail from Postfix or Exim to a backend; what is told of the backend when done() is true."""
    make_pair(tmp_path, "ec", "ec")

    def run_one(must, prepare, done, lines=""):
        with Backend(certificate=(tmp_path / "ec.crt", tmp_path / "ec.key"), address="127.0.0.16") as backend:
            prepare(backend)
            with request.param(relay=(backend.address, backend.port), tls_to_relay="must" if must else "may", lines=lines) as m:
                assert deliver((m.address, m.port), MAIL, source=GOOD).code == 250
                wait_for(lambda: done(backend, log_of(m).read_text()), what="the delivery", seconds=30)
                m.kill()        # retries end
                return peers(log_of(m))[1][backend.address]
    run_one.mta = request.param
    return run_one


def hang_up(backend):
    backend.at("handshake", close=True)


def offer_nothing(backend):
    backend.extensions.remove("STARTTLS")


def refuse(backend):
    backend.at("STARTTLS", "454 4.7.0 TLS not available")


def delivered(backend, log):
    return backend.done and ("status=sent" in log or " => " in log)


def deferred(backend, log):
    return "status=deferred" in log or " == " in log


def test_our_delivery_falls_back(send):
    """As both do unless told otherwise."""
    told = send(False, hang_up, delivered)
    assert told["failures_outbound"] >= 1 and told["failures_inbound"] == 0, told
    assert [(c["code"], c["guess"]) for c in told["causes"]] == [("TLS-PEER-LEFT-AT-CERT", True)], told
    assert told["fallbacks_outbound"] == 1 and told["mails_outbound_clear"] == 1 and told["mails_outbound"] == 0, told
    assert told["fallbacks"] == 0 and told["host"] is None, told


def test_our_delivery_waits_for_tls(send):
    told = send(True, hang_up, deferred)
    assert told["failures_outbound"] >= 1 and told["fallbacks_outbound"] == told["mails_outbound_clear"] == 0, told
    assert [c["code"] for c in told["causes"]] == ["TLS-PEER-LEFT-AT-CERT"], told


@pytest.mark.parametrize("prepare", [offer_nothing, refuse])
def test_there_is_no_tls_to_be_had(send, prepare):
    told = send(True, prepare, deferred)
    assert told["failures_outbound"] >= 1 and told["fallbacks_outbound"] == told["mails_outbound_clear"] == 0, told
    assert [c["code"] for c in told["causes"]] == ["TLS-NOT-OFFERED"], told


def test_tls_by_tlsproxy(tmp_path):
    """Postfix's connections that are used again: two programs tell of one handshake."""
    make_pair(tmp_path, "ec", "ec")

    class Reusing(Postfix):
        extra = "tlsproxy unix - - n - 0 tlsproxy"

    with Backend(certificate=(tmp_path / "ec.crt", tmp_path / "ec.key"), address="127.0.0.16") as backend:
        with Reusing(relay=(backend.address, backend.port), lines="smtp_tls_connection_reuse = yes") as m:
            assert deliver((m.address, m.port), MAIL, source=GOOD).code == 250
            wait_for(lambda: "status=sent" in log_of(m).read_text(), what="the delivery", seconds=30)
            backend.at("handshake", close=True)
            assert deliver((m.address, m.port), MAIL, source=GOOD).code == 250
            wait_for(lambda: log_of(m).read_text().count("status=sent") == 2, what="the delivery", seconds=30)
            told = peers(log_of(m))[1][backend.address]
    assert told["mails_outbound"] == told["mails_outbound_clear"] == told["fallbacks_outbound"] == 1, told
    assert [(t["version"], t["key"], t["outbound"]) for t in told["tls"]] == [("TLSv1.3", "ECDSA", 1)], told
    assert told["failures_outbound"] == 2, told         # Postfix tries twice
    assert [c["code"] for c in told["causes"]] == ["TLS-PEER-LEFT-AT-CERT"], told
