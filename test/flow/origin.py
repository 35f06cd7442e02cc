"""A scripted origin: real sockets, every byte of its answers under the test's control.

    with Origin() as origin:
        origin.on("/a", headers={"Cache-Control": "max-age=60"}, body=b"hello")
        origin.on("/raw", raw=b"HTTP/1.1 200 OK\\r\\n...")
        origin.on("/slow", delay=0.5, body=b"late")
        origin.on("/dynamic", call=lambda request: Answer(...))

Each request is recorded in origin.requests.
"""

import asyncio
import threading
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    target: str
    headers: list
    body: bytes

    def get(self, name, default=None):
        """The first value of a header, whatever its case."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Answer:
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    raw: bytes = None          # the whole answer, byte for byte; the connection is closed after it
    delay: float = 0           # seconds before the head
    pieces: list = None        # (seconds to wait, bytes): a chunked body sent slowly
    trailers: dict = None
    interim: list = None       # (status, headers) sent before the head
    cut: int = None            # close after so many bytes of the body


class Origin:
    def __init__(self, host="127.0.0.1", port=0, ssl=None):
        self.host, self.port, self.ssl = host, port, ssl
        self.answers, self.requests, self.connections = {}, [], 0
        self.default = Answer(404, body=b"not found")
        self._writers = set()
        self._loop = None

    @property
    def url(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.ssl else 'http'}://{host}:{self.port}"

    def on(self, path, call=None, **answer):
        self.answers[path] = call or Answer(**answer)

    def count(self, path):
        return sum(1 for r in self.requests if r.target.split("?")[0] == path)

    def last(self, path):
        return [r for r in self.requests if r.target.split("?")[0] == path][-1]

    # ---- life ----

    def start(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def stop(self):
        """Closes the listener and every connection: the origin is down."""
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._shutdown(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _run(self, ready):
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, self.host, self.port, ssl=self.ssl, backlog=8192))
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        self._loop.close()

    async def _shutdown(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    # ---- conversation ----

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader, writer):
        request = await self._read(reader, writer)
        if request is None:
            return False
        self.requests.append(request)
        answer = self.answers.get(request.target.split("?")[0], self.default)
        if callable(answer):
            answer = answer(request)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.raw is not None:
            writer.write(answer.raw)
            await writer.drain()
            return False
        return await self._write(request, answer, writer)

    @staticmethod
    async def _read(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
        request = Request(method, target, headers, b"")
        if request.get("Transfer-Encoding"):
            while True:
                size = int(await reader.readline(), 16)
                if size == 0:
                    while (line := await reader.readline()) != b"\r\n":
                        request.headers.append(("trailer-" + line.decode().split(":")[0].lower(),
                                                line.decode().split(":", 1)[1].strip()))
                    break
                request.body += await reader.readexactly(size)
                await reader.readexactly(2)
        elif request.get("Content-Length"):
            request.body = await reader.readexactly(int(request.get("Content-Length")))
        return request

    @staticmethod
    async def _write(request, answer, writer):
        for status, headers in answer.interim or []:
            writer.write(f"HTTP/1.1 {status} Interim\r\n".encode()
                         + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n")
            await writer.drain()
        chunked = answer.pieces is not None or answer.trailers is not None
        head = [f"HTTP/1.1 {answer.status} Status"]
        for key, value in answer.headers.items():
            head += [f"{key}: {v}" for v in (value if isinstance(value, list) else [value])]
        if chunked:
            head.append("Transfer-Encoding: chunked")
        elif answer.status not in (204, 304) and "Content-Length" not in answer.headers:
            head.append(f"Content-Length: {len(answer.body)}")
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        if request.method == "HEAD" or answer.status in (204, 304):
            await writer.drain()
            return True
        if answer.cut is not None:
            writer.write(answer.body[:answer.cut])
            await writer.drain()
            return False
        if not chunked:
            writer.write(answer.body)
            await writer.drain()
            return True
        for pause, piece in answer.pieces or [(0, answer.body)]:
            await asyncio.sleep(pause)
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in (answer.trailers or {}).items())
                     + b"\r\n")
        await writer.drain()
        return True
