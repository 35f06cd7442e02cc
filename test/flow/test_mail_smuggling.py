"""SMTP smuggling: bytes that one server takes for a message's end and the next one does not. Through torhaus no backend ever stores
a second mail out of the body of the first, before and after TLS, wherever the bytes are split."""

import pytest

from gateway import Session, backends, boxes, edge  # noqa: F401 (fixtures)
from mails import HEAD
from mta import Postfix
from smtp import Smtp

# Those of SEC Consult's tool, and two more.
ENDS = [b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r\n\x00.\r\n", b"\r\n.\n",
        b"\r\n.\r", b"\r\n.\x00\r\n"]


def attack(name, domain):
    """A mail in two parts, between which stands an end that is none: a beginning, and what is to be taken for the next mail."""
    smuggled = (b"MAIL FROM:<smuggled@client.test>\r\nRCPT TO:<box@%s>\r\nDATA\r\n" % domain.encode()
                + HEAD % (name + b"-smuggled", b"smuggled") + b"smuggled\r\n.\r\n")
    return HEAD % (name, b"innocent") + b"text", smuggled


def said(c):
    """Everything until the server closes or has nothing more to say: codes."""
    c.send(b"QUIT\r\n")
    return [reply.code for reply in c.read_all()]


def try_to_smuggle(c, name, end, split, domain="postfix.test"):
    before, after = attack(name, domain)
    c.envelope("sender@client.test", [f"box@{domain}"])
    try:
        c.send(before + end[:split])
        c.send_split(end[split:] + after, len(end) - split)
        return said(c)
    except ConnectionError:
        return []


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_no_end_but_crlf_dot_crlf(edge, boxes, tls):
    for domain, machine in boxes.items():
        tried = {}
        for n, end in enumerate(ENDS):
            for split in range(len(end) + 1):
                name = b"attack-%d-%d" % (n, split)
                with Session(edge, tls) as c:
                    tried[name] = try_to_smuggle(c, name, end, split, domain)
        stored = machine.settled()
        for name, codes in tried.items():
            assert not [m for m in stored if name + b"-smuggled" in m.head], (name, codes)
            assert len([m for m in stored if name + b"@" in m.raw]) <= 1, (name, codes)
            # Nothing of it was taken: the refusal is the only answer.
            assert codes == [521], (name, codes)
        assert not stored


def test_the_true_end_is_one(edge, boxes):
    """The control: the same bytes with CRLF.CRLF are two mails, however they are split."""
    end = b"\r\n.\r\n"
    for domain, machine in boxes.items():
        for split in range(len(end) + 1):
            with Session(edge, tls=True) as c:
                assert try_to_smuggle(c, b"pair-%d" % split, end, split, domain) == [250, 250, 250, 354, 250, 221]
        assert len(machine.settled()) == 2 * (len(end) + 1)


@pytest.mark.parametrize("end, copies", [(b"\n.\n", 2), (b"\n.\r\n", 2), (b"\r\n.\n", 2), (b"\r\n.\r\r\n", 2), (b"\r.\r", 1)])
def test_a_backend_alone_would_be_fooled(boxes, end, copies):
    """Postfix with its defaults of Debian 12: what torhaus keeps from it."""
    machine = boxes["postfix.test"]
    with Smtp((machine.address, machine.port)) as c:
        c.ehlo()
        try_to_smuggle(c, b"alone", end, len(end))
    assert len(machine.settled()) == copies


def test_nor_in_chunks(edge, boxes):
    """The same in BDAT: no chunk is a way around."""
    for end in ENDS:
        before, after = attack(b"chunk", "exim.test")
        content = before + end + after
        with Session(edge, tls=True) as c:
            assert c.ask("MAIL FROM:<sender@client.test>").code == 250
            assert c.ask("RCPT TO:<box@exim.test>").code == 250
            c.send(b"BDAT %d LAST\r\n" % len(content) + content)
            assert said(c) == [521]
    for machine in boxes.values():
        assert not machine.settled()
