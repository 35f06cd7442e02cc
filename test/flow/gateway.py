"""A torhaus that has mail, with certificates of both key types: in front of one backend, or of three real ones."""

import contextlib
import re

import pytest

from client import any_certificate
from mta import Exim, OpenSMTPD, Postfix
from pair import make_pair
from smtp import Smtp

HOSTNAME = "mx.example.test"


def gateway(make_torhaus, backend, *options, certificates=("rsa", "ec"), mail="", start=True, **rest):
    """backend: has .address and .port, or None; options: of `domain add example.test`; mail: lines in section mail.
    The result has .mail and .mail_tls, addresses for Smtp()."""
    t = make_torhaus(settings=f"""
mail {{
  listen = {{"127.0.0.1:0"}}
  listen_tls = {{"127.0.0.1:0"}}
  hostname = "{HOSTNAME}"
  {mail}
}}
""", **rest)
    for kind in certificates:
        make_pair(t.certs, kind, kind, names=(HOSTNAME,))
    if backend:
        t.run("domain", "add", "example.test", "--mail", f"{backend.address}:{backend.port}", *options)
    if start:
        t.start()
    return t


def mail_events(t, event):
    """The log's lines of one kind of mail event, as {key: value}."""
    found = []
    for line in t.logs().splitlines():
        if f" mail {event} " in line:
            pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line.split(f" mail {event} ", 1)[1])
            found.append({key: value.strip('"') for key, value in pairs})
    return found


class Session(Smtp):
    """A session with t's gateway that has said EHLO, in the clear or after STARTTLS."""

    def __init__(self, t, tls=False, source="127.0.0.1", context=None):
        super().__init__(t.mail, source)
        self.ehlo()
        if tls:
            self.starttls(context or any_certificate())


# ---- Postfix, Exim and OpenSMTPD, each with a domain, behind one torhaus for all tests of a file ----

REAL = {"postfix.test": Postfix, "exim.test": Exim, "opensmtpd.test": OpenSMTPD}


@pytest.fixture(scope="module")
def backends():
    with contextlib.ExitStack() as stack:
        yield {domain: stack.enter_context(kind(name=f"backend.{domain}")) for domain, kind in REAL.items()}


@pytest.fixture(scope="module")
def edge(make_torhaus_once, backends):
    t = gateway(make_torhaus_once, None, start=False)
    for domain, machine in backends.items():
        t.run("domain", "add", domain, "--mail", f"{machine.address}:{machine.port}")
    return t.start()


@pytest.fixture
def boxes(backends):
    """The same, with empty mailboxes."""
    for machine in backends.values():
        machine.forget_mails()
    return backends
