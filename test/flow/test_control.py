"""The control socket: one request a connection, from programs that may be slow."""

import socket
import time


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
