"""kill -9 of the worker at every step of a session, senders that try again: nothing is lost, and a mail arrives twice only where
the backend had its final dot and the answer was cut.

How many mails stand at each step when it happens: 4, three times; TORHAUS_KILLS=200 for a thorough run."""

import os
import threading
import time

import pytest

from client import any_certificate
from conftest import wait_for
from gateway import gateway
from mails import mail, many_lines
from mta import Postfix
from partner import partner_hello
from smtp import Backend, Smtp, dotted

KILLS = int(os.environ.get("TORHAUS_KILLS", "12"))
EACH = min(KILLS, 4 if KILLS < 50 else 20)
MANY = "connections_per_network = 5000 connections_max = 5000"


class Sender:
    """One mail, taken to a step and, after the kill, from the beginning until somebody says 250."""

    def __init__(self, t, name):
        self.t, self.name = t, name
        self.content = mail(many_lines(20_000, seed=hash(name) & 0xffff), name)
        self.recipient = f"{name}@example.test"
        self.c, self.answered = None, False

    def to_step(self, step):
        for name in STEPS:
            getattr(self, "do_" + name)()
            if name == step:
                return

    def do_connect(self):
        self.c = Smtp(self.t.mail, timeout=60)
        assert self.c.greeting and self.c.greeting.code == 220, self.c.greeting

    def do_ehlo(self):
        self.c.ehlo()

    def do_starttls(self):
        assert self.c.ask("STARTTLS").code == 220

    def do_hello(self):
        """Half a ClientHello: the end of this session's usefulness, unless it is the step to stop at."""

    def do_tls(self):
        self.c.handshake(any_certificate())
        self.c.ehlo()

    def do_mail(self):
        assert self.c.ask("MAIL FROM:<sender@client.test>").code == 250

    def do_rcpt(self):
        assert self.c.ask(f"RCPT TO:<{self.recipient}>").code == 250

    def do_data(self):
        assert self.c.ask("DATA").code == 354

    def do_half(self):
        self.c.send(dotted(self.content)[:10_000])

    def do_no_dot(self):
        self.c.send(dotted(self.content)[10_000:-3])

    def do_dot(self):
        self.c.send(dotted(self.content)[-3:])

    def answer(self):
        """What came of the dot, if anything did."""
        try:
            reply = self.c.read()
        except OSError:
            reply = None
        self.answered = reply is not None and reply.code == 250

    def try_once(self):
        try:
            self.to_step("dot")
        except (OSError, AssertionError, AttributeError):
            return False
        self.answer()
        return self.answered

    def insist(self):
        end = time.monotonic() + 120
        while not self.answered and not self.try_once():
            assert time.monotonic() < end, self.name
            time.sleep(0.05)
            self.c = self.c and self.c.close()


STEPS = ["connect", "ehlo", "starttls", "hello", "tls", "mail", "rcpt", "data", "half", "no_dot", "dot"]
# What stands at its last step when the worker goes: "held" has its dot at the backend, which does not answer yet; "cut" has
# been answered by the backend, but has not read it.
LAST_STEPS = [*STEPS[:-1], "held", "cut"]


def take_to(sender, last):
    if last == "hello":
        sender.to_step("starttls")
        sender.c.send(partner_hello()[:40])
    else:
        sender.to_step("dot" if last in ("held", "cut") else last)


def kill_round(t, backend, n):
    """EACH mails at each step, then the kill; how often each arrived, {(last step, name): copies}."""
    gate = threading.Event()
    backend.at("dot", call=lambda to: gate.wait(60) and None if to.startswith("held") else None)
    senders = {}
    for last in LAST_STEPS:
        for k in range(EACH):
            sender = Sender(t, f"{last}-{n}-{k}")
            take_to(sender, last)
            senders[last, sender.name] = sender
    dots = [s.recipient for (last, _), s in senders.items() if last in ("held", "cut")]
    wait_for(lambda: set(dots) <= {m.recipients[0] for m in backend.done if m.recipients}, seconds=60, what="the dots at the backend")
    t.kill_worker()
    gate.set()
    for (last, _), sender in senders.items():
        if last == "cut":
            sender.answer()
        sender.insist()
    copies = {}
    for key, sender in senders.items():
        arrived = [m for m in backend.done if m.recipients == [sender.recipient]]
        assert all(m.content.endswith(sender.content) for m in arrived), key
        copies[key] = len(arrived)
    return copies


@pytest.mark.slow
def test_kill_at_every_step(make_torhaus):
    with Backend() as backend:
        t = gateway(make_torhaus, backend, mail=MANY)
        total = twice = 0
        for n in range(max(1, KILLS // EACH)):
            copies = kill_round(t, backend, n)
            assert not [key for key, count in copies.items() if count == 0], "lost"
            assert not [key for key, count in copies.items() if count > 1 and key[0] not in ("held", "cut")], "twice"
            assert max(copies.values()) <= 2
            backend.mails.clear()
            total += len(copies)
            twice += sum(count - 1 for count in copies.values())
        print(f"{total} mails, none lost, {twice} twice")


def kill_worker(t, backend):
    t.kill_worker()
    wait_for(t.is_serving, what="the next worker")


def kill_backend(t, backend):
    backend.kill()
    backend.start()


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_worker, kill_backend])
def test_kills_between_real_servers(make_torhaus, kill):
    """Postfix sends, Postfix receives; the worker, or the whole backend, is killed again and again."""
    mails = max(40, KILLS)
    with Postfix() as backend:
        t = gateway(make_torhaus, backend, mail=MANY)
        with Postfix(name="sender.test", relay=t.mail, tls_to_relay="must") as sender:
            with Smtp((sender.address, sender.port)) as c:
                c.ehlo()
                for n in range(mails):
                    assert c.mail(mail(many_lines(20_000, seed=n), f"mail-{n}")).code == 250
                    if n % 8 == 7:
                        kill(t, backend)
            sender.settled(seconds=120)
        stored = backend.settled()
        for n in range(mails):
            content = mail(many_lines(20_000, seed=n), f"mail-{n}")
            copies = [m for m in stored if m.ends_with(content)]
            # Each kill cuts at most one answer to the dot of a mail.
            assert 1 <= len(copies) <= 3, (n, len(copies))
