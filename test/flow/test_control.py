"""The control socket: one request a connection, from programs that may be slow."""

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import conftest
from conftest import wait_for


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


# ---- misbehaviour: of those who ask, of a worker, of who reads the log ----

def post(t, path, body):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(t.dir / "control.sock"))
        s.sendall(b"POST %s HTTP/1.1\r\nHost: control\r\nContent-Length: %d\r\n\r\n" % (path, len(body)) + body)
        return b"".join(iter(lambda: s.recv(65536), b""))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\0", b"[" * 60000, b'{"seq":' * 8000, b'{"kind":"nothing"}',
                                  b'{"seq":-1}', b'{"kind":7,"what":[]}'], ids=lambda body: repr(body[:20]))
def test_bodies_that_are_no_purge(site, body):
    """Refused, by the same worker as before: a deep one does not take its small stack."""
    worker = site.worker_pid()
    assert post(site, b"/cache/purge", body).startswith(b"HTTP/1.1 400 ")
    assert site.worker_pid() == worker


def test_a_body_that_is_too_long(site):
    worker = site.worker_pid()
    assert post(site, b"/cache/purge", b" " * 100000)[9:12] in (b"400", b"413")
    assert site.worker_pid() == worker


def test_debug_events(make_torhaus):
    t = make_torhaus(log='level = "debug"').start()
    with socket.create_connection(("127.0.0.1", t.tls_port)):
        pass
    wait_for(lambda: " tls-left " in t.logs(), what="a debug event")
    t.conf.write_text(t.conf.read_text().replace('level = "debug"', 'level = "error"'))
    assert t.json("reload")["changed"] == "log.level"
    before = t.logs()
    t.kill_worker()
    wait_for(lambda: "SERVE-WORKER-DIED" in t.logs()[len(before):], what="an error")
    wait_for(t.is_serving, what="the next worker")
    assert "worker-ready" not in t.logs()[len(before):]


def fill_pipe(fd):
    os.set_blocking(fd, False)
    try:
        while os.write(fd, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(fd, True)


def test_nobody_reads_stderr(make_torhaus, origin):
    """Neither a visitor nor the status waits for a reader, and who reads again is told what he missed."""
    t = make_torhaus(access="off", log='level = "debug"')
    t.conf.write_text(t.conf.read_text().replace(f'to = "{t.log_path}"', 'to = "stderr"', 1))
    reader, writer = os.pipe()
    fill_pipe(writer)
    t.process = subprocess.Popen([conftest.PROGRAM, "--config", str(t.conf), "serve"], stderr=writer)
    t.find_ports(wait_for(t.is_serving, what="serving"))
    os.close(writer)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", t.tls_port)):
            pass
    assert t.status()["worker_pid"]
    said = b""
    os.set_blocking(reader, False)

    def read():
        nonlocal said
        try:
            while piece := os.read(reader, 65536):
                said += piece
        except BlockingIOError:
            pass
        # The worker's lines and the supervisor's, each in its own order.
        return said.count(b" tls-left ") == 20 and b" worker-ready " in said
    wait_for(read, what="what was said meanwhile")
    os.close(reader)


def test_a_log_that_is_a_fifo(make_torhaus):
    """Nobody reads it when the server starts."""
    t = make_torhaus()
    fifo = t.dir / "fifo"
    os.mkfifo(fifo)
    t.conf.write_text(t.conf.read_text().replace(f'to = "{t.log_path}"', f'to = "{fifo}"', 1))
    t.start()
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert b" serve started " in os.read(fd, 65536)
    os.close(fd)


def children(t):
    return [int(p) for p in open(f"/proc/{t.process.pid}/task/{t.process.pid}/children").read().split()]


def test_workers_that_do_not_get_ready_begin_without_the_state(make_torhaus):
    """What they began with may be what they die of."""
    t = make_torhaus()
    t.add("one.test", "http://127.0.0.1:1")
    t.start()
    wait_for(lambda: t.status()["domains"] == 1, what="the domain")
    seen = set()

    def kill_on_sight():
        for pid in children(t):
            if pid not in seen:
                seen.add(pid)
                os.kill(pid, signal.SIGABRT)
        return "state-thrown-away" in t.logs()
    wait_for(kill_on_sight, what="the state to be given up")
    wait_for(lambda: (s := t.is_serving()) and s["domains"] == 1, what="a worker that read the store")


def channel_of(pid):
    """A duplicate of the worker's end of the channel, as somebody has it who has got hold of the worker."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        for fd in sorted(map(int, os.listdir(f"/proc/{pid}/fd"))):
            if not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
                continue
            own = libc.syscall(438, pidfd, fd, 0)
            if own < 0:
                continue
            s = socket.socket(fileno=own)
            if s.family == socket.AF_UNIX and s.type == socket.SOCK_SEQPACKET:
                return s
            s.close()
    finally:
        os.close(pidfd)
    pytest.skip("the channel is out of reach here")


@pytest.mark.skipif(os.geteuid() != 0, reason="looks into another process")
def test_a_worker_that_floods_the_supervisor(make_torhaus):
    """The supervisor hears a signal in the middle of it."""
    t = make_torhaus().start()
    channel = channel_of(t.worker_pid())
    stop = threading.Event()

    def flood():
        message = struct.pack("=II", 37, 0)
        while not stop.is_set():
            try:
                channel.send(message, socket.MSG_DONTWAIT)
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                return
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        wait_for(lambda: "worker-floods" in t.logs(), what="the flood to be noticed")
        t.process.send_signal(signal.SIGTERM)
        assert t.process.wait(40) == 0
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="looks into another process")
def test_a_worker_that_babbles_is_replaced(make_torhaus):
    t = make_torhaus().start()
    worker = t.worker_pid()
    channel_of(worker).send(b"x")
    wait_for(lambda: (s := t.is_serving()) and s["worker_pid"] != worker, what="another worker")
    assert "worker-babbles" in t.logs()


def test_a_crash_loop_is_told_and_ends(make_torhaus):
    t = make_torhaus().start()
    seen = set()

    def kill_on_sight():
        for pid in children(t):
            if pid not in seen:
                seen.add(pid)
                os.kill(pid, signal.SIGABRT)
        return t.logs().count("SERVE-CRASH-LOOP") >= 3
    wait_for(kill_on_sight, what="a crash loop")
    waits = [line.rsplit("wait=", 1)[1] for line in t.logs().splitlines() if "crash-loop" in line]
    assert len(set(waits)) == len(waits), "each wait is longer"
    status = wait_for(t.is_serving, what="the next worker")
    assert status["supervisor"]["crash_loop"] and status["worker_restarts"] >= 4


def test_the_control_socket_answers_when_descriptors_are_used_up(make_torhaus):
    t = make_torhaus(web="connections_max = 100000").start()
    worker = t.worker_pid()
    soft, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    assert soft < hard
    used = len(os.listdir(f"/proc/{worker}/fd"))
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 20, used + 40))
    visitors = [socket.create_connection(("127.0.0.1", t.port)) for _ in range(60)]
    try:
        wait_for(lambda: "ACCEPT-FAILED" in t.logs(), what="no descriptors")
        assert t.status()["worker_pid"] == worker
    finally:
        for v in visitors:
            v.close()
