"""Senders and backends whose lines break after any byte, for a while: what was answered 250 is there, whole, and nobody else's; what comes twice
had its dot sent and the answer cut. TORHAUS_STRESS=300 for five minutes of each; 8 s by default."""

import os
import random
import re
import ssl
import threading
import time

import pytest

from chaos import BadLine
from client import any_certificate
from conftest import wait_for
from gateway import HOSTNAME, gateway
from mails import mail, many_lines
from mta import Postfix
from pair import make_pair
from smtp import Backend, Smtp, dotted

SECONDS = float(os.environ.get("TORHAUS_STRESS", "8"))
SENDERS = 12
LIMITS = """connections_per_network = 5000 connections_max = 5000 tarpit = 0 errors_max = 1000
  message_size_max = 50M backend_timeout = 3s final_timeout = 3s command_timeout = 20s data_timeout = 20s tls_timeout = 3s"""


class Sender(threading.Thread):
    """Mails one after the other, each tried until somebody says 250."""

    def __init__(self, server, number, until):
        super().__init__(daemon=True)
        self.server, self.until, self.rng = server, until, random.Random(number)
        self.name = f"s{number}"
        self.mails, self.cut, self.tries, self.error = {}, {}, 0, None

    def run(self):
        try:
            while time.monotonic() < self.until:
                name = f"{self.name}-{len(self.mails)}"
                content = mail(many_lines(int(2 ** self.rng.uniform(0, 17)), seed=hash(name) & 0xffff), name)
                self.cut[name] = 0
                self.insist(name, content)
                self.mails[name] = content
        except Exception as error:
            self.error = error

    def insist(self, name, content):
        end = self.until + 60
        while not self.try_once(name, content):
            assert time.monotonic() < end, f"{name} is never taken"

    def try_once(self, name, content):
        self.tries += 1
        sent = False
        try:
            with Smtp(self.server, timeout=30) as c:
                if not c.greeting or not c.ehlo():
                    return False
                if self.rng.randrange(2):
                    c.starttls(any_certificate())
                sent, last = self.last_piece(c, name, content)
                if not sent:
                    return False
                c.send(last)
                reply = c.read()
        except (OSError, ssl.SSLError, AssertionError, AttributeError):
            reply = None
        if reply and reply.code == 250:
            return True
        # Nobody knows, says the gateway too: the backend's answer was lost.
        if sent and (reply is None or reply.enhanced == "4.4.2"):
            self.cut[name] += 1
        return False

    def last_piece(self, c, name, content):
        """Everything but the last bytes, which are returned: (True, bytes), or (False, None) after a refusal."""
        envelope = [b"MAIL FROM:<%s@client.test>" % name.encode(), b"RCPT TO:<%s@example.test>" % name.encode()]
        if self.rng.randrange(2):
            c.send(b"\r\n".join([*envelope, b""]))
            replies = [c.read() for _ in envelope]
        else:
            replies = [c.ask(line) for line in envelope]
        if not all(r and r.code == 250 for r in replies):
            return False, None
        if self.rng.randrange(2):
            reply = c.ask("DATA")
            if not reply or reply.code != 354:
                return False, None
            text = dotted(content)
            at = self.rng.randrange(len(text))
            c.send(text[:at])
            return True, text[at:]
        at = self.rng.randrange(len(content))
        c.send(b"BDAT %d\r\n" % at + content[:at])
        reply = c.read()
        if not reply or reply.code != 250:
            return False, None
        return True, b"BDAT %d LAST\r\n" % (len(content) - at) + content[at:]


def arrived_at(machine):
    """[(name, content behind the trace lines)] of what a backend has stored."""
    if isinstance(machine, Backend):
        raw = [m.content for m in machine.done]
    else:
        raw = [m.raw for m in machine.settled(seconds=120)]
    found = []
    for one in raw:
        name = re.search(rb"^Message-ID: <(.*?)@client.test>", one, re.M).group(1).decode()
        found.append((name, one[one.index(b"From: Sender"):]))
    return found


class Operator(threading.Thread):
    """Changes what can be changed while mail is under way: certificates, settings, the domain."""

    def __init__(self, t, until):
        super().__init__(daemon=True)
        self.t, self.until, self.error = t, until, None

    def run(self):
        try:
            n = 0
            while time.monotonic() < self.until:
                n += 1
                make_pair(self.t.certs, "rsa", "rsa", names=(HOSTNAME,), key=("usual", "next")[n % 2])
                self.t.conf.write_text(re.sub(r"message_size_max = \S+", f"message_size_max = {n % 50 + 10}M", self.t.conf.read_text()))
                self.t.run("reload")
                self.t.run("domain", "set", "example.test", "--mail-tls", ("off", "opportunistic", "required")[n % 3],
                           "--tls", ("off", "report")[n % 2])
                time.sleep(0.3)
        except Exception as error:
            self.error = error


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Backend, Postfix], ids=["scripted", "postfix"])
def test_lines_that_break(make_torhaus, tmp_path, kind):
    make_pair(tmp_path, "backend", "rsa", names=("backend.test",))
    pair = tmp_path / "backend.crt", tmp_path / "backend.key"
    seed = int(os.environ.get("TORHAUS_SEED", "1"))
    with kind(certificate=pair) as machine, BadLine((machine.address, machine.port), seed) as behind:
        t = gateway(make_torhaus, behind, mail=LIMITS)
        pid = t.worker_pid()
        with BadLine(t.mail, seed + 1) as before:
            until = time.monotonic() + SECONDS
            senders = [Sender((before.address, before.port), n + 1000 * seed, until) for n in range(SENDERS)]
            everybody = [*senders, Operator(t, until)]
            for s in everybody:
                s.start()
            for s in everybody:
                s.join(SECONDS + 120)
                assert not s.is_alive() and s.error is None, s.error
        assert t.worker_pid() == pid
        wait_for(lambda: t.json("status")["mail"]["sessions"] == 0, seconds=60, what="the end of all sessions")
        arrived = arrived_at(machine)
    sent = {name: content for s in senders for name, content in s.mails.items()}
    cut = {name: n for s in senders for name, n in s.cut.items()}
    copies = dict.fromkeys(sent, 0)
    for name, content in arrived:
        assert content == sent[name], name
        copies[name] += 1
    assert not [name for name, n in copies.items() if n == 0], "lost"
    assert not [name for name, n in copies.items() if n > 1 + cut[name]], "more often than answers were cut"
    print(f"{len(sent)} mails in {sum(s.tries for s in senders)} tries, none lost, {sum(copies.values()) - len(sent)} twice")
