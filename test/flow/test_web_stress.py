"""Visitors and origins that die at every moment, while pages are purged, domains change and settings are reloaded: nobody gets
anything but what an origin sent for that path, and nothing falls over.

TORHAUS_STRESS=300 goes on for five minutes instead of some seconds, TORHAUS_SEED=1 begins as that run did."""

import asyncio
import contextlib
import os
import random
import re
import socket
import struct
import time

import pytest

from client import any_certificate
from pair import make_pair

SECONDS = float(os.environ.get("TORHAUS_STRESS", 8))
SEED = int(os.environ.get("TORHAUS_SEED", time.time()))
VISITORS = 40
PATHS = 24

POLICIES = ["max-age=1", "max-age=60", "max-age=60", "max-age=0, must-revalidate", "no-store", "private", "no-cache",
            "max-age=1, stale-while-revalidate=5", "s-maxage=2, stale-if-error=5", "public, max-age=3"]


def body_of(path, n):
    """n bytes that no other path has."""
    return (struct.pack(">Q", int(path.strip("/").split("?")[0]) + 0x5a00) * (n // 8 + 1))[:n]


def die(writer):
    """A reset instead of an end."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(AttributeError, OSError):  # it may be gone already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Mortal:
    """An origin that answers in all ways there are, and breaks off in most."""

    def __init__(self, rng):
        self.rng = rng

    async def serve(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def read(self, reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?im)^content-length: (\d+)", head)
        if self.rng.random() < 0.1:
            return head  # answers before the body has come
        if length:
            await reader.readexactly(int(length[1]))
        elif re.search(r"(?im)^transfer-encoding: chunked", head):
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        return head

    async def one(self, reader, writer):
        rng = self.rng
        head = await self.read(reader)
        method, path, _ = head.split("\r\n")[0].split(" ")
        if rng.random() < 0.05:
            die(writer)
            return False
        if rng.random() < 0.1:
            await asyncio.sleep(rng.random() / 2)
        if rng.random() < 0.1:
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        if "if-none-match" in head.lower() and rng.random() < 0.5:
            writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n")
            await writer.drain()
            return True
        return await self.answer(method, path, writer)

    async def answer(self, method, path, writer):
        rng = self.rng
        body = body_of(path, rng.choice([0, 1, 100, 5000, 40000, 300000, 2000000]))
        kind = rng.choice(["length", "chunked", "chunked", "close"])
        lines = [f"HTTP/1.1 {rng.choice([200] * 8 + [404, 500, 503])} X", f"Cache-Control: {rng.choice(POLICIES)}"]
        lines += rng.choice([[], ["ETag: \"1\""], ["Vary: Accept-Language"], ["Set-Cookie: a=b"], ["Cache-Tag: t"]])
        lines += {"length": [f"Content-Length: {len(body)}"], "chunked": ["Transfer-Encoding: chunked"],
                  "close": ["Connection: close"]}[kind]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        if method == "HEAD":
            return kind != "close"
        cut = rng.randrange(len(body) + 1) if rng.random() < 0.2 else None
        at = 0
        while at < len(body):
            n = min(rng.choice([1, 1000, 16384, 100000]) if at < 50000 else 200000, len(body) - at)
            if cut is not None and at + n > cut:
                die(writer)
                return False
            piece = body[at:at + n]
            writer.write(f"{n:x}\r\n".encode() + piece + b"\r\n" if kind == "chunked" else piece)
            await writer.drain()
            at += n
            if rng.random() < 0.02:
                await asyncio.sleep(rng.random() / 5)
        if kind == "chunked":
            writer.write(b"0\r\nX-End: 1\r\n\r\n")
        await writer.drain()
        return kind != "close"


class Visitor:
    def __init__(self, rng, port, tls_port):
        self.rng, self.port, self.tls_port = rng, port, tls_port
        self.answered = 0

    async def live(self, until):
        while time.monotonic() < until:
            try:
                await asyncio.wait_for(self.visit(), 90)
            except TimeoutError:
                raise AssertionError("a visitor waits for ever") from None
            except (ConnectionError, asyncio.IncompleteReadError, OSError):
                pass

    async def visit(self):
        tls = any_certificate() if self.rng.random() < 0.3 else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.tls_port if tls else self.port, ssl=tls,
                                                       server_hostname="example.test" if tls else None)
        try:
            for _ in range(self.rng.randrange(1, 6)):
                if not await self.ask(reader, writer):
                    break
        finally:
            die(writer) if self.rng.random() < 0.5 else writer.close()

    async def ask(self, reader, writer):
        rng = self.rng
        path = f"/{rng.randrange(PATHS)}"
        method = rng.choice(["GET"] * 8 + ["HEAD", "POST", "PUT"])
        head = f"{method} {path} HTTP/1.1\r\nHost: example.test\r\n"
        head += rng.choice([""] * 6 + ["Range: bytes=10-2000\r\n", "Range: bytes=0-1,50-60\r\n", "If-None-Match: \"1\"\r\n",
                                       "Cookie: a=b\r\n", "Accept-Language: de\r\n", "Cache-Control: no-cache\r\n"])
        body = b""
        if method in ("POST", "PUT"):
            body = b"b" * rng.choice([0, 10, 70000])
            head += f"Content-Length: {len(body)}\r\n"
        data = head.encode() + b"\r\n" + body
        if rng.random() < 0.05:
            writer.write(data[:rng.randrange(len(data))])
            await writer.drain()
            return False
        writer.write(data)
        await writer.drain()
        if rng.random() < 0.1:
            return False
        return await self.read(path, method, reader)

    async def read(self, path, method, reader):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = int(head.split(" ")[1])
            if status >= 200:
                break
        length = re.search(r"(?im)^content-length: (\d+)", head)
        if method == "HEAD" or status in (204, 304):
            self.answered += 1
            return "connection: close" not in head.lower()
        ours = "text/html" in head  # an error page
        at = 0
        async for piece in self.pieces(reader, length and int(length[1])):
            if status in (200, 404) and not ours:
                want = body_of(path, at % 8 + len(piece))[at % 8:]
                assert piece == want, f"{path} at {at}: not what an origin sent\n{head}"
            at += len(piece)
            if self.rng.random() < 0.01:
                return False
            if self.rng.random() < 0.02:
                await asyncio.sleep(self.rng.random())
        self.answered += 1
        return "connection: close" not in head.lower()

    @staticmethod
    async def pieces(reader, length):
        if length is None:
            while size := int((await reader.readuntil(b"\r\n"))[:-2], 16):
                yield await reader.readexactly(size)
                await reader.readexactly(2)
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass
        while length:
            piece = await reader.read(min(length, 65536))
            if not piece:
                raise ConnectionResetError
            length -= len(piece)
            yield piece


async def disturb(t, rng, until):
    """What administrators do meanwhile."""
    loop = asyncio.get_running_loop()
    n = 0
    while time.monotonic() < until:
        n += 1
        command = rng.choice([
            ("cache", "purge", "--all"), ("cache", "purge", "--all", "--hard"), ("cache", "purge", "--tag", "t", "--hard"),
            ("cache", "purge", "--url", f"http://example.test/{rng.randrange(PATHS)}", "--hard"),
            ("cache", "purge", "--prefix", "http://example.test/1"), ("reload",),
            ("domain", "add", f"other{n}.test", "--origin", "http://127.0.0.1:9")])
        await loop.run_in_executor(None, lambda: t.run(*command, check=False))
        await asyncio.sleep(rng.random())


@pytest.mark.slow
def test_everybody_dies_and_nothing_falls_over(make_torhaus):
    rng = random.Random(SEED)
    t = make_torhaus(web='cache_memory = "4M"\n  head_timeout = "2s"\n  body_timeout = "2s"\n  send_timeout = "2s"')
    make_pair(t.certs, "one")

    async def run():
        origin = Mortal(rng)
        server = await asyncio.start_server(origin.serve, "127.0.0.1", 0, limit=1 << 20)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: (t.add("example.test", url, "--grace", "2s", "--first-byte-timeout", "3s"), t.start()))
        until = time.monotonic() + SECONDS
        visitors = [Visitor(rng, t.port, t.tls_port) for _ in range(VISITORS)]
        await asyncio.gather(disturb(t, rng, until), *(v.live(until) for v in visitors))
        server.close()
        return sum(v.answered for v in visitors)

    answered = asyncio.run(run())
    print(f"seed {SEED}: {answered} answers")
    assert answered > 0
    assert t.json("status")["worker_restarts"] == 0, t.logs()
