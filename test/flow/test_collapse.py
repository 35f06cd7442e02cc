"""Many visitors, one object: one fetch, and nobody waits for somebody else's private answer."""

import asyncio
import threading
import time

from client import Connection
from conftest import wait_for
from origin import Answer


async def ask(port, path, read_all=True):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n".encode())
    data = await reader.read() if read_all else b""
    writer.close()
    return data


def ask_together(port, path, count):
    async def run():
        return await asyncio.gather(*(ask(port, path) for _ in range(count)))
    return asyncio.run(run())


def test_five_thousand_for_one_cold_object(site):
    site.origin.on("/cold", headers={"Cache-Control": "max-age=60"}, body=b"y" * 2000, delay=2)
    replies = ask_together(site.port, "/cold", 5000)
    assert all(r.startswith(b"HTTP/1.1 200 ") and r.endswith(b"y" * 2000) for r in replies)
    assert site.origin.count("/cold") == 1


def test_private_answers_do_not_queue(site):
    """The first request of a key shows that its answer is private; then all run side by side."""
    site.origin.on("/me", headers={"Cache-Control": "private"}, body=b"mine", delay=0.5)
    site.get("/me")
    began = time.monotonic()
    replies = ask_together(site.port, "/me", 50)
    assert all(r.endswith(b"mine") for r in replies)
    assert site.origin.count("/me") == 51
    assert time.monotonic() - began < 50 * 0.5 / 2, "they ran in parallel"


def test_followers_of_a_private_answer_are_released_together(site):
    site.origin.on("/me", headers={"Cache-Control": "no-store"}, body=b"mine", delay=0.5)
    began = time.monotonic()
    replies = ask_together(site.port, "/me", 20)
    assert all(r.endswith(b"mine") for r in replies) and site.origin.count("/me") == 20
    assert time.monotonic() - began < 20 * 0.5 / 2


def test_the_marker_goes_when_an_answer_can_be_stored(site):
    site.origin.on("/x", headers={"Cache-Control": "private"}, body=b"1")
    site.get("/x")
    site.origin.on("/x", headers={"Cache-Control": "max-age=60"}, body=b"2")
    site.get("/x")
    assert site.get("/x").is_hit


def test_followers_stream_while_the_body_arrives(site):
    site.origin.on("/s", headers={"Cache-Control": "max-age=60"}, pieces=[(0, b"first"), (1.5, b"last")])
    leader = threading.Thread(target=site.get, args=("/s",))
    leader.start()
    wait_for(lambda: site.origin.count("/s") == 1)
    time.sleep(0.3)
    with site.connect() as c:
        c.send(b"GET /s HTTP/1.1\r\nHost: example.test\r\n\r\n")
        began = time.monotonic()
        while b"first" not in c.buffer:
            assert c.more()
        assert time.monotonic() - began < 1
        assert c.read().body == b"firstlast"
    leader.join()
    assert site.origin.count("/s") == 1


def test_a_vanished_leader_does_not_end_the_fill(site):
    site.origin.on("/v", headers={"Cache-Control": "max-age=60"}, pieces=[(0, b"a" * 1000), (0.6, b"b" * 1000)])
    with site.connect() as c:
        c.send(b"GET /v HTTP/1.1\r\nHost: example.test\r\n\r\n")
        while b"aaa" not in c.buffer:
            assert c.more()
    wait_for(lambda: site.get("/v").is_hit, what="the object of the vanished leader")
    assert site.origin.count("/v") == 1


def test_a_slow_leader_does_not_stall_followers(site):
    body = b"z" * 4_000_000
    site.origin.on("/big", headers={"Cache-Control": "max-age=60"}, body=body)
    slow = Connection(site.port)
    slow.send(b"GET /big HTTP/1.1\r\nHost: example.test\r\n\r\n")
    time.sleep(0.2)
    assert site.get("/big").body == body
    slow.close()
    assert site.origin.count("/big") == 1


def test_a_broken_body_is_never_stored_and_followers_see_it(site):
    site.origin.on("/b", call=lambda r: Answer(headers={"Cache-Control": "max-age=60"}, body=b"x" * 9000, cut=5000, delay=0.5))
    replies = ask_together(site.port, "/b", 5)
    assert all(not r.endswith(b"x" * 9000) for r in replies)
    site.origin.on("/b", headers={"Cache-Control": "max-age=60"}, body=b"whole")
    assert site.get("/b").body == b"whole"


def test_a_failed_fetch_fails_for_all_at_once(site):
    site.origin.on("/f", raw=b"nonsense\r\n\r\n", delay=0.5)
    replies = ask_together(site.port, "/f", 50)
    assert all(r.startswith(b"HTTP/1.1 502 ") for r in replies)
    assert site.origin.count("/f") == 1
