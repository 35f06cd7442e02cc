"""Who came how: `torhaus mail peers` and `torhaus mail report`, fed by real sessions; with and without a running server."""

import datetime
import html.parser
import json
import shutil
import sqlite3
import ssl
import subprocess

import pytest

from client import any_certificate
from conftest import wait_for
from gateway import HOSTNAME, Session, gateway, mail_events
from pair import make_pair
from smtp import Backend, Smtp, deliver

PARTNER = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA"
LETTER = b"Subject: letter\r\n\r\nHello\r\n"


@pytest.fixture
def backend():
    with Backend() as b:
        yield b


def limited(suites=None, maximum=None):
    """A sender with these suites and at most that version."""
    context = any_certificate()
    if maximum:
        context.maximum_version = maximum
    if suites:
        context.set_ciphers(suites)
    return context


def partner():
    """Can verify RSA certificates only, TLS 1.2 at most."""
    return limited(PARTNER, ssl.TLSVersion.TLSv1_2)


def read_json(t, *args):
    return json.loads(t.run(*args, "--json", check=False).stdout)


def peers(t, *options):
    return read_json(t, "mail", "peers", *options)["peers"]


def report(t, *options):
    return read_json(t, "mail", "report", "--domain", "example.test", *options)


def words(text):
    return " ".join(text.split())


def refused_in_the_clear(t, sender="sender@partner.test"):
    with Session(t) as c:
        assert c.ask(f"MAIL FROM:<{sender}>").code == 250
        refusal = c.ask("RCPT TO:<box@example.test>")
    assert refusal.code == 450, refusal
    return refusal


def fail_as_partner(t):
    """An ECDSA certificate only meets a partner that knows RSA only."""
    with Session(t) as c:
        with pytest.raises(ssl.SSLError):
            c.starttls(partner())
    wait_for(lambda: mail_events(t, "tls-failed"), what="the explanation")


def test_the_founding_case(make_torhaus, backend):
    t = gateway(make_torhaus, backend, "--tls", "require", certificates=("ec",))
    fail_as_partner(t)
    assert "TLS-NO-RSA-CERT" in str(refused_in_the_clear(t))
    [peer] = wait_for(lambda: [p for p in peers(t) if p["refusals"]], what="the refusal in the store")
    assert (peer["network"], peer["helo"], peer["address"]) == ("127.0.0.0/24", "client.test", "127.0.0.1")
    assert (peer["handshakes"], peer["failures"], peer["refusals"], peer["mails"]) == (0, 1, 1, 0)
    assert peer["fault"]["code"] == "TLS-NO-RSA-CERT" and peer["proof"] == "ECDHE-RSA-AES256-GCM-SHA384"
    [hello] = peer["hellos"]
    assert hello["suites"] == PARTNER.split(":") and hello["version_max"] == "TLS 1.2" and hello["failed"] == 1
    assert bytes.fromhex(hello["hello"])[:1] == b"\x16"

    shown = t.run("mail", "peers", "--failed", check=False)
    assert shown.returncode == 1
    for part in ("code: TLS-NO-RSA-CERT", "cause: The peer can only verify RSA certificates (4 suites offered",
                 "Replayed against the same settings", f"offers: at most TLS 1.2, 4 suites: {PARTNER.replace(':', ' ')}",
                 "handshakes failed: 1, succeeded: 0; recipients refused without TLS: 1; mails: 0"):
        assert part in words(shown.stdout), part
    assert "Ursache: Die Gegenstelle kann nur RSA-Zertifikate" in t.run("--lang", "de", "mail", "peers", "--failed", check=False).stdout

    # The remedy, without a restart.
    make_pair(t.certs, "rsa", "rsa", names=(HOSTNAME,))
    wait_for(lambda: len(read_json(t, "cert", "list")["pairs"]) == 2, what="the RSA certificate")
    assert deliver(t.mail, LETTER, tls=partner()).code == 250
    [peer] = wait_for(lambda: [p for p in peers(t) if p["mails"]], what="the mail in the store")
    assert (peer["handshakes"], peer["failures"], peer["mails"], peer["mails_clear"]) == (1, 1, 1, 0)
    assert (peer["tls"], peer["suite"], peer["key"]) == ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "RSA")
    assert [(h["succeeded"], h["failed"]) for h in peer["hellos"]] == [(1, 1)]

    told = report(t)
    assert told["policy"]["tls"] == "require" and told["policy"]["exceptions"] == []
    assert (told["mails"]["delivered"], told["mails"]["encrypted"], told["mails"]["without_tls"]) == (1, 1, 0)
    assert told["mails"]["by_tls"] == [{"version": "TLSv1.2", "suite": "ECDHE-RSA-AES256-GCM-SHA384", "mails": 1}]
    assert told["mails"]["by_hop"] == [{"hop": "local", "mails": 1}]
    [refusal] = told["refused"]
    assert (refusal["sender"], refusal["recipient"]) == ("sender@partner.test", "box@example.test")
    assert (refusal["code"], refusal["earlier"]) == ("TLS-PLAINTEXT-FALLBACK", "TLS-NO-RSA-CERT")
    [failure] = told["failures"]
    assert failure["code"] == "TLS-NO-RSA-CERT" and failure["came_without_tls"] and "gap" not in told
    certificates = wait_for(lambda: (c := report(t)["certificates"]) and len(c) == 2 and c, what="both certificates in the store")
    assert [c["key"] for c in certificates] == ["ECDSA", "RSA"] and certificates[1]["name"] == HOSTNAME


# ---- a month of mail ----

@pytest.fixture(scope="module")
def month(make_torhaus_once):
    """A server that has seen all kinds of mail."""
    with Backend() as backend:
        t = gateway(make_torhaus_once, backend, "--tls", "require", certificates=("ec",))
        t.run("domain", "add", "reporting.test", "--mail", f"{backend.address}:{backend.port}", "--tls", "report")
        t.run("recipient", "set", "list@example.test", "--tls", "off", "--until", "2099-12-31")
        wait_for(lambda: read_json(t, "status")["domains"] == 2, what="the second domain")
        fail_as_partner(t)
        refused_in_the_clear(t, '"<b>bold</b>"@partner.test')
        refused_in_the_clear(t, '"<b>bold</b>"@partner.test')
        for maximum, times in (ssl.TLSVersion.TLSv1_3, 3), (ssl.TLSVersion.TLSv1_2, 2):
            for _ in range(times):
                assert deliver(t.mail, LETTER, tls=limited("ECDHE-ECDSA-AES128-GCM-SHA256", maximum)).code == 250
        assert deliver(t.mail, LETTER, recipients=["list@example.test"]).code == 250
        assert deliver(t.mail, LETTER, recipients=["box@reporting.test"]).code == 250
        backend.at("dot", "554 5.7.1 No", times=1)
        assert deliver(t.mail, LETTER, tls=any_certificate()).code == 554
        wait_for(lambda: report(t)["mails"]["refused"] == 1, what="everything in the store")
        yield t
        t.stop()


def test_numbers(month):
    mails = report(month)["mails"]
    assert (mails["delivered"], mails["encrypted"], mails["without_tls"], mails["refused"], mails["recipients"]) == (6, 5, 1, 1, 6)
    assert [(m["version"], m["mails"]) for m in mails["by_tls"]] == [("TLSv1.3", 3), ("TLSv1.2", 2), ("", 1)]
    assert [day["encrypted"] for day in mails["by_day"]] == [5] or len(mails["by_day"]) == 2      # at midnight
    assert report(month)["refused"][0]["times"] == 2
    [exception] = report(month)["policy"]["exceptions"]
    assert (exception["address"], exception["tls"], exception["until"]) == ("list@example.test", "off", "2099-12-31")


def test_who_would_be_refused(month):
    told = read_json(month, "mail", "report", "--domain", "Reporting.test")
    assert told["refused"] == [] and told["mails"]["without_tls"] == 1
    assert [(m["sender"], m["recipient"], m["code"]) for m in told["taken_without_tls"]] == [("sender@client.test", "box@reporting.test", "")]
    shown = words(month.run("mail", "report", "--domain", "reporting.test").stdout)
    assert "Taken without TLS while the domain only reports" in shown and "<sender@client.test> → <box@reporting.test>" in shown


def test_in_words(month):
    shown = words(month.run("mail", "report", "--domain", "example.test").stdout)
    for part in ("Encryption of mail for example.test", "require: mail without TLS is refused", "of them encrypted 5 (83.3 %)",
                 "TLS 1.3 TLS_AES_128_GCM_SHA256 3 50.0 %", "TLS 1.2 ECDHE-ECDSA-AES128-GCM-SHA256 2 33.3 %", "without TLS 1 16.6 %",
                 "within the same machine 6 100.0 %", "Recipients refused without TLS 2", "RECIPIENT TLS SINCE UNTIL SET BY list@example.test off",
                 "its TLS handshake failed, TLS-NO-RSA-CERT", "Art. 32(1)(a) GDPR", "1 refused by the mail server, 0 put off"):
        assert part in shown, part
    shown = words(month.run("--lang", "de", "mail", "report", "--domain", "example.test").stdout)
    for part in ("Verschlüsselung der Mails für example.test", "davon verschlüsselt 5 (83,3 %)", "ohne TLS 1 16,6 %",
                 "Abhilfe: Ein RSA-Zertifikat", "Art. 32 Abs. 1 lit. a DSGVO"):
        assert part in shown, part


class Page(html.parser.HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_page(month, tmp_path, lang):
    file = tmp_path / "report.html"
    month.run("--lang", lang, "mail", "report", "--domain", "example.test", "--html", file)
    page = Page(file.read_text())
    assert f'<html lang="{lang}">' in file.read_text()
    assert not {"script", "img", "link", "iframe", "object", "b", "a"} & set(page.tags)
    assert not [value for _, value in page.attributes if value and "//" in value]
    assert '<"<b>bold</b>"@partner.test> → <box@example.test>' in page.text.replace("\\", "")
    assert {"en": "5 (83.3 %)", "de": "5 (83,3 %)"}[lang] in page.text
    assert month.run("mail", "report", "--domain", "example.test", "--html", "-").stdout.startswith("<!DOCTYPE html>")
    done = month.run("mail", "report", "--domain", "example.test", "--html", tmp_path / "no" / "folder.html", check=False)
    assert done.returncode == 5 and "FILE-UNWRITABLE" in done.stderr


def test_a_browser_prints_it(month, tmp_path):
    if not shutil.which("chromium"):
        pytest.skip("no chromium")
    file, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    month.run("mail", "report", "--domain", "example.test", "--html", file)
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}/profile",
                    f"--print-to-pdf={pdf}", file.as_uri()], timeout=120, check=True, capture_output=True)
    assert pdf.read_bytes()[:5] == b"%PDF-"


def test_periods(month):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    day = datetime.timedelta(days=1)
    assert report(month, "--from", str(today - day), "--to", str(today))["mails"]["delivered"] == 6
    assert report(month, "--month", str(today - day)[:7])["from"] == str(today - day)[:7] + "-01"
    before = report(month, "--from", "2020-02-01", "--to", "2020-02-29")
    assert before["mails"]["delivered"] == 0 and before["refused"] == [] and before["failures"] == []
    assert report(month)["to"] == str(today), "the present month ends today"
    assert report(month, "--month", "2024-02")["to"] == "2024-02-29"
    assert report(month, "--month", "2023-12")["to"] == "2023-12-31"


@pytest.mark.parametrize("args, part", [
    ([], "--domain NAME is missing"),
    (["--domain", "example.test", "--month", "2026-13"], "2026-13"),
    (["--domain", "example.test", "--month", "2026"], "no month"),
    (["--domain", "example.test", "--month", "2026-01", "--from", "2026-01-01"], "either --month"),
    (["--domain", "example.test", "--from", "2026-01-01"], "belong together"),
    (["--domain", "example.test", "--from", "2026-01-02", "--to", "2026-01-01"], "1 to 400 days"),
    (["--domain", "example.test", "--from", "2020-01-01", "--to", "2026-01-01"], "1 to 400 days"),
    (["--domain", "example.test", "--from", "yesterday", "--to", "2026-01-01"], "no day"),
])
def test_usage(month, args, part):
    done = month.run("mail", "report", *args, check=False)
    assert done.returncode == 2 and part in done.stderr and done.stdout == ""


def test_unknown_domains(month):
    done = month.run("mail", "report", "--domain", "exampel.test", check=False)
    assert done.returncode == 1 and "Did you mean example.test?" in done.stderr


def test_a_promise_that_cannot_be_kept(make_torhaus):
    t = gateway(make_torhaus, None, start=False)
    t.run("domain", "add", "far.test", "--mail", "192.0.2.1:25", "--tls", "require", "--mail-tls", "off")
    t.run("domain", "add", "near.test", "--mail", "127.0.0.9:25", "--tls", "require", "--mail-tls", "off")
    t.run("domain", "add", "one.test", "--mail", "mail.one.test", "--mail-tls", "off")
    t.run("recipient", "set", "box@one.test", "--tls", "require")

    def told():
        return [f["facts"]["domain"] for f in read_json(t, "check")["faults"] if f["code"] == "MAIL-HOP-IN-CLEAR"]
    assert told() == ["far.test", "one.test"]
    t.run("domain", "set", "far.test", "--mail-tls", "opportunistic")
    t.run("recipient", "remove", "box@one.test")
    assert told() == []


# ---- without a server, and with a store in trouble ----

def test_without_a_server_and_after_the_domain(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    assert deliver(t.mail, LETTER, tls=any_certificate()).code == 250
    t.stop()                                        # writes what is not written yet
    assert report(t)["mails"]["delivered"] == 1
    assert peers(t)[0]["mails"] == 1
    assert "client.test" in t.run("mail", "peers").stdout
    t.run("domain", "remove", "example.test")
    told = report(t)
    assert told["mails"]["delivered"] == 1 and "policy" not in told
    assert "the domain is no longer in the store" in t.run("mail", "report", "--domain", "example.test").stdout
    assert "No handshake failed." in t.run("mail", "peers", "--failed").stderr


def test_a_killed_worker_forgets_no_grace(make_torhaus, backend):
    t = gateway(make_torhaus, backend, "--tls", "require", mail='tls_grace = "1s"')
    assert refused_in_the_clear(t).code == 450
    wait_for(lambda: peers(t), what="the refusal in the store")
    t.kill_worker()

    def refused_for_good():
        with Smtp(t.mail) as c:
            c.ehlo()
            c.ask("MAIL FROM:<sender@partner.test>")
            return c.ask("RCPT TO:<box@example.test>").code == 550
    wait_for(refused_for_good, what="the end of the grace")


@pytest.mark.slow
def test_a_locked_store_loses_nothing(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    holder = sqlite3.connect(t.dir / "torhaus.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for _ in range(20):
        assert deliver(t.mail, LETTER, tls=any_certificate()).code == 250

    def waiting():
        faults = {f["code"] for f in read_json(t, "status")["faults"]}
        return "EVIDENCE-WAITING" in faults
    wait_for(waiting, seconds=30, what="EVIDENCE-WAITING")
    assert t.run("doctor", check=False).stdout.count("EVIDENCE-WAITING") == 1
    told = report(t)
    assert told["gap"]["code"] == "EVIDENCE-WAITING" and told["mails"]["delivered"] == 0
    assert "This report is not complete" in t.run("mail", "report", "--domain", "example.test").stdout
    holder.execute("ROLLBACK")
    holder.close()
    wait_for(lambda: report(t)["mails"]["delivered"] == 20, seconds=60, what="the mails in the store")
    assert "gap" not in report(t) and "evidence-recovered" in t.logs()
