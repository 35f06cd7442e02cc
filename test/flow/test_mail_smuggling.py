"""SMTP smuggling: bytes that one server takes for a message's end and the next one does not. Through torhaus no backend ever stores
a second mail out of the body of the first, before and after TLS, wherever the bytes are split."""

import pytest

from gateway import Session, gateway
from mails import HEAD
from mta import Exim, OpenSMTPD, Postfix
from smtp import Smtp

# Those of SEC Consult's tool, and two more.
ENDS = [b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r\n\x00.\r\n", b"\r\n.\n",
        b"\r\n.\r", b"\r\n.\x00\r\n"]
BACKENDS = [Postfix, Exim, OpenSMTPD]


def attack(name, end):
    """A mail in three parts: a beginning, an end that is none, and what an attacker would have taken for the next mail."""
    smuggled = (b"MAIL FROM:<smuggled@client.test>\r\nRCPT TO:<box@example.test>\r\nDATA\r\n" + HEAD % (name + b"-smuggled", b"smuggled")
                + b"smuggled\r\n.\r\n")
    return HEAD % (name, b"innocent") + b"text", end, smuggled


def said(c):
    """Everything until the server closes or has nothing more to say: codes."""
    c.send(b"QUIT\r\n")
    return [reply.code for reply in c.read_all()]


def try_to_smuggle(c, name, end, split):
    before, end, after = attack(name, end)
    c.envelope("sender@client.test", ["box@example.test"])
    try:
        c.send(before + end[:split])
        c.send_split(end[split:] + after, len(end) - split)
        return said(c)
    except ConnectionError:
        return []


@pytest.fixture(params=BACKENDS, ids=lambda kind: kind.__name__)
def backend(request):
    with request.param() as machine:
        yield machine


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_no_end_but_crlf_dot_crlf(make_torhaus, backend, tls):
    t = gateway(make_torhaus, backend)
    tried = {}
    for n, end in enumerate(ENDS):
        for split in range(len(end) + 1):
            name = b"attack-%d-%d" % (n, split)
            with Session(t, tls) as c:
                tried[name] = try_to_smuggle(c, name, end, split)
    stored = backend.settled()
    for name, codes in tried.items():
        assert not [m for m in stored if name + b"-smuggled" in m.head], (name, codes)
        assert len([m for m in stored if name + b"@" in m.raw]) <= 1, (name, codes)
        # Nothing of it was taken: the refusal is the only answer.
        assert codes in ([521], [550]), (name, codes)
    assert not stored


def test_the_true_end_is_one(make_torhaus, backend):
    """The control: the same bytes with CRLF.CRLF are two mails, however they are split."""
    t = gateway(make_torhaus, backend)
    end = b"\r\n.\r\n"
    for split in range(len(end) + 1):
        with Session(t, tls=True) as c:
            codes = try_to_smuggle(c, b"pair-%d" % split, end, split)
            assert codes == [250, 250, 250, 354, 250, 221]
    assert len(backend.settled()) == 2 * (len(end) + 1)


def test_a_backend_alone_would_be_fooled():
    """Debian's Postfix as it comes: what torhaus keeps from it."""
    with Postfix() as backend:
        with Smtp((backend.address, backend.port)) as c:
            c.ehlo()
            try_to_smuggle(c, b"alone", b"\n.\n", 3)
        assert len(backend.settled()) == 2


@pytest.mark.parametrize("end", ENDS)
def test_nor_in_chunks(make_torhaus, end):
    """The same in BDAT: no chunk is a way around."""
    with Exim() as backend:
        t = gateway(make_torhaus, backend)
        before, end, after = attack(b"chunk", end)
        content = before + end + after
        with Session(t, tls=True) as c:
            if "CHUNKING" not in c.extensions:
                pytest.skip("no CHUNKING here")
            c.ask("MAIL FROM:<sender@client.test>")
            c.ask("RCPT TO:<box@example.test>")
            c.send(b"BDAT %d LAST\r\n" % len(content) + content)
            assert [code for code in said(c) if code != 221][0] >= 500
        assert not backend.settled()
