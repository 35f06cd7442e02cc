"""Misbehaviour on both sides of the mail edge: a backend that is silent, dies, refuses, answers late; clients that inject, leave,
crawl and never stop. Whatever happens, a mail is answered 250 only if the backend said so, and never stored in half."""

import socket
import ssl
import time

import pytest

from client import any_certificate
from conftest import wait_for
from gateway import Session, gateway, mail_events
from mails import MAILS, mail
from mta import OpenSMTPD, Postfix
from smtp import Backend, Smtp, dotted
from test_tls import make_pair

SHORT = MAILS["short"]
QUICK = "backend_timeout = 1s final_timeout = 1s"


@pytest.fixture
def backend():
    with Backend() as b:
        yield b


@pytest.fixture
def pair(tmp_path):
    make_pair(tmp_path, "backend", "rsa", names=("backend.test",))
    return tmp_path / "backend.crt", tmp_path / "backend.key"


def first_refusal(c, content=SHORT):
    """MAIL, RCPT, DATA, message: the first reply that refuses, or the last."""
    for line in ("MAIL FROM:<sender@client.test>", "RCPT TO:<box@example.test>", "DATA"):
        reply = c.ask(line)
        if reply is None or reply.code >= 400:
            return reply
    c.send(dotted(content))
    return c.read()


def works_again(t, backend):
    """The same backend, behaving: mail arrives."""
    backend.usual_again()
    before = len(backend.done)
    with Session(t) as c:
        assert first_refusal(c).code == 250
    assert len(backend.done) == before + 1


# ---- the backend ----

STEPS = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["close", "silent"])
def test_a_backend_that_leaves_or_says_nothing(make_torhaus, backend, step, how):
    t = gateway(make_torhaus, backend, mail=QUICK)
    backend.at(step, **{how: True})
    with Session(t) as c:
        # A large one, so that it is under way when the backend leaves in its middle.
        reply = first_refusal(c, MAILS["300-KB"])
        assert reply.code == 451 and reply.enhanced.startswith("4.4."), reply
        assert c.ask("NOOP").code == 250
    assert len(backend.done) == (1 if step == "dot" else 0)
    works_again(t, backend)


@pytest.mark.parametrize("step", STEPS)
def test_a_backend_that_answers_late(make_torhaus, backend, step):
    t = gateway(make_torhaus, backend)
    backend.at(step, delay=0.5)
    with Session(t) as c:
        assert first_refusal(c, MAILS["300-KB"]).code == 250
    assert [m.content for m in backend.done][0].endswith(MAILS["300-KB"])


def test_no_backend(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    backend.__exit__()
    with Session(t) as c:
        reply = first_refusal(c)
        assert reply.code == 451 and "[MAIL-BACKEND-REFUSED]" in reply.text
    assert "MAIL-BACKEND-REFUSED" in t.logs()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("answer", ["450 4.2.1 Mailbox is busy", "550 5.7.9 Not by me", "452-4.3.1 Two\r\n452 4.3.1 lines"])
def test_refusals_are_the_backend_s(make_torhaus, backend, step, answer):
    t = gateway(make_torhaus, backend)
    backend.at(step, answer)
    with Session(t) as c:
        reply = first_refusal(c)
        assert reply.code == int(answer[:3])
        assert reply.lines == [line[4:] for line in answer.split("\r\n")]
    works_again(t, backend)


@pytest.mark.parametrize("answer", ["421 4.3.2 I go down", "530 5.7.0 Must issue a STARTTLS command first", "354 Go", "999 What",
                                    "25", "250 Ok\n250 Ok", "hello", b"\x00\x00\r\n", b"250 " + b"x" * 20000 + b"\r\n"])
@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "dot"])
def test_answers_that_are_none(make_torhaus, backend, step, answer):
    if (step, str(answer)[:3]) == ("DATA", "354"):
        pytest.skip("that is the right one")
    t = gateway(make_torhaus, backend, mail=QUICK)
    backend.at(step, answer if isinstance(answer, bytes) else answer.encode() + b"\r\n")
    with Session(t) as c:
        reply = first_refusal(c)
        assert reply.code // 100 == 4, reply
        assert c.ask("NOOP").code == 250
    works_again(t, backend)


def test_each_recipient_has_its_own_answer(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    answers = {"a": "550 5.1.1 Unknown", "b": None, "c": "450 4.2.0 Later", "d": None, "e": "552 5.2.2 Full"}
    backend.at("RCPT", call=lambda line: answers[line[9]])
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        assert [c.ask(f"RCPT TO:<{local}@example.test>").code for local in answers] == [550, 250, 450, 250, 552]
        assert c.ask("DATA").code == 354
        c.send(dotted(SHORT))
        assert c.read().code == 250
    assert backend.done[0].recipients == ["b@example.test", "d@example.test"]
    assert {e["to"][0] for e in mail_events(t, "recipient")} == {"a", "c", "e"}


def test_the_backend_goes_after_it_took_a_recipient(make_torhaus, backend):
    """The first recipient was promised nothing yet: DATA is refused for all."""
    t = gateway(make_torhaus, backend)
    backend.at("RCPT", call=lambda line: "421 4.3.2 Down" if "second" in line else None)
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        assert c.ask("RCPT TO:<first@example.test>").code == 250
        assert c.ask("RCPT TO:<second@example.test>").code == 451
        assert c.ask("DATA").code == 451
    works_again(t, backend)


def test_a_kept_connection_that_has_died(make_torhaus, backend):
    t = gateway(make_torhaus, backend, threads=1)
    for _ in range(3):
        with Session(t) as c:
            assert first_refusal(c).code == 250
    assert backend.sessions == 1
    backend.hang_up()
    with Session(t) as c:
        assert first_refusal(c).code == 250
    backend.at("MAIL", "421 4.4.2 Idle for too long", times=1)
    with Session(t) as c:
        assert first_refusal(c).code == 250
    assert len(backend.done) == 5


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
    t = gateway(make_torhaus, backend, mail=QUICK)
    backend.at("body", silent=True)
    content = SHORT + (b"x" * 76 + b"\r\n") * 600_000
    with Session(t) as c:
        c.sock.settimeout(60)
        assert c.mail(content).code == 451
    assert not backend.done


# ---- TLS towards the backend ----

@pytest.mark.parametrize("rule", ["opportunistic", "required"])
def test_tls_to_the_backend(make_torhaus, pair, rule):
    with Backend(certificate=pair) as backend:
        t = gateway(make_torhaus, backend, "--mail-tls", rule)
        with Session(t) as c:
            assert first_refusal(c).code == 250
        assert backend.done[0].tls


def test_a_certificate_that_nobody_vouches_for(make_torhaus, pair):
    with Backend(certificate=pair) as backend:
        t = gateway(make_torhaus, backend, "--mail-tls", "verified")
        with Session(t) as c:
            reply = first_refusal(c)
            assert reply.code == 451 and "[MAIL-BACKEND-TLS-FAILED]" in reply.text
        assert not backend.done


@pytest.mark.parametrize("answer", [None, "454 4.7.0 Not now", "502 5.5.1 What?", "220 Go, but not really"])
@pytest.mark.parametrize("rule", ["opportunistic", "required"])
def test_a_backend_without_tls(make_torhaus, backend, rule, answer):
    """Not offered, refused, or it does something else after its 220."""
    t = gateway(make_torhaus, backend, "--mail-tls", rule)
    if answer:
        backend.extensions.append("STARTTLS")
        backend.at("STARTTLS", answer)
        backend.at("handshake", close=True)
    with Session(t) as c:
        reply = first_refusal(c)
    if rule == "required":
        assert reply.code == 451 and not backend.done
    else:
        assert reply.code == 250 and not backend.done[0].tls


def test_injection_before_the_backend_s_tls(make_torhaus, pair):
    """What was said in the clear behind the 220 is not taken for an answer given under TLS."""
    with Backend(certificate=pair) as backend:
        t = gateway(make_torhaus, backend, "--mail-tls", "required")
        backend.at("STARTTLS", b"220 2.0.0 Ready\r\n250-evil.test\r\n250 SIZE 10\r\n250 2.1.0 Injected\r\n")
        backend.at("RCPT", "550 5.1.1 The true answer")
        with Session(t) as c:
            reply = first_refusal(c)
        assert (reply.code, reply.enhanced) == (550, "5.1.1") or reply.code == 451
        assert not backend.done


def test_opensmtpd_of_debian_12_has_broken_tls(make_torhaus, pair):
    """It offers STARTTLS and fails every handshake: by the default the mail comes anyway."""
    with OpenSMTPD(certificate=pair) as machine:
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
            assert b"[%s])\r\n\tby backend.test" % stored.body.strip() in stored.head
            assert b"Received: from client.test " in stored.head


@pytest.mark.parametrize("kind", [Postfix, OpenSMTPD], ids=["postfix", "opensmtpd"])
def test_proxy_header_to_a_backend(make_torhaus, kind):
    with kind(client="proxy") as machine:
        t = gateway(make_torhaus, machine, "--mail-client", "proxy")
        for source in ("127.0.0.77", "127.0.0.78"):
            with Session(t, source=source) as c:
                assert first_refusal(c, mail(source.encode() + b"\r\n", source)).code == 250
        for stored in machine.wait_for_mails(2):
            assert b"[%s])\r\n\tby backend.test" % stored.body.strip() in stored.head


def test_a_helo_that_would_be_another_attribute(make_torhaus, backend):
    backend.extensions.append("XCLIENT NAME ADDR PORT PROTO HELO")
    t = gateway(make_torhaus, backend, "--mail-client", "xclient")
    with Smtp(t.mail, "127.0.0.77") as c:
        c.ehlo("a+b=ADDR=127.9.9.9")
        assert first_refusal(c).code == 250
    told = backend.done[0].told.split(" ")
    assert "ADDR=127.0.0.77" in told and "HELO=a+2Bb+3DADDR+3D127.9.9.9" in told


# ---- STARTTLS ----

INJECTED = b"MAIL FROM:<evil@client.test>\r\nRCPT TO:<box@example.test>\r\n"


@pytest.mark.parametrize("split", [False, True])
def test_commands_behind_starttls(make_torhaus, backend, split):
    """With it in one segment, or in the next: they are never obeyed, neither before nor after the handshake."""
    t = gateway(make_torhaus, backend)
    with Session(t) as c:
        if split:
            c.send_split(b"STARTTLS\r\n" + INJECTED, len(b"STARTTLS\r\n"))
        else:
            c.send(b"STARTTLS\r\n" + INJECTED)
        reply = c.read()
        if reply.code == 220:               # the rest came later: it was no handshake
            assert split
        else:
            assert reply.code == 554
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            c.handshake()
            assert c.ask("DATA") is None
    assert backend.count("MAIL") == 0
    wait_for(lambda: mail_events(t, "session"), what="the session's line")


def test_nothing_of_before_counts_after_tls(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    with Session(t) as c:
        assert "STARTTLS" in c.extensions
        c.ask("MAIL FROM:<evil@client.test>")
        c.ask("RCPT TO:<box@example.test>")
        assert c.ask("STARTTLS").code == 220
        c.handshake()
        for command in ("RCPT TO:<box@example.test>", "DATA", "MAIL FROM:<sender@client.test>"):
            assert c.ask(command).code == 503, command
        c.ehlo()
        assert "STARTTLS" not in c.extensions
        assert c.ask("RCPT TO:<box@example.test>").code == 503
        assert c.ask("STARTTLS").code == 503
        assert first_refusal(c).code == 250
    assert [m.sender for m in backend.done] == ["sender@client.test"]


def test_starttls_before_ehlo_and_with_arguments(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    with Smtp(t.mail) as c:
        assert c.ask("STARTTLS").code == 503
        c.ehlo()
        assert c.ask("STARTTLS now").code == 501
        c.starttls()
        assert first_refusal(c).code == 250


def test_plaintext_where_tls_was_announced(make_torhaus, backend):
    """After its 220 commands instead of a handshake."""
    t = gateway(make_torhaus, backend)
    with Session(t) as c:
        assert c.ask("STARTTLS").code == 220
        c.send(b"EHLO again\r\nMAIL FROM:<evil@client.test>\r\n")
        try:
            while data := c.sock.recv(4096):
                assert data[0] == 21            # an alert is the most that may come
        except ConnectionError:
            pass
    assert not backend.mails


def test_no_certificate(make_torhaus, backend):
    t = gateway(make_torhaus, backend, certificates=())
    with Session(t) as c:
        assert "STARTTLS" not in c.extensions
        assert c.ask("STARTTLS").code == 454
        assert first_refusal(c).code == 250


# ---- who must come encrypted ----

def test_required_for_the_domain(make_torhaus, backend):
    t = gateway(make_torhaus, backend, "--tls", "require", mail='tls_grace = "0s"')
    with Session(t) as c:
        reply = first_refusal(c)
        assert (reply.code, reply.enhanced) == (550, "5.7.10") and "[MAIL-TLS-REQUIRED]" in reply.text
        c.starttls()
        assert first_refusal(c).code == 250
    assert backend.sessions == 1 and len(backend.done) == 1
    with Smtp(t.mail_tls, tls=any_certificate()) as c:
        c.ehlo()
        assert first_refusal(c).code == 250


def test_put_off_while_there_is_grace(make_torhaus, backend):
    t = gateway(make_torhaus, backend, "--tls", "require")
    with Session(t) as c:
        reply = first_refusal(c)
        assert reply.code in (450, 530) and "[MAIL-TLS-REQUIRED]" in reply.text
    assert backend.sessions == 0


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


def test_an_exception_for_a_recipient(make_torhaus, backend):
    t = gateway(make_torhaus, backend, "--tls", "require", start=False)
    t.run("recipient", "set", "list@example.test", "--tls", "off")
    t.start()
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        assert c.ask("RCPT TO:<list@example.test>").code == 250
        assert c.ask("RCPT TO:<box@example.test>").code >= 400


def test_the_promise_includes_the_way_to_the_backend(make_torhaus, pair):
    """Elsewhere than on this machine mail that must be encrypted is not handed on in the clear."""
    t = gateway(make_torhaus, None, "--tls", "require", mail=QUICK, start=False)
    with Backend(address="::1") as near:
        t.run("domain", "add", "example.test", "--mail", f"[::1]:{near.port}", "--tls", "require")
        t.start()
        with Session(t, tls=True) as c:
            assert first_refusal(c).code == 250


def test_nobody_else_s_mail(make_torhaus, backend):
    """No relay: not for other domains, not by source routes, percent signs or quotes."""
    t = gateway(make_torhaus, backend)
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        for to in ("box@elsewhere.test", "box@sub.example.test", "box@example.test.elsewhere.test", "box", "@example.test",
                   "@example.test:box@elsewhere.test", "box@[127.0.0.1]", "\"box@example.test\"@elsewhere.test"):
            reply = c.ask(f"RCPT TO:<{to}>")
            assert reply.code in (501, 550), (to, reply)
    assert backend.count("RCPT") == 0


# ---- several domains ----

def test_domains_with_different_backends(make_torhaus, backend):
    with Backend() as other:
        t = gateway(make_torhaus, backend, start=False)
        t.run("domain", "add", "other.test", "--mail", f"127.0.0.1:{other.port}")
        t.run("domain", "add", "same.test", "--mail", f"127.0.0.1:{backend.port}")
        t.start()
        waiting = ["a@example.test", "b@other.test", "c@same.test", "d@other.test"]
        with Session(t, tls=True) as c:
            while waiting:
                c.ask("MAIL FROM:<sender@client.test>")
                replies = {to: c.ask(f"RCPT TO:<{to}>") for to in waiting}
                assert all(r.code == 250 or (r.code, r.enhanced) == (451, "4.5.3") for r in replies.values())
                assert c.ask("DATA").code == 354
                c.send(dotted(SHORT))
                assert c.read().code == 250
                waiting = [to for to, reply in replies.items() if reply.code != 250]
        assert [m.recipients for m in backend.done] == [["a@example.test", "c@same.test"]]
        assert [m.recipients for m in other.done] == [["b@other.test", "d@other.test"]]


# ---- what is passed on ----

def test_parameters_reach_the_backend(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    with Session(t, tls=True) as c:
        assert {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING"} <= c.extensions
        assert c.ask("MAIL FROM:<jürgen@client.test> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb").code == 250
        assert c.ask("RCPT TO:<übung@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@example.test").code == 250
        assert c.ask("RSET").code == 250
    mail_line, rcpt_line = backend.mails[0].lines
    assert set(mail_line.split(" ")[2:]) == {"SIZE=100", "BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=a+2Bb"} or \
        {"BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=a+2Bb"} <= set(mail_line.split(" "))
    assert rcpt_line == "RCPT TO:<übung@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@example.test"


def test_what_a_backend_cannot_do(make_torhaus):
    """A poor one: it is not asked for what it does not know, and mail that needs it is refused."""
    with Backend(extensions=()) as poor:
        t = gateway(make_torhaus, poor)
        with Session(t) as c:
            c.ask("MAIL FROM:<sender@client.test> BODY=8BITMIME RET=HDRS SIZE=100")
            assert c.ask("RCPT TO:<box@example.test> NOTIFY=NEVER").code == 250
            assert c.ask("RSET").code == 250
            assert poor.mails[0].lines == ["MAIL FROM:<sender@client.test>", "RCPT TO:<box@example.test>"]
            assert c.ask("MAIL FROM:<jürgen@client.test> SMTPUTF8").code == 250
            assert c.ask("RCPT TO:<box@example.test>").code == 550
            c.ask("RSET")
            assert first_refusal(c, MAILS["8-bit"]).code == 554
            assert first_refusal(c, MAILS["dots"]).code == 250
        with Session(t) as c:               # by now it is known
            assert not {"8BITMIME", "SMTPUTF8", "DSN"} & c.extensions
    assert len(poor.done) == 1 and poor.done[0].content.endswith(MAILS["dots"])


def test_chunks(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    content = MAILS["dots"]
    with Session(t, tls=True) as c:
        for sizes in ([len(content)], [1] * len(content), [10, 0, len(content) - 10]):
            c.ask("MAIL FROM:<sender@client.test>")
            c.ask("RCPT TO:<box@example.test>")
            at = 0
            for n, size in enumerate(sizes):
                last = " LAST" if n == len(sizes) - 1 else ""
                c.send(b"BDAT %d%s\r\n" % (size, last.encode()) + content[at:at + size])
                at += size
                assert c.read().code == 250
        c.ask("MAIL FROM:<sender@client.test>")
        c.ask("RCPT TO:<box@example.test>")
        c.send(b"BDAT %d\r\n" % len(content) + content)
        assert c.read().code == 250
        assert c.ask("BDAT 0 LAST").code == 250
    assert [m.content.endswith(content) for m in backend.done] == [True] * 4


def test_a_pipelined_session(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    with Smtp(t.mail) as c:
        c.send(b"EHLO client.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n")
        assert [c.read().code for _ in range(5)] == [250, 250, 250, 250, 354]
        c.send(dotted(SHORT) + b"MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nRSET\r\nQUIT\r\n")
        assert [reply.code for reply in c.read_all()] == [250, 250, 250, 250, 221]
    assert [m.recipients for m in backend.done] == [["a@example.test", "b@example.test"]]


# ---- clients ----

LEAVES = {"greeting": b"", "EHLO": b"EHLO client.test\r\n", "MAIL": b"MAIL FROM:<sender@client.test>\r\n",
          "RCPT": b"RCPT TO:<box@example.test>\r\n", "DATA": b"DATA\r\n", "body": SHORT, "no dot": SHORT + b".\r",
          "a dot more": SHORT + b"..\r\n"}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("step", LEAVES)
def test_a_client_that_leaves(make_torhaus, backend, step, reset):
    """At any step: the backend gets no dot, and its connection is not used for anything else in between."""
    t = gateway(make_torhaus, backend)
    with Smtp(t.mail) as c:
        for name, data in LEAVES.items():
            c.send(data)
            if name in ("EHLO", "MAIL", "RCPT", "DATA"):
                c.read()
            if name == step:
                break
        if reset:
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: mail_events(t, "session"), what="the end of the session")
    assert not backend.done
    works_again(t, backend)


BARE = [b"NOOP\n", b"NOOP\r\r\n", b"\nNOOP\r\n", b"NO\0OP\r\n", b"NOOP\rNOOP\r\n", b"MAIL FROM:<a@b.test>\nRCPT TO:<box@example.test>\r\n"]


@pytest.mark.parametrize("line", BARE)
def test_command_lines_end_in_crlf(make_torhaus, backend, line):
    t = gateway(make_torhaus, backend)
    with Session(t) as c:
        c.send(line)
        c.send(b"NOOP\r\n")
        assert [reply.code for reply in c.read_all()] == [521]


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"\n", b"a\r\r\n", b"x" * 100_000 + b"\n"])
def test_bodies_of_crlf_lines_only(make_torhaus, backend, body):
    t = gateway(make_torhaus, backend)
    with Session(t) as c:
        c.envelope("sender@client.test", ["box@example.test"])
        try:
            c.send(SHORT + body + b".\r\n")
            assert [reply.code for reply in c.read_all()] == [521]
        except ConnectionError:
            pass
    assert not backend.done
    works_again(t, backend)


def test_limits(make_torhaus, backend):
    t = gateway(make_torhaus, backend, mail="recipients_max = 3 commands_max = 20 errors_max = 5 message_size_max = 10K "
                                           "connections_per_network = 4")
    with Session(t) as c:
        c.ask("MAIL FROM:<sender@client.test>")
        replies = [c.ask(f"RCPT TO:<r{n}@example.test>") for n in range(4)]
        assert [r.code for r in replies] == [250, 250, 250, 452] and replies[3].enhanced == "4.5.3"
        assert c.ask("DATA").code == 354
        c.send(dotted(MAILS["300-KB"]))
        assert c.read().code == 552
        assert c.ask("MAIL FROM:<sender@client.test> SIZE=20000").code == 552
    assert not backend.done
    with Session(t) as c:
        codes = [reply.code for _ in range(40) if (reply := c.ask("NOOP"))]
        assert codes[-1] == 421 and len(codes) <= 21
    with Session(t) as c:
        codes = [reply.code for _ in range(40) if (reply := c.ask("WHAT"))]
        assert codes[-1] == 421 and len(codes) <= 8
    with Session(t) as c:
        c.send(b"NOOP " + b"x" * 100_000 + b"\r\n")
        assert c.read_all()[0].code == 500
    held = []
    try:
        held += [Smtp(t.mail) for _ in range(4)]
        assert all(c.greeting.code == 220 for c in held)
        with Smtp(t.mail) as fifth:
            assert fifth.greeting.code == 421
        with Smtp(t.mail, source="127.77.0.1") as elsewhere:
            assert elsewhere.greeting.code == 220
    finally:
        for c in held:
            c.close()


def test_mail_that_runs_in_a_circle(make_torhaus, backend):
    t = gateway(make_torhaus, backend)
    trace = b"Received: from a by b; Fri, 05 Jan 2024 09:14:20 +0100\r\n"
    with Session(t) as c:
        assert c.mail(trace * 200 + SHORT).code == 554
        assert c.mail(trace * 10 + SHORT).code == 250
    assert len(backend.done) == 1


def test_a_crawling_client(make_torhaus, backend):
    """Byte by byte, but within the limits: it is served as any other."""
    t = gateway(make_torhaus, backend)
    with Smtp(t.mail) as c:
        def crawl(data):
            for byte in data:
                c.send(bytes([byte]))
                time.sleep(0.001)

        for line in (b"EHLO client.test\r\n", b"MAIL FROM:<sender@client.test>\r\n", b"RCPT TO:<box@example.test>\r\n", b"DATA\r\n"):
            crawl(line)
            assert c.read().code in (250, 354)
        crawl(dotted(MAILS["dots"]))
        assert c.read().code == 250
    assert backend.done[0].content.endswith(MAILS["dots"])


def test_a_client_that_stops(make_torhaus, backend):
    """In a command, in the handshake, in a message: after its time it is told, and the backend gets no dot."""
    t = gateway(make_torhaus, backend, mail="command_timeout = 1s tls_timeout = 1s data_timeout = 1s")
    with Session(t) as c:
        c.send(b"MAIL FRO")
        assert c.read().code == 421
    with Session(t) as c:
        assert c.ask("STARTTLS").code == 220
        while c.sock.recv(4096):
            pass
    with Session(t) as c:
        c.envelope("sender@client.test", ["box@example.test"])
        c.send(SHORT)
        assert c.read().code == 421
    assert not backend.done
    works_again(t, backend)


@pytest.mark.slow
def test_many_crawling_clients(make_torhaus, backend):
    """Hundreds in the middle of their messages at once, each of which then arrives whole."""
    t = gateway(make_torhaus, backend, mail="connections_per_network = 1000 connections_max = 1000")
    content = MAILS["300-KB"]
    sessions = [Session(t) for _ in range(200)]
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
    assert len({m.recipients[0] for m in backend.done}) == 200
    assert all(m.content.endswith(content) for m in backend.done)
