"""The mail edge as one reads it: scripted clients, scripted backends. With real mail servers: test_mail_peers.py."""

import contextlib
import re
import socket
import sqlite3
import ssl

import pytest

import dns_client
from client import any_certificate
from conftest import wait_for
from mta import free_port
from pair import make_pair
from smtp import Backend, Smtp, deliver

LETTER = b"Subject: letter\r\n\r\nHello\r\n.a line that begins with a dot\r\n..\r\n.\x20\r\nlast\r\n"
SETTINGS = """mail {{
  listen = {{"127.0.0.1:0"}}
  listen_tls = {{"127.0.0.1:0"}}
  hostname = "mx.example.net"
  tarpit = "0"
  {}
}}"""


@pytest.fixture
def backend():
    with Backend() as b:
        yield b


@pytest.fixture
def gateway(make_torhaus, backend):
    """Makes a gateway with example.test at the scripted backend: gateway(settings, *options of the domain)."""
    def make(settings="", *options, pairs=True, threads=2):
        t = make_torhaus(settings=SETTINGS.format(settings), threads=threads)
        if pairs:
            make_pair(t.certs, "ec", "ec", names=("mx.example.test",))
        t.run("domain", "add", "example.test", "--mail", f"127.0.0.1:{backend.port}", *options)
        return t.start()
    return make


def event(t, name, **values):
    """The first log line of that event that has these values."""
    def find():
        for line in t.logs().splitlines():
            fields = dict(re.findall(r'(\w+)=("[^"]*"|\S*)', line))
            if f" mail {name} " in line and all(fields.get(k, "").strip('"') == v for k, v in values.items()):
                return fields
    return wait_for(find, what=f"the event {name} {values} in\n{t.logs()}")


# ---- whose mail is taken ----

def answer_to(t, mailbox):
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        return c.ask(f"RCPT TO:<{mailbox}>").code


def test_a_store_that_could_never_be_read_bounces_no_mail(make_torhaus, backend):
    """Nobody knows whose mail server this is: later, not never."""
    t = make_torhaus(settings=SETTINGS.format(""))
    t.run("domain", "add", "example.test", "--mail", f"127.0.0.1:{backend.port}")
    db = t.dir / "torhaus.db"
    whole = db.read_bytes()
    db.write_bytes(b"this is no database" * 500)
    t.start()
    assert answer_to(t, "box@example.test") == answer_to(t, "box@elsewhere.test") == 451
    assert event(t, "recipient-refused", code="MAIL-DOMAINS-UNREAD")
    db.write_bytes(whole)
    wait_for(lambda: answer_to(t, "box@example.test") == 250, what="the domains")
    assert answer_to(t, "box@elsewhere.test") == 550


def test_a_domain_that_cannot_be_read_bounces_no_mail(gateway, backend):
    t = gateway()
    assert answer_to(t, "box@broken.test") == 550
    t.run("domain", "add", "broken.test", "--mail", f"127.0.0.1:{backend.port}")
    wait_for(lambda: answer_to(t, "box@broken.test") == 250, what="the domain")
    with contextlib.closing(sqlite3.connect(t.dir / "torhaus.db")) as db:
        [text] = db.execute("SELECT body FROM domain WHERE name = 'broken.test'").fetchone()
        db.execute("UPDATE domain SET body = 'nonsense' WHERE name = 'broken.test'")
        db.commit()
    t.run("domain", "set", "example.test", "--tls", "report")  # what is read anew
    wait_for(lambda: answer_to(t, "box@broken.test") == 451, what="what is left of the domains")
    assert answer_to(t, "box@example.test") == 250
    with contextlib.closing(sqlite3.connect(t.dir / "torhaus.db")) as db:
        db.execute("UPDATE domain SET body = ? WHERE name = 'broken.test'", (text,))
        db.commit()
    t.run("domain", "set", "example.test", "--tls", "require")
    wait_for(lambda: answer_to(t, "box@broken.test") == 250, what="the domain, mended")
    assert answer_to(t, "box@elsewhere.test") == 550


# ---- one mail ----

def test_a_mail_goes_through(gateway, backend):
    t = gateway()
    reply = deliver(t.mail, LETTER)
    assert str(reply) == "250 2.0.0 Ok: queued"
    [mail] = backend.done
    trace, rest = mail.content.split(b"\r\nSubject:", 1)
    assert b"Subject:" + rest == LETTER
    assert re.match(rb"Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.net \(torhaus\) with ESMTP id "
                    rb"\w+\r\n\tfor <box@example\.test>;\r\n\t\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}$", trace)
    line = event(t, "mail", verdict="delivered")
    assert line["backend"] == f"127.0.0.1:{backend.port}" and line["to"] == "box@example.test"
    assert event(t, "session", verdict="quit")["mails"] == "1"


def test_ehlo_and_helo(gateway):
    t = gateway()
    with Smtp(t.mail) as c:
        assert c.greeting.code == 220 and c.greeting.lines[0].startswith("mx.example.net ESMTP")
        c.ehlo()
        assert c.extensions == {"PIPELINING", "SIZE", "STARTTLS", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"}
        assert c.ask("HELO client.test").lines == ["mx.example.net"]
        assert c.ask("EHLO").code == 501
        assert c.ask("EHLO two words").code == 250
        assert [c.ask(x).code for x in ("NOOP", "NOOP x", "VRFY box", "EXPN list", "HELP", "RSET")] == [250, 250, 252, 502, 214, 250]


LOOSE = {  # what Debian's Postfix and Exim take as well, and what is passed on of it
    "MAIL FROM:a..b@c.test": "MAIL FROM:<a..b@c.test>",
    "MAIL FROM: < .a@c.test. > SIZE=100": "MAIL FROM:<.a@c.test> SIZE=100",
    "mail\tfrom:Joe Doe <a@c.test> (Joe)": "MAIL FROM:<a@c.test>",
    "MAIL FROM:<a@c.test> AUTH=<> BODY=8BITMIME body=8bitmime": "MAIL FROM:<a@c.test> BODY=8BITMIME",
    "MAIL FROM:<root>": "MAIL FROM:<root>",
    "RCPT TO:box@example.test": "RCPT TO:<box@example.test>",
    "RCPT TO:<b..ox.@Example.test.>": "RCPT TO:<b..ox.@Example.test>",
}


def test_addresses_are_read_as_widely_as_elsewhere(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo("my pc")
        for said, passed_on in LOOSE.items():
            lines = {"MAIL": "MAIL FROM:<a@c.test>", "RCPT": "RCPT TO:<box@example.test>", said[:4].upper(): said}
            assert [c.ask(lines[verb]).code for verb in ("MAIL", "RCPT")] == [250, 250], said
            assert passed_on in backend.mails[-1].lines, said
            c.ask("RSET")


@pytest.mark.parametrize("line, code", [("MAIL FROM:<a@b@c.test>", 501), ("MAIL FROM:<a@c.test", 501), ("MAIL <a@c.test>", 501),
                                        ("MAIL FROM:<a@c.test> <b@c.test>", 555)])
def test_what_is_not_understood_is_in_the_log(gateway, line, code):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        reply = c.ask(line)
        assert reply.code == code and "[MAIL-BAD-SYNTAX]" in reply.text
    found = event(t, "syntax-refused", code="MAIL-BAD-SYNTAX")
    assert line in found["command"] and found["answer"] == str(code) and found["peer"] == "127.0.0.1"


def test_only_what_the_backend_can_is_announced(gateway, backend):
    backend.extensions = ["PIPELINING", "SIZE 1000000"]
    t = gateway()
    deliver(t.mail, b"Subject: x\r\n\r\nx\r\n")
    with Smtp(t.mail) as c:
        reply = c.ehlo()
        assert not c.extensions & {"8BITMIME", "DSN", "SMTPUTF8"} and "SIZE 1000000" in reply.lines
        assert c.mail("Subject: x\r\n\r\nä\r\n".encode()).enhanced == "5.6.3"
        c.ask("MAIL FROM:<> SMTPUTF8")
        reply = c.ask("RCPT TO:<box@example.test>")
        assert reply.code == 550 and reply.enhanced == "5.6.7"
    assert len(backend.done) == 1


def test_the_order_of_commands(gateway):
    t = gateway()
    with Smtp(t.mail) as c:
        assert c.ask("MAIL FROM:<a@b.test>").code == 503
        c.ehlo()
        assert c.ask("RCPT TO:<box@example.test>").code == 503
        assert c.ask("DATA").code == 503
        assert c.ask("MAIL FROM:<a@b.test>").code == 250
        assert c.ask("MAIL FROM:<a@b.test>").code == 503
        assert c.ask("DATA").code == 554
        assert c.ask("QUIT").code == 221
        assert c.read() is None


def test_pipelining(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        c.send(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<box@example.test>\r\nRCPT TO:<x@nowhere.test>\r\nRCPT TO:<two@example.test>\r\nDATA\r\n")
        assert [c.read().code for _ in range(5)] == [250, 250, 550, 250, 354]
        c.send(b"Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<a@b.test>\r\nRSET\r\nQUIT\r\n")
        assert [c.read().code for _ in range(4)] == [250, 250, 250, 221]
    assert backend.done[0].recipients == ["box@example.test", "two@example.test"]


def test_parameters_reach_the_backend(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<ä@b.test> SIZE=20 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By".encode())
        c.ask("RCPT TO:<ö@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y".encode())
        c.ask("RCPT TO:<@relay.test:plain@EXAMPLE.test>")
        c.ask("DATA")
        c.ask("Subject: ü\r\n\r\n\r\n.".encode())
    assert backend.done[0].lines == ["MAIL FROM:<ä@b.test> SIZE=20 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By",
                                     "RCPT TO:<ö@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y",
                                     "RCPT TO:<plain@EXAMPLE.test>"]


def test_chunks(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        c.send(b"BDAT 4\r\nxxxx")
        assert c.read().code == 554
        c.ask("RCPT TO:<box@example.test>")
        c.send(b"BDAT 10\r\nSubject: \r" + b"BDAT 13\r\n\n\r\n.\r\n..x\r\nyz" + b"BDAT 0 LAST\r\n")
        assert [c.read().code for _ in range(3)] == [250, 250, 250]
        c.send(b"BDAT 3 LAST\r\nabc")
        assert c.read().code == 503
        assert c.ask("QUIT").code == 221
    assert backend.done[0].content.endswith(b"Subject: \r\n\r\n.\r\n..x\r\nyz\r\n")


def test_chunks_end_with_a_whole_line_end(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        c.ask("RCPT TO:<box@example.test>")
        assert c.ask("BDAT 4 LAST\r\nabc\r").code == 521
        assert c.read() is None
    assert not backend.done


# ---- who is served ----

def test_relaying_is_denied(gateway, backend):
    t = gateway()
    t.run("domain", "add", "web-only.test", "--origin", "http://127.0.0.1:9")
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<>")
        for address in ("x@nowhere.test", "x@web-only.test", "x@[127.0.0.1]", "postmaster", "\"x@example.test\"@nowhere.test"):
            reply = c.ask(f"RCPT TO:<{address}>")
            assert reply.code == 550 and reply.enhanced == "5.7.1" and "MAIL-RELAY-DENIED" in reply.text
        for address in ("x%nowhere.test@example.test", "nowhere.test!x@example.test", "\"x@nowhere.test\"@example.test"):
            reply = c.ask(f"RCPT TO:<{address}>")
            assert reply.code == 550 and reply.enhanced == "5.7.1" and "MAIL-ROUTED-ADDRESS" in reply.text
    t.run("domain", "add", "example.net", "--mail", f"127.0.0.1:{backend.port}")
    def postmaster():
        with Smtp(t.mail) as c:
            c.ehlo()
            c.ask("MAIL FROM:<>")
            return c.ask("RCPT TO:<postmaster>").code == 250
    wait_for(postmaster, what="a home for <postmaster>")


def test_backends_of_one_message(gateway, backend):
    t = gateway()
    with Backend() as other:
        t.run("domain", "add", "other.test", "--mail", f"127.0.0.1:{other.port}")
        t.run("domain", "add", "same.test", "--mail", f"127.0.0.1:{backend.port}")
        def known():
            with Smtp(t.mail) as c:
                c.ehlo()
                c.ask("MAIL FROM:<>")
                return c.ask("RCPT TO:<x@same.test>").code == 250
        wait_for(known, what="the new domains")
        with Smtp(t.mail) as c:
            c.ehlo()
            c.ask("MAIL FROM:<a@b.test>")
            replies = [c.ask(f"RCPT TO:<{x}>") for x in ("box@example.test", "x@other.test", "y@same.test")]
            assert [r.code for r in replies] == [250, 451, 250] and replies[1].enhanced == "4.5.3"
            c.ask("DATA")
            assert c.ask("Subject: x\r\n\r\n.").code == 250
        assert backend.done[-1].recipients == ["box@example.test", "y@same.test"] and not other.done
        deliver(t.mail, b"x: y\r\n\r\n", recipients=["x@other.test"])
        assert other.done[0].recipients == ["x@other.test"]


# ---- what the backend says ----

def test_refusals_are_passed_on(gateway, backend):
    t = gateway()
    backend.at("RCPT", call=lambda line: "550 5.1.1 No such user" if "nobody" in line else None)
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        assert str(c.ask("RCPT TO:<nobody@example.test>")) == "550 5.1.1 No such user"
        assert c.ask("RCPT TO:<box@example.test>").code == 250
        assert event(t, "recipient", answer="550")["to"] == "nobody@example.test"
        c.ask("RSET")
        backend.at("MAIL", "452 Full", times=1)
        c.ask("MAIL FROM:<a@b.test>")
        assert str(c.ask("RCPT TO:<box@example.test>")) == "452 4.0.0 Full"
        assert c.ask("RCPT TO:<box@example.test>").code == 250
        backend.at("dot", "554-5.7.1 This is\r\n554 5.7.1 spam")
        c.ask("DATA")
        assert c.ask("x: y\r\n\r\n.").lines == ["5.7.1 This is", "5.7.1 spam"]
        backend.at("DATA", "452 4.3.1 Later")
        assert c.ask("MAIL FROM:<a@b.test>").code == 250
        c.ask("RCPT TO:<box@example.test>")
        assert str(c.ask("DATA")) == "452 4.3.1 Later"
        assert c.ask("NOOP").code == 250
    assert event(t, "mail", verdict="deferred")["reply"] == "Later"


@pytest.mark.parametrize("code", [421, 454, 502, 503, 530, 535, 354])
def test_what_is_between_us_is_not_for_the_client(gateway, backend, code):
    t = gateway()
    backend.at("RCPT", f"{code} 5.7.0 Must issue a STARTTLS command first")
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        assert c.ask("RCPT TO:<box@example.test>").code == 451
        assert c.ask("NOOP").code == 250


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot"])
@pytest.mark.parametrize("how", ["close", "silent"])
def test_a_backend_that_goes_or_hangs(gateway, backend, step, how):
    t = gateway('backend_timeout = "500ms"\n final_timeout = "500ms"')
    backend.at(step, **{how: True})
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        reply = c.ask("RCPT TO:<box@example.test>")
        if step in ("DATA", "body", "dot"):
            assert reply.code == 250
            reply = c.ask("DATA")
        if step in ("body", "dot"):
            assert reply.code == 354
            reply = c.ask("Subject: x\r\n\r\nx\r\n.")
        assert reply.code == 451 and reply.enhanced.startswith("4.4."), reply
        backend.usual_again()
        c.ask("RSET")
        assert c.mail(LETTER).code == 250
    assert event(t, "backend-failed")["code"].startswith("MAIL-BACKEND-")


def test_no_backend(gateway, backend):
    t = gateway()
    t.run("domain", "set", "example.test", "--mail", f"127.0.0.1:{free_port('127.0.0.1')}")
    wait_for(lambda: outcome(t) == 451, what="the new backend")
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        reply = c.ask("RCPT TO:<box@example.test>")
        assert reply.code == 451 and "MAIL-BACKEND-REFUSED" in reply.text
    [trouble] = t.json("status")["mail"]["backends"]
    assert trouble["code"] == "MAIL-BACKEND-REFUSED"
    assert "MAIL-BACKEND-REFUSED" in t.run("status").stdout and "MAIL-BACKEND-REFUSED" in t.run("check", check=False).stdout


def test_connections_are_kept_and_dead_ones_noticed(gateway, backend):
    t = gateway("", "--mail-client", "none", threads=1)      # each thread keeps its own
    for _ in range(5):
        deliver(t.mail, LETTER)
    assert backend.sessions == 1
    backend.hang_up()
    for _ in range(4):
        assert deliver(t.mail, LETTER).code == 250
    for _ in range(2):
        backend.at("MAIL", "421 4.3.2 Going", times=1)
        assert deliver(t.mail, LETTER).code == 250


def test_a_client_that_goes_leaves_nothing(gateway, backend):
    t = gateway()
    for text in (b"", b"Subject: x\r\n\r\nhalf", b"Subject: x\r\n\r\nhalf\r\n", b"Subject: x\r\n\r\nhalf\r\n.", b"x: y\r\n\r\n.\r"):
        with Smtp(t.mail) as c:
            c.ehlo()
            c.envelope("a@b.test", ["box@example.test"])
            c.send(text)
    for _ in range(5):
        event(t, "mail", verdict="lost")
    wait_for(lambda: t.logs().count("verdict=lost") >= 10, what="ten lines about five sessions")
    assert deliver(t.mail, LETTER).code == 250
    assert len(backend.done) == 1


# ---- limits ----

def test_size(gateway, backend):
    t = gateway('message_size_max = "64K"')
    with Smtp(t.mail) as c:
        assert "SIZE 65536" in c.ehlo().lines
        assert c.ask("MAIL FROM:<a@b.test> SIZE=65537").code == 552
        assert c.mail(b"x: y\r\n\r\n" + b"y" * 70000 + b"\r\n").code == 552
        assert c.mail(b"x: y\r\n\r\n" + b"y" * 60000 + b"\r\n").code == 250
        c.envelope("a@b.test", ["box@example.test"])
        try:
            c.send(b"y" * 4000000)
        except (ConnectionError, ssl.SSLError):
            pass
        assert c.read().code == 552
    assert len(backend.done) == 1


def test_circles(gateway, backend):
    t = gateway()
    assert deliver(t.mail, b"Received: x\r\n" * 50 + b"\r\nReceived: x\r\n").code == 250
    assert str(deliver(t.mail, b"rEceived: x\r\n" * 51 + b"\r\nx\r\n")).startswith("554 5.4.6")
    assert len(backend.done) == 1


def test_recipients_errors_commands_connections(gateway, backend):
    t = gateway("recipients_max = 2\n errors_max = 4\n commands_max = 20\n connections_per_network = 2")
    with Smtp(t.mail) as c, Smtp(t.mail) as d:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        assert [c.ask(f"RCPT TO:<{x}@example.test>").code for x in "abc"] == [250, 250, 452]
        assert [c.ask("WHAT").code for _ in range(5)] == [500] * 5
        assert c.read().code == 421
        assert c.read() is None
        assert d.greeting.code == 220
        for _ in range(20):
            assert d.ask("NOOP").code == 250
        assert d.ask("NOOP").code == 421
        with Smtp(t.mail, source="127.0.1.1") as e:
            assert e.greeting.code == 220
    with Smtp(t.mail) as c, Smtp(t.mail) as d, Smtp(t.mail) as e:
        assert sorted(x.greeting.code for x in (c, d, e)) == [220, 220, 421]


def test_silence(gateway):
    t = gateway('command_timeout = "300ms"\n data_timeout = "300ms"')
    with Smtp(t.mail) as c:
        assert c.read().code == 421
        assert c.read() is None
    with Smtp(t.mail) as c:
        c.ehlo()
        c.envelope("a@b.test", ["box@example.test"])
        assert c.read().code == 421


# ---- what no two programs read alike ----

@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\r\n\0.\r\n", b"\0\r\n.\r\n"])
@pytest.mark.parametrize("tls", [False, True])
def test_nothing_else_ends_a_message(gateway, backend, end, tls):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        if tls:
            c.starttls()
        c.envelope("a@b.test", ["box@example.test"])
        c.send(b"x: y\r\n\r\nfirst" + end + b"MAIL FROM:<x@y>\r\nRCPT TO:<z@example.test>\r\nDATA\r\nx\r\n.\r\n")
        assert [r.code for r in c.read_all()] == [521]
    assert not backend.done


HIDDEN = b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<box@example.test>\r\nDATA\r\nhidden\r\n.\r\nQUIT\r\n"
NO_MAIL_CLIENTS = {
    "HTTP": b"POST / HTTP/1.1\r\nHost: mx.example.net:25\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "TLS": b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03" + bytes(200) + b"\r\n" + HIDDEN,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n" + HIDDEN,
    "SIP": b"OPTIONS sip:a@b.test SIP/2.0\r\nVia: x\r\n\r\n" + HIDDEN,
    "RDP": b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00\r\n" + HIDDEN,
    "the PROXY protocol": b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n" + HIDDEN,
    "header lines": b"Host: mx.example.net\r\n" + HIDDEN,
    "another protocol": b"*1\r\n$4\r\nPING\r\n" + HIDDEN,
}


def test_no_mail_comes_in_another_protocol(gateway, backend):
    t = gateway()
    for protocol, said in NO_MAIL_CLIENTS.items():
        with Smtp(t.mail) as c:
            c.send(said)
            [reply] = c.read_all()
            assert reply.code == 521 and protocol in reply.text and "[MAIL-NOT-SMTP]" in reply.text
        assert event(t, "refused", code="MAIL-NOT-SMTP", protocol=protocol)["peer"] == "127.0.0.1"
    with Smtp(t.mail) as c:
        c.ehlo()
        c.starttls()
        assert c.ask("GET / HTTP/1.1").code == 521
    assert event(t, "session", verdict="not-smtp", code="MAIL-NOT-SMTP")
    assert not backend.mails


def test_a_mail_server_that_is_torhaus_itself(gateway, backend):
    t = gateway()
    port = t.mail[1]
    for n, address in enumerate(("127.0.0.1", "localhost")):
        t.run("domain", "add", f"circle{n}.test", "--mail", f"{address}:{port}")
        wait_for(lambda: answer_to(t, f"box@circle{n}.test") == 451, what="the domain")
    before = t.json("status")["counters"]["mail_sessions"]
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        reply = c.ask("RCPT TO:<box@circle0.test>")
        assert reply.code == 451 and reply.enhanced == "4.4.6" and "[MAIL-LOOP]" in reply.text
    assert event(t, "backend-failed", code="MAIL-LOOP", domain="circle0.test")
    assert t.json("status")["counters"]["mail_sessions"] - before <= 2
    assert answer_to(t, "box@example.test") == 250


def test_check_tells_of_circles(make_torhaus):
    port = free_port("127.0.0.1")
    t = make_torhaus(settings='mail { listen = {"0.0.0.0:%d"} hostname = "mx.example.net" }' % port)
    t.run("domain", "add", "circle.test", "--mail", f"127.0.0.1:{port}")
    t.run("domain", "add", "other.test", "--mail", f"192.0.2.1:{port}")
    t.run("domain", "add", "port.test", "--mail", f"127.0.0.1:{port - 1}")
    done = t.run("check", check=False)
    assert "MAIL-LOOP" in done.stdout and "circle.test" in done.stdout
    assert done.stdout.count("MAIL-LOOP") == 1


def test_status_counts_recipients_that_were_put_off(gateway, backend):
    t = gateway()
    backend.at("RCPT", "451 4.2.1 Later")
    assert answer_to(t, "box@example.test") == 451
    assert "recipients: 1 put off, 0 refused" in t.run("status").stdout


@pytest.mark.parametrize("bdat", [False, True])
def test_lone_line_ends_are_mended_where_the_domain_wants_it(gateway, backend, bdat):
    t = gateway("", "--mail-lines", "mend")
    body = b"a: b\n\none\ntwo\rthree\r\r\n..x\r\n"
    with Smtp(t.mail) as c:
        c.ehlo()
        if bdat:
            c.ask("MAIL FROM:<a@b.test>")
            c.ask("RCPT TO:<box@example.test>")
            c.send(b"BDAT %d LAST\r\n" % len(body) + body)
        else:
            c.envelope("a@b.test", ["box@example.test"])
            c.send(body + b".\r\n")
        assert c.read().code == 250
    want = b"a: b\r\n\r\none\r\ntwo\r\nthree\r\n" + (b"..x\r\n" if bdat else b".x\r\n")
    assert backend.done[0].content.endswith(want)


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\rOP\r\n", b"NO\0OP\r\n", b"x" * 3000])
def test_malformed_lines(gateway, line):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        c.send(line)
        assert [r.code for r in c.read_all()] in ([521], [500])
    assert event(t, "session", verdict="malformed")["code"] == "MAIL-BARE-LINE"


# ---- TLS ----

def test_starttls_and_what_it_resets(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as c:
        assert c.ask("STARTTLS").code == 503
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        assert c.ask("STARTTLS x").code == 501
        assert c.ask("STARTTLS").code == 220
        c.handshake()
        assert c.ask("RCPT TO:<box@example.test>").code == 503
        assert c.ask("MAIL FROM:<a@b.test>").code == 503
        c.ehlo()
        assert "STARTTLS" not in c.extensions
        assert c.ask("STARTTLS").code == 503
        assert c.mail(LETTER).code == 250
    assert re.search(rb"\(using TLSv1\.3 with cipher TLS_\w+\)\r\n\tby mx\.example\.net \(torhaus\) with ESMTPS id", backend.done[0].content)
    assert event(t, "mail", verdict="delivered")["tls"] == "TLSv1.3"


def test_implicit_tls(gateway, backend):
    t = gateway()
    with Smtp(t.mail_tls, tls=any_certificate(ssl.TLSVersion.TLSv1_2)) as c:
        c.ehlo()
        assert "STARTTLS" not in c.extensions
        assert c.mail(LETTER).code == 250
    assert b"TLSv1.2" in backend.done[0].content


@pytest.mark.parametrize("pause", [0, 0.05])
def test_commands_behind_starttls_are_discarded(gateway, backend, pause):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        if pause:
            c.send(b"STARTTLS\r\nMAIL FR")
            assert c.read().code == 554
        else:
            c.send(b"STARTTLS\r\nMAIL FROM:<evil@b.test>\r\n")
            assert [r.code for r in c.read_all()] == [554]
    assert event(t, "tls-failed")["code"] == "TLS-PIPELINED"


def test_no_certificate(gateway):
    t = gateway(pairs=False)
    with Smtp(t.mail) as c:
        c.ehlo()
        assert "STARTTLS" not in c.extensions
        assert c.ask("STARTTLS").code == 454


def test_a_failed_handshake_is_explained(gateway):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo("mx07.partner.test")
        with pytest.raises(ssl.SSLError):
            c.starttls(any_certificate(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384"))
    line = event(t, "tls-failed", code="TLS-NO-RSA-CERT")
    assert line["peer"] == "127.0.0.1" and line["helo"] == "mx07.partner.test"
    assert "this ClientHello succeeds with ECDHE-RSA-AES256-GCM-SHA384" in t.logs()
    assert event(t, "session", verdict="tls-failed")["code"] == "TLS-NO-RSA-CERT"


def test_every_refusal_has_a_line(gateway, backend):
    """Somebody will ask for that mail: sender and recipient are there, also beyond the ten with sentences that a second has."""
    t = gateway("errors_max = 100", "--tls", "require")
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        for n in range(30):
            assert c.ask(f"RCPT TO:<box{n}@example.test>").code == 450
            assert c.ask(f"RCPT TO:<box{n}@nowhere.test>").code == 550
    event(t, "session")
    lines = [line for line in t.logs().splitlines() if "from=<a@b.test>" in line]
    for n in range(30):
        assert len([line for line in lines if f" to=box{n}@example.test answer=450 " in line and "MAIL-TLS-REQUIRED" in line]) == 1
        assert len([line for line in lines if f" to=box{n}@nowhere.test answer=550 " in line and "MAIL-RELAY-DENIED" in line]) == 1


def test_encryption_required(gateway, backend):
    t = gateway("", "--tls", "require")
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        reply = c.ask("RCPT TO:<box@example.test>")
        assert reply.code == 450 and reply.enhanced == "4.7.0" and "MAIL-TLS-REQUIRED" in reply.text
        assert c.ask("DATA").code == 554
        c.starttls()
        assert c.mail(LETTER).code == 250
    assert len(backend.mails) == 1


def test_plaintext_after_a_failed_handshake(gateway, backend):
    """The founding case: what the sender's operator sees as a refusal has its cause in the connection before."""
    t = gateway("", "--tls", "require")
    with Smtp(t.mail, source="127.0.0.43") as c:
        c.ehlo("mx07.partner.test")
        with pytest.raises(ssl.SSLError):
            c.starttls(any_certificate(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384"))
    event(t, "tls-failed")
    with Smtp(t.mail, source="127.0.0.43") as c:
        c.ehlo("mx07.partner.test")
        c.ask("MAIL FROM:<a@partner.test>")
        reply = c.ask("RCPT TO:<box@example.test>")
        assert reply.code == 450 and "[TLS-NO-RSA-CERT]" in reply.text and "can only verify RSA certificates" in reply.text
    line = event(t, "plaintext-refused", code="TLS-PLAINTEXT-FALLBACK")
    assert line["peer"] == "127.0.0.43" and line["earlier"] == "TLS-NO-RSA-CERT"
    assert re.search(r"  followed: \d+ s later the same peer came without TLS and was deferred for box@example\.test", t.logs())
    make_pair(t.certs, "rsa", "rsa", names=("mx.example.test",))
    def delivered():
        with Smtp(t.mail, source="127.0.0.43") as c:
            c.ehlo("mx07.partner.test")
            try:
                c.starttls(any_certificate(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384"))
            except (ssl.SSLError, ConnectionError):
                return False
            return c.mail(LETTER).code == 250
    wait_for(delivered, what="the mail, once the RSA pair is there")


def test_without_grace_plaintext_is_refused_at_once(gateway):
    t = gateway('tls_grace = "0"', "--tls", "require")
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        reply = c.ask("RCPT TO:<box@example.test>")
        assert reply.code == 550 and reply.enhanced == "5.7.10"


def test_recipients_of_their_own(gateway, backend):
    t = gateway("", "--tls", "require")
    t.run("recipient", "set", "list@example.test", "--tls", "off")
    wait_for(lambda: "450" not in str(ask_rcpt(t, "list@example.test")), what="the exception")
    assert ask_rcpt(t, "List@Example.TEST").code == 250
    assert ask_rcpt(t, "box@example.test").code == 450


def ask_rcpt(t, address):
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        return c.ask(f"RCPT TO:<{address}>")


# ---- TLS and the client's address towards the backend ----

@pytest.fixture
def tls_backend(tmp_path):
    make_pair(tmp_path, "backend", "rsa", names=("backend.test",))
    with Backend(certificate=(tmp_path / "backend.crt", tmp_path / "backend.key")) as b:
        yield b


@pytest.mark.parametrize("mode, tls, code", [("off", False, 250), ("opportunistic", True, 250), ("required", True, 250), ("verified", False, 451)])
def test_tls_to_the_backend(gateway, tls_backend, mode, tls, code):
    t = gateway()
    t.run("domain", "set", "example.test", "--mail", f"127.0.0.1:{tls_backend.port}", "--mail-tls", mode)
    wait_for(lambda: outcome(t) == code and tls_backend.sessions > 0, what=str(code))
    if code == 250:
        assert tls_backend.done[0].tls == tls
    else:
        assert event(t, "backend-failed", code="MAIL-BACKEND-TLS-FAILED")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("mode, code", [("opportunistic", 250), ("required", 451)])
def test_a_backend_that_demands_a_client_certificate(gateway, tls_backend, mode, code, version):
    """With TLS 1.3 it refuses us when our handshake is done already."""
    tls_backend.context.maximum_version = ssl.TLSVersion[version]
    tls_backend.context.verify_mode = ssl.CERT_REQUIRED
    t = gateway()
    t.run("domain", "set", "example.test", "--mail", f"127.0.0.1:{tls_backend.port}", "--mail-tls", mode)
    wait_for(lambda: tls_backend.sessions > 0 or outcome(t) is None, what="the new backend")
    assert outcome(t) == code
    if mode == "required":
        assert "TLS-CLIENT-CERT-WANTED" in str(event(t, "backend-failed", code="MAIL-BACKEND-TLS-FAILED"))
    else:
        assert not any(m.tls for m in tls_backend.done)


@pytest.mark.parametrize("mode, code", [("opportunistic", 250), ("required", 451)])
def test_a_backend_whose_refusal_is_lost(gateway, tls_backend, mode, code):
    """It closes with our EHLO unread: that resets the connection, and its alert may never be seen."""
    tls_backend.context.minimum_version = ssl.TLSVersion.TLSv1_3
    tls_backend.at("shaken", reset=True)
    t = gateway()
    t.run("domain", "set", "example.test", "--mail", f"127.0.0.1:{tls_backend.port}", "--mail-tls", mode)
    wait_for(lambda: tls_backend.sessions > 0 or outcome(t) is None, what="the new backend")
    assert outcome(t) == code
    if mode == "required":
        assert event(t, "backend-failed", code="MAIL-BACKEND-TLS-FAILED")
    else:
        assert not any(m.tls for m in tls_backend.done)


def outcome(t):
    """The code that a mail ends with."""
    with Smtp(t.mail) as c:
        c.ehlo()
        c.ask("MAIL FROM:<a@b.test>")
        reply = c.ask("RCPT TO:<box@example.test>")
        if reply.code == 250:
            c.ask("DATA")
            reply = c.ask("x: y\r\n\r\n.")
        return reply.code


@pytest.mark.parametrize("mode, code", [("opportunistic", 250), ("required", 451)])
@pytest.mark.parametrize("refusal", ["454 4.7.0 Not now", "502 5.5.1 No"])
def test_a_backend_that_refuses_starttls(gateway, tls_backend, mode, code, refusal):
    tls_backend.at("STARTTLS", refusal)
    t = gateway()
    t.run("domain", "set", "example.test", "--mail", f"127.0.0.1:{tls_backend.port}", "--mail-tls", mode)
    wait_for(lambda: tls_backend.sessions > 0 or outcome(t) is None, what="the new backend")
    assert outcome(t) == code
    assert not any(m.tls for m in tls_backend.done)


def test_injected_replies_are_discarded(gateway, tls_backend):
    """What a backend says behind its 220 to STARTTLS is not its answer to anything."""
    tls_backend.at("STARTTLS", "220 2.0.0 Ready\r\n250-evil\r\n250 XCLIENT ADDR")
    t = gateway()
    t.run("domain", "set", "example.test", "--mail", f"127.0.0.1:{tls_backend.port}", "--mail-tls", "required")
    wait_for(lambda: outcome(t) == 250 and tls_backend.done, what="a mail in spite of it")
    assert tls_backend.done[0].tls and tls_backend.count("EHLO") == 2


def test_xclient(gateway, backend):
    backend.extensions.append("XCLIENT NAME ADDR PORT PROTO HELO LOGIN")
    t = gateway("", "--mail-client", "xclient")
    deliver(t.mail, LETTER, source="127.0.0.7")
    told = backend.done[0].told.split(" ")
    assert told[0] == "XCLIENT" and told[1] in ("NAME=[UNAVAILABLE]", "NAME=[TEMPUNAVAIL]")
    assert told[2] == "ADDR=127.0.0.7" and told[4:] == ["PROTO=ESMTP", "HELO=client.test"]
    backend.extensions.pop()
    for _ in range(3):
        if outcome(t) == 451:
            break
    assert event(t, "backend-failed", code="MAIL-BACKEND-NO-XCLIENT")


def test_proxy_header_from_a_load_balancer(gateway, backend):
    t = gateway('proxy_from = {"127.0.0.9/32"}')
    with Smtp(t.mail, source="127.0.0.9", before=b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n") as c:
        c.ehlo()
        assert c.mail(LETTER).code == 250
    assert b"([192.0.2.7])" in backend.done[0].content
    assert event(t, "mail")["peer"] == "192.0.2.7"


def test_a_load_balancer_without_proxy_headers(gateway):
    """Nothing is guessed: the connection ends, and the log says what is to be done; a health check is worth no line of it."""
    t = gateway('proxy_from = {"127.0.0.9/32"}\n tls_timeout = "300ms"')
    for before in (b"EHLO client.test\r\n", b"PROXY TCP4 192.0.2.7\r\n", b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", b"PROXY TC", b""):
        with Smtp(t.mail, source="127.0.0.9", before=before) as c:
            assert c.greeting is None
    socket.create_connection(t.mail, source_address=("127.0.0.9", 0)).close()
    wait_for(lambda: t.logs().count(" mail session ") == 6, what="the sessions' lines")
    assert t.logs().count(" mail refused ") == 5
    assert event(t, "refused", code="MAIL-NO-PROXY-HEADER")["peer"] == "127.0.0.9"


# ---- the process ----

def test_drain_ends_idle_sessions_and_finishes_messages(gateway, backend):
    t = gateway()
    with Smtp(t.mail) as idle, Smtp(t.mail) as busy:
        busy.ehlo()
        busy.envelope("a@b.test", ["box@example.test"])
        busy.send(b"Subject: x\r\n\r\n")
        t.process.terminate()
        assert idle.read().code == 421 and idle.read() is None
        busy.send(b"x\r\n.\r\n")
        assert busy.read().code == 250
        assert busy.read().code == 421
    assert t.process.wait(30) == 0
    assert len(backend.done) == 1


def test_an_idle_session_outlives_a_change_of_settings(gateway):
    t = gateway()
    with Smtp(t.mail) as c:
        c.ehlo()
        t.conf.write_text(t.conf.read_text().replace("mx.example.net", "new.example.net"))
        t.run("reload")
        wait_for(lambda: c.ask("HELO x").lines == ["new.example.net"], what="the new name")


OUTSIDE = "11.22.33.44"     # public, so that nobody answers for it but the upstream


@pytest.mark.parametrize("case, name, reverse", [
    ("confirmed", "host.client.test", "host.client.test"), ("another", "[UNAVAILABLE]", "host.client.test"),
    ("none", "[UNAVAILABLE]", "[UNAVAILABLE]"), ("fails", "[TEMPUNAVAIL]", "[TEMPUNAVAIL]"),
    ("forward fails", "[TEMPUNAVAIL]", "host.client.test"), ("no host", "[UNAVAILABLE]", "[UNAVAILABLE]")])
def test_xclient_tells_the_name_of_the_address(make_torhaus, backend, case, name, reverse):
    def script(q, raw, tcp):
        asked, type, _ = q.questions[0]
        if type == "PTR" and case not in ("none", "fails"):
            target = "host name.test" if case == "no host" else "host.client.test"
            return dns_client.reply(raw, dns_client.record(b"\xc0\x0c", "PTR", 60, dns_client.encode_name(target)))
        if type == "PTR":
            return dns_client.reply(raw, rcode=3 if case == "none" else 2)
        if case == "forward fails":
            return dns_client.reply(raw, rcode=2)
        there = OUTSIDE if case == "confirmed" else "11.22.33.45"
        return dns_client.reply(raw, dns_client.record(b"\xc0\x0c", "A", 60, dns_client.address(there))) if type == "A" else dns_client.reply(raw)

    backend.extensions.append("XCLIENT NAME REVERSE_NAME ADDR")
    with dns_client.Upstream(script) as upstream:
        t = make_torhaus(settings=SETTINGS.format('proxy_from = {"127.0.0.1"}') + 'names { forward = {"%s"} }' % upstream.address)
        t.run("domain", "add", "example.test", "--mail", f"127.0.0.1:{backend.port}", "--mail-client", "xclient")
        t.start()
        with Smtp(t.mail, before=b"PROXY TCP4 %s 127.0.0.1 4711 25\r\n" % OUTSIDE.encode()) as c:
            c.ehlo()
            c.ask("MAIL FROM:<a@b.test>")
            assert c.ask("RCPT TO:<box@example.test>").code == 250
    assert backend.mails[-1].told == f"XCLIENT NAME={name} REVERSE_NAME={reverse} ADDR={OUTSIDE}"
