"""Misbehaviour at the mail edge, beyond test_mail.py: backends that answer late, wrongly, unasked or never read; clients that leave at
any step, crawl, or pretend. A mail is answered 250 only if the backend said so, and never stored in half."""

import ctypes
import os
import random
import re
import socket
import subprocess
import time

import pytest

from conftest import wait_for
from gateway import Session, gateway, mail_events
from mails import MAILS, mail
from mta import OpenSMTPD, Postfix
from pair import make_pair
from partner import partner_hello
from smtp import Backend, Smtp, dotted

SHORT = MAILS["short"]


@pytest.fixture
def backend():
    with Backend() as b:
        yield b


@pytest.fixture(scope="module")
def shared(make_torhaus_once):
    with Backend() as b:
        t = gateway(make_torhaus_once, b, mail='tarpit = "0"')
        t.backend = b
        yield t


@pytest.fixture
def edge(shared):
    """A gateway that all these tests share, its scripted backend as if new."""
    shared.backend.usual_again()
    shared.backend.mails.clear()
    return shared


def first_refusal(c, content=SHORT):
    """MAIL, RCPT, DATA, message: the first reply that refuses, or the last."""
    for line in ("MAIL FROM:<sender@client.test>", "RCPT TO:<box@example.test>", "DATA"):
        reply = c.ask(line)
        if reply is None or reply.code >= 400:
            return reply
    c.send(dotted(content))
    return c.read()


def works_again(t):
    """The backend behaves again: mail arrives."""
    t.backend.usual_again()
    before = len(t.backend.done)
    with Session(t) as c:
        assert first_refusal(c).code == 250
    assert len(t.backend.done) == before + 1


# ---- the backend ----

@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot"])
def test_a_backend_that_answers_late(edge, step):
    edge.backend.at(step, delay=0.3)
    with Session(edge) as c:
        assert first_refusal(c, MAILS["300-KB"]).code == 250
    assert [m.content for m in edge.backend.done][0].endswith(MAILS["300-KB"])


ODD = ["421 4.3.2 I go down", "530 5.7.0 Must issue a STARTTLS command first", "354 Go", "999 What", "25", "250-Ok\n251 Ok", "hello",
       b"\x00\x00\r\n", b"250-" + b"x" * 2000000]


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "dot"])
def test_answers_that_are_none(edge, step):
    """For now, says the sender's reply, and the next mail goes through. To DATA a 2xx is none, either."""
    for answer in ODD + (["250 2.0.0 Ok", "299 Ok"] if step == "DATA" else ["250 Ok\n250 Ok"] if step != "dot" else []):
        if (step, answer[:3]) == ("DATA", "354"):
            continue
        edge.backend.hang_up()
        edge.backend.at(step, answer if isinstance(answer, bytes) else answer.encode() + b"\r\n")
        with Session(edge) as c:
            reply = first_refusal(c)
            assert reply.code // 100 == 4, (answer, reply)
            assert c.ask("NOOP").code == 250
        works_again(edge)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "dot"])
def test_every_2xx_is_a_yes(edge, step):
    edge.backend.at(step, "259 2.0.0 Gladly")
    with Session(edge) as c:
        assert first_refusal(c).code // 100 == 2
    assert len(edge.backend.done) == 1


SHAPES = [b"250 Ok\n", b"250-first\n250 last\r\n", b"250\r\n", b"250-" + b"x" * 70_000 + b"\r\n250 Ok\r\n", b"250 " + b"x" * 70_000 + b"\r\n",
          (b"250-" + b"x" * 60 + b"\r\n") * 1000 + b"250 Ok\r\n", b"250-\r\n" * 10_000 + b"250 Ok\r\n", b"250 a\0b\rc\r\n"]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "dot"])
def test_a_yes_of_any_shape(edge, step):
    """A yes that is not recognised would bring the mail with every try of its sender; what the sender hears is a reply by the rules."""
    for shape in SHAPES:
        edge.backend.at(step, shape)
        with Session(edge) as c:
            reply = first_refusal(c)
            assert reply.code == 250, (shape[:100], reply)
            assert all(len(line) <= 506 and line.isprintable() for line in reply.lines)
    assert len(edge.backend.done) == len(SHAPES)
    works_again(edge)


def test_the_backend_goes_after_it_took_a_recipient(edge):
    """The first recipient was promised nothing yet: DATA is refused for all."""
    edge.backend.at("RCPT", call=lambda line: "421 4.3.2 Down" if "second" in line else None)
    with Session(edge) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        assert c.ask("RCPT TO:<first@example.test>").code == 250
        assert c.ask("RCPT TO:<second@example.test>").code == 451
        assert c.ask("DATA").code == 451
    works_again(edge)


def test_a_backend_that_speaks_unasked(make_torhaus, backend):
    """A kept connection on which something was said between two mails: its next answer would be taken for another's."""
    t = gateway(make_torhaus, backend, threads=1)
    with Session(t) as c:
        assert first_refusal(c).code == 250
    for sock in list(backend._open):
        sock.sendall(b"250 2.0.0 Ok: queued as never\r\n")
    backend.at("MAIL", "550 5.7.1 No")
    with Session(t) as c:
        assert first_refusal(c).code == 550
    assert len(backend.done) == 1


def test_a_backend_that_takes_nothing_in(make_torhaus, backend):
    """It stops reading in the middle: what the client sends is not gathered here, and ends in 451."""
    t = gateway(make_torhaus, backend, mail="backend_timeout = 1s")
    backend.at("body", silent=True)
    content = SHORT + (b"x" * 76 + b"\r\n") * 600_000
    with Session(t) as c:
        c.sock.settimeout(60)
        assert c.mail(content).code == 451
    assert not backend.done


def test_opensmtpd_of_debian_12_has_broken_tls(make_torhaus, tmp_path):
    """It offers STARTTLS and fails every handshake: by the default the mail comes anyway."""
    make_pair(tmp_path, "backend", "rsa", names=("backend.test",))
    with OpenSMTPD(certificate=(tmp_path / "backend.crt", tmp_path / "backend.key")) as machine:
        t = gateway(make_torhaus, machine)
        for n in range(3):
            with Session(t) as c:
                assert first_refusal(c, mail(b"%d\r\n" % n, f"n{n}")).code == 250
        assert len(machine.wait_for_mails(3)) == 3
        assert "MAIL-BACKEND-TLS-FAILED" in t.logs()


# ---- who the client is ----

def test_xclient_to_postfix(make_torhaus):
    with Postfix(client="xclient") as machine:
        t = gateway(make_torhaus, machine, "--mail-client", "xclient")
        for source in ("127.0.0.77", "127.0.0.78"):
            with Session(t, source=source) as c:
                assert first_refusal(c, mail(source.encode() + b"\r\n", source)).code == 250
        for stored in machine.wait_for_mails(2):
            assert b"Received: from client.test (unknown [%s])\r\n\tby backend.test" % stored.body.strip() in stored.head


@pytest.mark.parametrize("kind", [Postfix, OpenSMTPD], ids=["postfix", "opensmtpd"])
def test_proxy_header_to_a_backend(make_torhaus, kind):
    with kind(client="proxy") as machine:
        t = gateway(make_torhaus, machine, "--mail-client", "proxy")
        for source in ("127.0.0.77", "127.0.0.78"):
            with Session(t, source=source) as c:
                assert first_refusal(c, mail(source.encode() + b"\r\n", source)).code == 250
        for stored in machine.wait_for_mails(2):
            source = stored.body.strip()
            assert b"[%s])\r\n\tby backend.test" % source in stored.head
            assert stored.head.split(b"[%s])" % source)[0].rsplit(b"from ", 1)[1].startswith(b"client.test (")


def test_a_helo_that_would_be_another_attribute(make_torhaus, backend):
    backend.extensions.append("XCLIENT NAME ADDR PORT PROTO HELO")
    t = gateway(make_torhaus, backend, "--mail-client", "xclient")
    with Smtp(t.mail, "127.0.0.77") as c:
        c.ehlo("a+b=ADDR=127.9.9.9")
        assert first_refusal(c).code == 250
    told = backend.done[0].told.split(" ")
    assert "ADDR=127.0.0.77" in told and "HELO=a+2Bb+3DADDR+3D127.9.9.9" in told


# ---- who must come encrypted ----

def test_required_for_a_recipient(make_torhaus, backend):
    """Of three recipients one insists: the others get their mail, nothing of it goes to that one."""
    t = gateway(make_torhaus, backend, mail='tls_grace = "0s"', start=False)
    t.run("recipient", "set", "safe@example.test", "--tls", "require")
    t.start()
    for tls, expected in ((False, [250, 550, 250]), (True, [250, 250, 250])):
        with Session(t, tls) as c:
            c.ask("MAIL FROM:<sender@client.test>")
            answers = [c.ask(f"RCPT TO:<{local}@example.test>").code for local in ("a", "SAFE", "b")]
            assert answers == expected
            assert c.ask("DATA").code == 354
            c.send(dotted(SHORT))
            assert c.read().code == 250
    assert [len(m.recipients) for m in backend.done] == [2, 3]
    assert not any("safe" in r.lower() for r in backend.done[0].recipients)


DISGUISES = ["SAFE@Example.TEST", "safe+tag@example.test", "safe%example.test@example.test", '"safe"@example.test', '"s\\afe"@example.test', "@relay.test:safe@example.test", "safe@example.test.",
             "safe@example%2etest", "safe@[example.test]"]


def test_no_disguise_helps(make_torhaus, backend):
    """The same mailbox, written otherwise, does not come in the clear."""
    t = gateway(make_torhaus, backend, start=False)
    t.run("recipient", "set", "safe@example.test", "--tls", "require")
    t.start()
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        for disguise in DISGUISES:
            reply = c.ask(f"RCPT TO:<{disguise}>")
            assert reply.code >= 400, (disguise, reply)
        assert c.ask("RCPT TO:<safer@example.test>").code == 250
    assert backend.count("RCPT") == 1


def test_an_exception_for_a_recipient(make_torhaus, backend):
    t = gateway(make_torhaus, backend, "--tls", "require", start=False)
    t.run("recipient", "set", "list@example.test", "--tls", "off")
    t.start()
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        assert c.ask("RCPT TO:<list@example.test>").code == 250
        assert c.ask("RCPT TO:<box@example.test>").code >= 400


@pytest.fixture
def far_away():
    """An address that is not this machine's by its looks: 192.0.2.1 in a network of the test's own."""
    libc, clone_newnet = ctypes.CDLL(None, use_errno=True), 0x40000000
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if libc.unshare(clone_newnet) != 0:
        pytest.skip("network namespaces are not allowed here")
    try:
        for command in ("ip link set lo up", "ip address add 192.0.2.1/32 dev lo"):
            subprocess.run(command.split(), check=True)
        yield "192.0.2.1"
    finally:
        libc.setns(before, clone_newnet)
        os.close(before)


def test_the_promise_includes_the_way_to_the_backend(far_away, make_torhaus, tmp_path):
    """Mail that has to come encrypted goes on encrypted, or not beyond this machine."""
    make_pair(tmp_path, "backend", "rsa", names=("backend.test",))
    pair = tmp_path / "backend.crt", tmp_path / "backend.key"
    with Backend(address=far_away) as plain, Backend(address=far_away, certificate=pair) as encrypted, Backend() as here:
        t = gateway(make_torhaus, plain, start=False)
        for name, backend in (("plain", plain), ("encrypted", encrypted), ("here", here)):
            t.run("domain", "add", f"{name}.test", "--mail", f"{backend.address}:{backend.port}", "--tls", "require", "--mail-tls", "off")
        t.start()
        with Session(t, tls=True) as c:
            c.ask("MAIL FROM:<sender@client.test>")
            reply = c.ask("RCPT TO:<box@plain.test>")
            assert reply.code == 451 and "[MAIL-BACKEND-NO-TLS]" in reply.text
            c.ask("RSET")
            for domain in ("encrypted.test", "here.test", "example.test"):
                assert c.mail(SHORT, recipients=[f"box@{domain}"]).code == 250, domain
    assert [m.tls for m in encrypted.done] == [True] and [m.tls for m in here.done] == [False]
    assert [m.recipients for m in plain.done] == [["box@example.test"]]


# ---- clients ----

def test_plaintext_where_tls_was_announced(edge):
    """After its 220 commands instead of a handshake."""
    with Session(edge) as c:
        assert c.ask("STARTTLS").code == 220
        c.send(b"EHLO again\r\nMAIL FROM:<evil@client.test>\r\n")
        try:
            while data := c.sock.recv(4096):
                assert data[0] == 21            # an alert is the most that may come
        except ConnectionError:
            pass
    assert not edge.backend.mails


def test_nobody_else_s_mail(edge):
    """No relay: not for other domains, not by source routes, percent signs or quotes."""
    asked = edge.backend.count("RCPT")
    with Session(edge) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        for to in ("box@elsewhere.test", "box@sub.example.test", "box@example.test.elsewhere.test", "box", "@example.test",
                   "@example.test:box@elsewhere.test", "box@[127.0.0.1]", "\"box@example.test\"@elsewhere.test",
                   "\"box@elsewhere.test\"@example.test", "box%elsewhere.test@example.test", "elsewhere.test!box@example.test",
                   "\"box\\@elsewhere.test\"@example.test"):
            reply = c.ask(f"RCPT TO:<{to}>")
            assert reply.code in (501, 550), (to, reply)
    assert edge.backend.count("RCPT") == asked


LEAVES = {"greeting": b"", "EHLO": b"EHLO client.test\r\n", "MAIL": b"MAIL FROM:<sender@client.test>\r\n",
          "RCPT": b"RCPT TO:<box@example.test>\r\n", "DATA": b"DATA\r\n", "body": SHORT, "no dot": SHORT + b".\r",
          "a dot more": SHORT + b"..\r\n"}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("step", LEAVES)
def test_a_client_that_leaves(edge, step, reset):
    """At any step: the backend gets no dot, and its connection is not used for anything else in between."""
    before = len(mail_events(edge, "session"))
    with Smtp(edge.mail) as c:
        for name, data in LEAVES.items():
            c.send(data)
            if name in ("EHLO", "MAIL", "RCPT", "DATA"):
                c.read()
            if name == step:
                break
        if reset:
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: len(mail_events(edge, "session")) > before, what="the end of the session")
    assert not edge.backend.done
    works_again(edge)


def test_a_crawling_client(edge):
    """Byte by byte, but within the limits: it is served as any other."""
    with Smtp(edge.mail) as c:
        def crawl(data):
            for byte in data:
                c.send(bytes([byte]))
                time.sleep(0.001)

        for line in (b"EHLO client.test\r\n", b"MAIL FROM:<sender@client.test>\r\n", b"RCPT TO:<box@example.test>\r\n", b"DATA\r\n"):
            crawl(line)
            assert c.read().code in (250, 354)
        crawl(dotted(MAILS["dots"]))
        assert c.read().code == 250
    assert edge.backend.done[0].content.endswith(MAILS["dots"])


TOKENS = [b"\r", b"\n", b"\r\n", b"\0", b".", b"\r\n.\r\n", b"\n.\n", b" ", b"<", b">", b"\"", b"@", b"\xc3\xbc", b"\xff", b"BDAT 5\r\n", b"DATA\r\n",
          b"RSET\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<x@example.test>\r\n", b"x" * 3000, b"\r\n" * 300]


def garbled(rng):
    """A pipelined session in which bytes are missing, and others stand where they should not."""
    envelope = b"MAIL FROM:<sender@client.test> BODY=8BITMIME\r\nRCPT TO:<box@example.test> NOTIFY=NEVER\r\n"
    chunks = b"BDAT %d\r\n%bBDAT 3 LAST\r\na\r\n" % (len(SHORT), SHORT)
    session = bytearray(b"EHLO client.test\r\n" + envelope + b"DATA\r\n" + dotted(MAILS["dots"]) + envelope + chunks + b"QUIT\r\n")
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(session))
        session[at:at + rng.choice((0, 0, 1, 2, 40))] = rng.choice(TOKENS)
    return bytes(session)


def test_garbled_sessions(edge):
    """Whatever clients send: the backend sees whole lines that end in CRLF, and nothing crashes."""
    rng, pid = random.Random(1), edge.worker_pid()
    seen = len(edge.backend.commands)
    for _ in range(150):
        with Smtp(edge.mail, source=f"127.0.2.{rng.randrange(1, 200)}") as c:
            session = garbled(rng)
            at = rng.randrange(len(session))
            try:
                c.send_split(session, at)
                c.sock.shutdown(socket.SHUT_WR)
                c.read_all()
            except ConnectionError:
                pass
    assert edge.worker_pid() == pid
    for line in edge.backend.commands[seen:]:
        assert not set(line) & set("\r\n\0"), line
        assert line.split(" ")[0] in {"EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}, line
    for m in edge.backend.mails:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", m.wire), m
    works_again(edge)


def test_clients_that_stop_in_the_handshake(edge):
    """A hundred that said STARTTLS and half a hello: the others are served."""
    stuck = [Session(edge, source=f"127.0.1.{n % 50 + 1}") for n in range(100)]
    try:
        for n, c in enumerate(stuck):
            assert c.ask("STARTTLS").code == 220
            c.send(partner_hello()[:n])
        for _ in range(5):
            with Session(edge, tls=True) as c:
                assert first_refusal(c).code == 250
    finally:
        for c in stuck:
            c.close()
    assert len(edge.backend.done) == 5


@pytest.mark.slow
def test_many_crawling_clients(make_torhaus, backend):
    """Sixty in the middle of their messages at once, each of which then arrives whole."""
    t = gateway(make_torhaus, backend, mail="connections_per_network = 1000 connections_max = 1000")
    content = MAILS["300-KB"]
    sessions = [Session(t) for _ in range(60)]
    try:
        for n, c in enumerate(sessions):
            c.envelope("sender@client.test", [f"box{n}@example.test"])
        for start in range(0, 50_000, 5_000):
            for c in sessions:
                c.send(dotted(content)[start:start + 5_000])
        assert not backend.done
        for c in sessions:
            c.send(dotted(content)[50_000:])
        assert all(c.read().code == 250 for c in sessions)
    finally:
        for c in sessions:
            c.close()
    assert len({m.recipients[0] for m in backend.done}) == 60
    assert all(m.content.endswith(content) for m in backend.done)
