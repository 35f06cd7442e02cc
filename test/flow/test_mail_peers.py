"""Mail from real senders through torhaus to real backends: every byte arrives, whatever the key type and version of TLS."""

import email.parser
import smtplib
import ssl
import subprocess

import pytest

from client import any_certificate
from gateway import HOSTNAME, Session, backends, boxes, edge, gateway  # noqa: F401 (fixtures)
from mails import MAILS, mail
from mta import Exim, Postfix
from smtp import Piped, Smtp, deliver, dotted
from test_tls import ECDSA_ONLY, RSA_ONLY

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def body_parameter(content):
    return " BODY=8BITMIME" if any(byte > 127 for byte in content) else ""


def message_id(content):
    return email.parser.BytesParser().parsebytes(content, headersonly=True)["Message-ID"]


def arrived(machine, sent, received_by=()):
    """Every mail of `sent` is there, once, byte for byte, and its trace line says what is in received_by."""
    stored = machine.wait_for_mails(len(sent))
    assert sorted(message_id(m.raw) for m in stored) == sorted(message_id(m) for m in sent)
    for content in sent:
        one, = (m for m in stored if message_id(m.raw) == message_id(content))
        assert one.ends_with(content), one.raw[:2000]
        trace = one.head.decode("latin-1").replace("\r\n\t", " ")
        ours, = (line for line in trace.split("\r\n") if f"by {HOSTNAME}" in line)
        assert all(text in ours for text in received_by), ours


# ---- clients that speak for the test ----

def session_of(t, kind):
    """A conversation after EHLO, and what the trace line must say of it."""
    program, version, key = (kind.split(" ") + [None, None])[:3]
    suites = {"rsa": RSA_ONLY, "ecdsa": ECDSA_ONLY}.get(key)
    port = t.mail[1]
    if program == "clear":
        return Session(t), ["with ESMTP id"]
    if program == "implicit":
        c = Smtp(t.mail_tls, tls=any_certificate(V12, suites))
        c.ehlo()
        return c, [f"TLSv{version}", key.upper()]
    if program == "python":
        c = Session(t, tls=True, context=any_certificate(V12 if version == "1.2" else V13, suites))
        return c, [f"TLSv{version}", c.sock.cipher()[0]]
    if program == "openssl":
        c = Piped(["openssl", "s_client", "-quiet", "-starttls", "smtp", "-connect", f"127.0.0.1:{port}",
                   f"-tls{version.replace('.', '_')}", "-sigalgs",
                   "RSA-PSS+SHA256:RSA+SHA256" if key == "rsa" else "ECDSA+SHA256",
                   "-cipher", suites if version == "1.2" else "DEFAULT"])
    else:
        sign = "+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256" if key == "rsa" else "+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256"
        c = Piped(["gnutls-cli", "--insecure", "--starttls-proto=smtp", "--logfile=/dev/null", "-p", str(port), "127.0.0.1",
                   f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}:-SIGN-ALL:{sign}"])
    c.ehlo()
    return c, [f"TLSv{version}", key.upper() if version == "1.2" else "TLS_AES_"]


SESSIONS = ["clear", "implicit 1.2 rsa", "implicit 1.2 ecdsa", "python 1.2 rsa", "python 1.2 ecdsa", "python 1.3",
            *(f"{program} {version} {key}" for program in ("openssl", "gnutls") for version in ("1.2", "1.3") for key in ("rsa", "ecdsa"))]


@pytest.mark.parametrize("kind", SESSIONS)
def test_a_client(edge, boxes, kind):
    c, trace = session_of(edge, kind)
    with c:
        for domain in boxes:
            for name, content in MAILS.items():
                reply = c.mail(content, recipients=[f"box@{domain}"], parameters=body_parameter(content))
                assert reply.code == 250, (name, reply)
        c.ask("QUIT")
    for machine in boxes.values():
        arrived(machine, list(MAILS.values()), trace)


@pytest.mark.parametrize("options", [[], ["--tls", "--tls-protocol", "tlsv1_2"], ["--tls", "--tls-protocol", "tlsv1_3"], ["--tlsc"]])
def test_swaks(edge, boxes, options, tmp_path):
    implicit = "--tlsc" in options
    sent = [MAILS[name] for name in ("short", "dots", "looks-like-smtp", "utf-8")]
    for n, content in enumerate(sent):
        path = tmp_path / str(n)
        path.write_bytes(dotted(content))
        for domain in boxes:
            done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str((edge.mail_tls if implicit else edge.mail)[1]),
                                   "--ehlo", "client.test", "--from", "sender@client.test", "--to", f"box@{domain}",
                                   "--no-data-fixup", "--data", f"@{path}", *options], capture_output=True, text=True, timeout=60, errors="replace")
            assert done.returncode == 0, done.stdout + done.stderr
    for machine in boxes.values():
        arrived(machine, sent, [f"TLSv{options[-1][-3:].replace('_', '.')}"] if "--tls" in options else [])


def test_python_smtplib(edge, boxes):
    sent = [MAILS[name] for name in ("short", "dots", "lines-of-998", "utf-8", "300-KB")]
    with smtplib.SMTP(*edge.mail, local_hostname="client.test", timeout=60) as c:
        c.starttls(context=any_certificate())
        for domain in boxes:
            for content in sent:
                c.sendmail("sender@client.test", f"box@{domain}", content, [body_parameter(content).strip()])
    for machine in boxes.values():
        arrived(machine, sent, ["TLSv1.3"])


# ---- mail servers as senders ----

def only_key(key):
    return {"rsa": "aECDSA", "ecdsa": "aRSA", None: ""}[key]


def postfix_settings(version, key):
    if version is None:
        return ""
    protocol = f"TLSv{version}".removesuffix(".0")
    return f"smtp_tls_mandatory_protocols = >={protocol}, <={protocol}\nsmtp_tls_mandatory_exclude_ciphers = {only_key(key)}"


def exim_priority(version, key):
    sign = {"rsa": ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256",
            "ecdsa": ":-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256", None: ""}[key]
    return f"tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS{version}{sign}"


def sender_of(edge, program, version, key):
    options = {"name": "sender.test", "relay": edge.mail, "tls_to_relay": "must" if version else "off"}
    if program == "postfix":
        return Postfix(lines=postfix_settings(version, key), **options)
    return Exim(out=exim_priority(version, key) if version else "", **options)


SENDERS = [("postfix", None, None), ("postfix", "1.2", "rsa"), ("postfix", "1.2", "ecdsa"), ("postfix", "1.3", None),
           ("exim", None, None), ("exim", "1.2", "rsa"), ("exim", "1.2", "ecdsa"), ("exim", "1.3", "rsa"), ("exim", "1.3", "ecdsa")]


@pytest.mark.parametrize("program, version, key", SENDERS)
def test_a_mail_server_as_sender(edge, boxes, program, version, key):
    trace = ["with ESMTP id"] if version is None else [f"TLSv{version}", key.upper() if version == "1.2" else "TLS_AES_"]
    with sender_of(edge, program, version, key) as sender:
        with Smtp((sender.address, sender.port)) as c:
            c.ehlo()
            for domain in boxes:
                for content in MAILS.values():
                    assert c.mail(content, recipients=[f"box@{domain}"], parameters=body_parameter(content)).code == 250
        for machine in boxes.values():
            arrived(machine, list(MAILS.values()), trace)


@pytest.mark.parametrize("program", ["postfix", "exim"])
def test_one_mail_for_domains_with_different_backends(edge, boxes, program):
    """The second and third domain are put off within the transaction; they come with the next try of the sender, here a second later."""
    content = MAILS["dots"]
    with sender_of(edge, program, "1.3", None) as sender:
        reply = deliver((sender.address, sender.port), content, recipients=[f"box@{domain}" for domain in boxes])
        assert reply.code == 250
        for machine in boxes.values():
            arrived(machine, [content], ["TLSv1.3"])
        sender.settled()
        assert "4.5.3" in sender.logs()


def test_addresses_beyond_ascii(make_torhaus, boxes):
    """SMTPUTF8, offered where all backends know it: OpenSMTPD does not."""
    able = {domain: boxes[domain] for domain in ("postfix.test", "exim.test")}
    t = gateway(make_torhaus, None, start=False)
    for domain, machine in able.items():
        t.run("domain", "add", domain, "--mail", f"{machine.address}:{machine.port}")
    t.start()
    content = MAILS["utf-8"].replace(b"From: Sender", "From: Jürgen".encode())
    for domain, machine in able.items():
        with Session(t, tls=True) as c:
            assert "SMTPUTF8" in c.extensions
            assert c.mail(content, "jürgen@client.test", [f"übung@{domain}"], " BODY=8BITMIME SMTPUTF8").code == 250
        stored, = machine.wait_for_mails(1)
        assert stored.ends_with(content) and f"übung@{domain}".encode() in stored.head
        assert b"with UTF8SMTPS id" in stored.head


def test_a_large_mail(edge, boxes):
    content = mail(b"0123456789abcdef" * 4 + b"\r\n", "large")
    content += (b"x" * 76 + b"\r\n") * 130_000
    for domain in boxes:
        with Session(edge, tls=True) as c:
            assert c.mail(content, recipients=[f"box@{domain}"]).code == 250
    for machine in boxes.values():
        arrived(machine, [content])


def test_refusals_of_a_real_backend(edge, boxes):
    """Per recipient, with the backend's codes; the others get the mail."""
    for domain in boxes:
        with Session(edge, tls=True) as c:
            c.ask("MAIL FROM:<sender@client.test>")
            replies = [c.ask(f"RCPT TO:<{local}@{domain}>") for local in ("unknown1", "box", "busy1", "unknown2")]
            codes = [r.code for r in replies]
            if domain == "opensmtpd.test":       # it has no way to be busy
                assert codes == [550, 250, 250, 550]
            else:
                assert codes == [550, 250, 450 if domain == "postfix.test" else 451, 550]
                assert replies[0].enhanced == "5.1.1" and replies[2].enhanced == "4.2.1"
            assert c.ask("DATA").code == 354
            c.send(MAILS["short"] + b".\r\n")
            assert c.read().code == 250
        assert boxes[domain].wait_for_mails(1)
