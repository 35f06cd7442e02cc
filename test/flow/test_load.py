"""Under load: the worker is killed, settings are read again, certificates are swapped. Nobody is refused."""

import asyncio
import threading
import time

import pytest

from client import any_certificate
from conftest import wait_for
from test_tls import make_pair

REQUEST = b"GET /p HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n"


class Load:
    """Clients that each open a connection, ask once, and begin again; counts what came of it."""

    def __init__(self, port, tls=None, clients=16):
        self.port, self.tls, self.clients = port, tls, clients
        self.answered, self.refused, self.broken, self.wrong, self.over = 0, 0, 0, 0, False

    async def client(self):
        while not self.over:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls,
                                                               server_hostname="example.test" if self.tls else None)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            except OSError:
                self.broken += 1
                continue
            try:
                writer.write(REQUEST)
                data = await reader.read()
                if data.startswith(b"HTTP/1.1 200 ") and data.endswith(b"page"):
                    self.answered += 1
                elif data:
                    self.wrong += 1
                else:
                    self.broken += 1
            except OSError:
                self.broken += 1
            finally:
                writer.transport.abort()

    def run(self):
        async def all_clients():
            await asyncio.gather(*(self.client() for _ in range(self.clients)))
        asyncio.run(all_clients())

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        wait_for(lambda: self.answered > 100)
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


@pytest.fixture
def busy(make_torhaus, origin):
    origin.on("/p", headers={"Cache-Control": "max-age=600"}, body=b"page")
    t = make_torhaus()
    make_pair(t.certs, "site", "ec")
    t.add("example.test", origin.url)
    return t.start()


def test_kill_the_worker_twenty_times(busy):
    with Load(busy.port) as load:
        for _ in range(20):
            pid = busy.worker_pid()
            before = load.answered
            busy.kill_worker()
            wait_for(lambda: busy.is_serving() and busy.worker_pid() != pid, what="a new worker")
            wait_for(lambda: load.answered > before + 50)
    assert load.refused == 0 and load.wrong == 0
    assert busy.json("status")["worker_restarts"] == 20


def test_reload_and_swap(busy):
    with Load(busy.port) as plain, Load(busy.tls_port, tls=any_certificate()) as secure:
        for i in range(6):
            busy.run("reload")
            make_pair(busy.certs, "site", "ec" if i % 2 else "rsa")
            time.sleep(1)
    for load in (plain, secure):
        assert (load.refused, load.broken, load.wrong) == (0, 0, 0)


def test_a_new_binary_takes_over(busy):
    with Load(busy.port) as load:
        for _ in range(3):
            pid = busy.worker_pid()
            busy.run("reload", "--binary")
            wait_for(lambda: busy.is_serving() and busy.worker_pid() != pid, what="the new worker")
            before = load.answered
            wait_for(lambda: load.answered > before + 50)
    assert (load.refused, load.broken, load.wrong) == (0, 0, 0)


def test_a_new_worker_for_settings_it_is_born_with(busy):
    with Load(busy.port) as load:
        pid = busy.worker_pid()
        busy.conf.write_text(busy.conf.read_text().replace("threads = 2", "threads = 1"))
        busy.run("reload")
        wait_for(lambda: busy.is_serving() and busy.worker_pid() != pid, what="the new worker")
        before = load.answered
        wait_for(lambda: load.answered > before + 50)
    assert (load.refused, load.broken, load.wrong) == (0, 0, 0)


def test_keep_alive_survives_a_reload(busy):
    with busy.connect() as c:
        assert c.request("/p").status == 200
        busy.run("reload")
        time.sleep(0.3)
        assert c.request("/p").status == 200


def test_stop_lets_open_answers_end(busy, origin):
    origin.on("/slow", pieces=[(0, b"begin"), (1.5, b"end")])
    with busy.connect() as c:
        c.send(b"GET /slow HTTP/1.1\r\nHost: example.test\r\n\r\n")
        while b"begin" not in c.buffer:
            assert c.more()
        busy.run("stop")
        reply = c.read()
        assert reply.complete and reply.body == b"beginend"
    assert busy.process.wait(30) == 0


def test_a_pair_that_became_faulty_outlives_its_worker(make_torhaus):
    """What is in service survives the worker, a change of the binary, and another change of the folder between."""
    t = make_torhaus()
    good = {"one": make_pair(t.certs, "one", kind="ec", names=("one.test",)),
            "two": make_pair(t.certs, "two", kind="rsa", names=("two.test",))}
    t.start()

    def served():
        pairs = ((p["names"][0].removesuffix(".test"), p) for p in t.json("cert", "list")["pairs"])
        return {name: p["kept"] for name, p in pairs if p["sha256"] == good[name]}
    wait_for(lambda: served() == {"one": False, "two": False}, what="both")
    (t.certs / "one.crt").write_text("no certificate")
    wait_for(lambda: served() == {"one": True, "two": False}, what="one to be kept")
    # The other becomes faulty when the first is so already: now neither state of the folder has both.
    (t.certs / "two.key").write_text("no key")
    wait_for(lambda: served() == {"one": True, "two": True}, what="both to be kept")
    for end in (t.kill_worker, t.kill_worker, lambda: t.run("reload", "--binary")):
        worker = t.worker_pid()
        end()
        wait_for(lambda: (s := t.is_serving()) and s["worker_pid"] != worker, what="another worker")
        assert served() == {"one": True, "two": True}
