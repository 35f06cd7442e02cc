"""A small HTTP client that hides nothing: raw bytes out, everything that came back."""

import socket
import ssl as ssl_module
from dataclasses import dataclass, field


@dataclass
class Reply:
    status: int
    headers: list
    body: bytes
    interim: list = field(default_factory=list)
    trailers: list = field(default_factory=list)
    complete: bool = True      # the body arrived whole

    def get(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    @property
    def cache_status(self):
        return self.get("Cache-Status", "")

    @property
    def is_hit(self):
        return "; hit" in self.cache_status


class Connection:
    def __init__(self, port, host="127.0.0.1", tls=None, sni="example.test", timeout=20):
        self.sock = socket.create_connection((host, port), timeout=timeout)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname=sni)
        self.buffer = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        """Reads what comes next into the buffer; False at the end."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl_module.SSLEOFError):
            data = b""
        self.buffer += data
        return bool(data)

    def is_closed(self):
        """True once the peer has closed and nothing is left to read."""
        while self.more():
            pass
        return not self.buffer

    def _line_block(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                return None
        block, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return block.decode("latin-1")

    def _exactly(self, n):
        while len(self.buffer) < n:
            if not self.more():
                data, self.buffer = self.buffer, b""
                return data, False
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data, True

    def _chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.buffer:
                if not self.more():
                    return body, [], False
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            size = int(line, 16)
            if size == 0:
                break
            piece, whole = self._exactly(size + 2)
            body += piece[:size]
            if not whole:
                return body, [], False
        trailers = []
        while True:
            while b"\r\n" not in self.buffer:
                if not self.more():
                    return body, trailers, False
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            if not line:
                return body, trailers, True
            trailers.append(tuple(p.strip() for p in line.decode("latin-1").split(":", 1)))

    def read(self, method="GET"):
        """The next reply, or None if the connection ended before one."""
        interim = []
        while True:
            block = self._line_block()
            if block is None:
                return None
            lines = block.split("\r\n")
            status = int(lines[0].split(" ")[1])
            headers = [tuple(p.strip() for p in line.split(":", 1)) for line in lines[1:]]
            reply = Reply(status, headers, b"", interim)
            if status >= 200 or status == 101:
                break
            interim.append((status, headers))
        if method == "HEAD" or status in (101, 204, 304):
            return reply
        if (reply.get("Transfer-Encoding") or "").lower() == "chunked":
            reply.body, reply.trailers, reply.complete = self._chunks()
        elif reply.get("Content-Length") is not None:
            reply.body, reply.complete = self._exactly(int(reply.get("Content-Length")))
        else:
            while self.more():
                pass
            reply.body, self.buffer = self.buffer, b""
        return reply

    def request(self, target="/", method="GET", headers=None, body=None, host="example.test"):
        head = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
        for key, value in (headers or {}).items():
            head += [f"{key}: {v}" for v in (value if isinstance(value, list) else [value])]
        if body is not None and "Transfer-Encoding" not in (headers or {}):
            head.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + (body or b""))
        return self.read(method)


def any_certificate(version=None, ciphers=None):
    """A TLS client context that believes every certificate."""
    context = ssl_module.SSLContext(ssl_module.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl_module.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    return context
