"""The control socket: one request a connection, from programs that may be slow."""

import json
import os
import resource
import signal
import socket
import time

import pytest


def ask(t, pause):
    """GET /status, sent some time after connecting; everything that comes until the server closes."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(t.dir / "control.sock"))
        time.sleep(pause)
        s.sendall(b"GET /status HTTP/1.1\r\nHost: control\r\n\r\n")
        said = b""
        while piece := s.recv(65536):
            said += piece
        return said


def test_whoever_connects_may_take_a_moment_to_ask(site):
    for pause in (0, 0.1, 0.5):
        assert ask(site, pause).startswith(b"HTTP/1.1 200 ")


def test_the_status_is_printed_as_it_comes(site):
    """The other tests ask for it at the socket."""
    printed = json.loads(site.run("status", "--json").stdout)
    asked = site.status()
    assert printed.keys() == asked.keys() and printed["worker_pid"] == asked["worker_pid"]
    assert printed["listeners"] == asked["listeners"] and len(asked["listeners"]) == 3


@pytest.mark.slow
def test_a_worker_that_hangs(site):
    """Whoever only looks is told so in seconds, long before the worker is given up."""
    worker = site.worker_pid()
    os.kill(worker, signal.SIGSTOP)
    try:
        done = site.run("status", check=False)
        assert done.returncode == 4 and "SERVE-NOT-RUNNING" in done.stderr
    finally:
        os.kill(worker, signal.SIGCONT)
    assert site.worker_pid() == worker


def test_too_few_files_are_told(make_torhaus):
    t = make_torhaus(web="connections_max = 500").start()
    assert not any(f["code"] == "SERVE-FEW-FILES" for f in t.json("status")["faults"])
    resource.prlimit(t.worker_pid(), resource.RLIMIT_NOFILE, (600, 600))
    fault, = (f for f in t.json("status")["faults"] if f["code"] == "SERVE-FEW-FILES")
    # Mail is off here: only visitors are counted.
    assert "600 files" in fault["cause"] and "500 connections" in fault["cause"] and "756" in fault["remedy"]
