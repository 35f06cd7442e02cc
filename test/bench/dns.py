#!/usr/bin/python3
"""The DNS edge beside its peers: names of its own, and what becomes of questions while upstreams fail."""
import contextlib
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import common
import dns_peers
import dns_upstream

PATIENCE = 5        # seconds that a client waits for an answer
IN_TIME = 2         # the promise
LOAD = 20000        # questions a second while the worker is killed
IN_FLIGHT = 10000


# ---- questions ----

def question(name, id):
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
    return struct.pack("!6H", id, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def ask(port, name, patience=PATIENCE):
    """(seconds, rcode, number of answers), or None without an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        id = random.randrange(65536)
        began = time.monotonic()
        with contextlib.suppress(OSError):
            s.send(question(name, id))
            while True:
                s.settimeout(max(0.001, began + patience - time.monotonic()))
                raw = s.recv(4096)
                if raw[:2] == struct.pack("!H", id):
                    return time.monotonic() - began, raw[3] & 15, struct.unpack("!H", raw[6:8])[0]
    return None


def is_good(answer):
    return answer is not None and answer[1] == 0 and answer[2] > 0


class Upstreams:
    """Two of them, both in the same mode."""

    def __init__(self, dir):
        self.ports, self.processes = [], []
        for _ in range(2):
            port = dns_peers.free_port()
            p = subprocess.Popen([sys.executable, dns_upstream.__file__, str(port)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True, start_new_session=True)
            assert p.stdout.readline() == "ready\n"
            self.ports.append(port)
            self.processes.append(p)

    def set(self, mode):
        for p in self.processes:
            p.stdin.write(mode + "\n")
            p.stdin.flush()
            p.stdout.readline()

    def signal(self, number):
        for p in self.processes:
            p.send_signal(number)

    def stop(self):
        for p in self.processes:
            p.kill()
            p.wait()


# ---- names of their own ----

def dnsperf(port, data, seconds, *more):
    said = common.run(["dnsperf", "-s", "127.0.0.1", "-p", port, "-d", data, "-l", seconds, "-c", "8", "-T", "1", "-q",
                       "200", "-t", str(PATIENCE), *more])
    return {key: float(re.search(rf"{text}:\s+([\d.]+)", said)[1])
            for key, text in (("sent", "Queries sent"), ("answered", "Queries completed"), ("lost", "Queries lost"),
                              ("rate", "Queries per second"))}


def measure_local(server, data, seconds):
    before = server.program.cpu()
    said = dnsperf(server.port, data, seconds)
    used = server.program.cpu() - before
    if server.name == "torhaus" and said["lost"]:
        raise RuntimeError(f"torhaus lost {said['lost']:.0f} of {said['sent']:.0f}")
    return {"cpu": used / said["answered"] * 1e6, "rate": said["rate"], "lost": said["lost"]}


def local_section(dir, quick):
    data = dir / "questions"
    data.write_text("".join(f"{name} A\n" for name in dns_peers.NAMES))
    with contextlib.ExitStack() as stack:
        servers = []
        for start in dns_peers.LOCAL:
            servers.append(start(dir))
            stack.callback(servers[-1].stop)
        for s in servers:
            common.wait_until(lambda: is_good(ask(s.port, dns_peers.NAMES[-1], 0.5)), what=s.name)
            measure_local(s, data, 1)
        got = common.interleaved(servers, lambda s: measure_local(s, data, 2 if quick else 5), 3 if quick else 5)
    base = got[servers[0]]["cpu"]
    rows = [[s.name, common.number(got[s]["cpu"], 2), common.ratio(got[s]["cpu"], base), common.number(got[s]["rate"], 0),
             common.number(got[s]["lost"], 0)] for s in servers]
    print(f"""### Names of its own

{dns_peers.HOSTS:,} names, one thread on one core, `dnsperf` on the other. Ratio: to torhaus, above 1 is dearer.
""")
    print(common.table(["", "CPU s per million answers", "ratio", "answers/s", "unanswered"], rows))


# ---- upstreams that fail ----

class Questions(threading.Thread):
    """Asks server for a new name every `pause` seconds, `n` times, each in a thread of its own."""

    def __init__(self, server, names, pause):
        super().__init__()
        self.server, self.names, self.pause, self.answers = server, names, pause, []
        self.start()

    def run(self):
        def one(name):
            self.answers.append(ask(self.server.port, name))
        threads = []
        for name in self.names:
            threads.append(threading.Thread(target=one, args=(name,)))
            threads[-1].start()
            time.sleep(self.pause)
        for t in threads:
            t.join()

    def summary(self):
        self.join()
        answered = [a for a in self.answers if a]
        return {"in time": sum(a[0] <= IN_TIME + 0.1 for a in answered), "good": sum(map(is_good, self.answers)),
                "slowest": max((a[0] for a in answered), default=None), "asked": len(self.names)}


def all_at_once(servers, tag, n, pause, known=None):
    """Each server is asked the same kind of questions at the same time: {server: summary}."""
    asking = {s: Questions(s, known or [f"{tag}{i}.{random.randrange(1 << 30)}.example.net" for i in range(n)], pause)
              for s in servers}
    return {s: q.summary() for s, q in asking.items()}


def time_to_recover(server):
    """Seconds until the first good answer for a new name; asked every 50 ms."""
    began = time.monotonic()
    found = []

    def one(i):
        if is_good(ask(server.port, f"back{i}.{random.randrange(1 << 30)}.example.net")):
            found.append(time.monotonic() - began)
    for i in range(400):
        threading.Thread(target=one, args=(i,), daemon=True).start()
        time.sleep(0.05)
        if found:
            return min(found)
    return None


def cell(summary):
    slowest = "-" if summary["slowest"] is None else f"{summary['slowest']:.2f} s"
    return f"{summary['in time']}/{summary['asked']}, {slowest}"


def black_hole(servers, upstreams, seconds):
    known = [f"known{i}.example.net" for i in range(seconds)]
    all_at_once(servers, "", 0, 0.01, known)
    # Their minute must be over: what is asked for then is stale.
    time.sleep(dns_upstream.TTL + 1)
    upstreams.signal(signal.SIGSTOP)
    results = {}
    threads = [threading.Thread(target=lambda: results.update(new=all_at_once(servers, "new", seconds, 1))),
               threading.Thread(target=lambda: results.update(known=all_at_once(servers, "", 0, 1, known)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    upstreams.signal(signal.SIGCONT)
    back = {}
    threads = [threading.Thread(target=lambda s=s: back.update({s: time_to_recover(s)})) for s in servers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(f"""
### Both upstreams stopped for {seconds} s (SIGSTOP: their sockets swallow everything)

Each second one new name and one whose answer is known but has expired. A cell: answered within {IN_TIME} s of those asked, and
the slowest answer (a client waits {PATIENCE} s). Back: from SIGCONT to the first good answer for a new name.
""")
    rows = [[s.name, cell(results["new"][s]), cell(results["known"][s]), results["known"][s]["good"],
             "-" if back[s] is None else f"{back[s]:.2f} s"] for s in servers]
    print(common.table(["", "new names answered", "known names answered", "known, with their data", "back"], rows))


def faults(servers, upstreams, n):
    rows = []
    for mode in dns_upstream.MODES[2:]:
        if mode == "1 s delay":
            continue
        common.say(f"-- {mode}")
        upstreams.set("well")
        for s in servers:
            common.wait_until(lambda: is_good(ask(s.port, f"w{random.randrange(1 << 30)}.example.net")), 60, s.name)
        upstreams.set(mode)
        got = all_at_once(servers, "f", n, 0.05)
        rows.append([mode, *(f"{cell(got[s])}, {got[s]['good']} good" for s in servers)])
    upstreams.set("well")
    print(f"""
### Other faults, of both upstreams at the same time

{n} new names, 20 a second: answered within {IN_TIME} s, the slowest, and how many with data.
""")
    print(common.table(["", *(s.name for s in servers)], rows))


def in_flight(servers, upstreams):
    """IN_FLIGHT questions in a burst, from one socket."""
    rows = []
    for mode in ("1 s delay", "silent"):
        upstreams.set("well")
        for s in servers:
            common.wait_until(lambda: is_good(ask(s.port, f"w{random.randrange(1 << 30)}.example.net")), 60, s.name)
        upstreams.set(mode)
        rows.append([mode, *(burst(s) for s in servers)])
    upstreams.set("well")
    print(f"""
### {IN_FLIGHT:,} questions under way

For as many new names in half a second: answered at all within {PATIENCE} s, with data, and the slowest.
""")
    print(common.table(["upstreams", *(s.name for s in servers)], rows))


def burst(server):
    tag, answers, sent = random.randrange(1 << 30), {}, {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        s.connect(("127.0.0.1", server.port))
        s.setblocking(False)

        def take():
            with contextlib.suppress(BlockingIOError, ConnectionError):
                while True:
                    raw = s.recv(4096)
                    id = struct.unpack("!H", raw[:2])[0]
                    answers.setdefault(id, (time.monotonic() - sent[id], raw[3] & 15, struct.unpack("!H", raw[6:8])[0]))
        for i in range(IN_FLIGHT):
            sent[i] = time.monotonic()
            with contextlib.suppress(ConnectionError):
                s.send(question(f"q{i}.{tag}.example.net", i))
            if i % 200 == 199:
                take()
                time.sleep(0.5 / (IN_FLIGHT / 200))
        end = time.monotonic() + PATIENCE
        while len(answers) < IN_FLIGHT and time.monotonic() < end:
            select.select([s], [], [], 0.1)
            take()
    slowest = max((a[0] for a in answers.values()), default=0)
    return f"{len(answers):,}, {sum(map(is_good, answers.values())):,} good, {slowest:.2f} s"


# ---- a worker that dies ----

def longest_gap(port, name, seconds, at):
    """Asks each millisecond; calls at() after half the time. The longest time without any answer, ms, and the unanswered."""
    received, sent, answered = [], 0, set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.setblocking(False)
        began = time.monotonic()
        while (now := time.monotonic()) < began + seconds + 1:
            if now >= began + sent * 0.001 and now < began + seconds:
                with contextlib.suppress(OSError):
                    s.send(question(name, sent & 0xffff))
                sent += 1
            if at and now > began + seconds / 2:
                at()
                at = None
            with contextlib.suppress(OSError):
                raw = s.recv(4096)
                received.append(time.monotonic())
                answered.add(raw[:2])
            select.select([s], [], [], 0.0005)
    last = [t for t in received if t < began + seconds]
    return max(b - a for a, b in zip(last, last[1:])) * 1000, sent - len(answered)


def dead_worker(dir, rounds):
    place = dir / "dead"
    place.mkdir()
    data = dir / "questions"
    server = dns_peers.start_local_torhaus(place)
    gaps = []
    try:
        common.wait_until(lambda: is_good(ask(server.port, dns_peers.NAMES[0], 0.5)), what="names")
        for _ in range(rounds):
            def kill():
                children = [p for p in common.tree(server.program.pid) if p != server.program.pid]
                os.kill(children[0], signal.SIGKILL)
            load = subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", str(data), "-l", "4", "-c",
                                     "8", "-T", "1", "-Q", str(LOAD), "-t", "2"], stdout=subprocess.PIPE, text=True)
            gaps.append(longest_gap(server.port, dns_peers.NAMES[1], 3, kill))
            lost = re.search(r"Queries lost:\s+(\d+)", load.communicate()[0])
            common.say(f"  gap {gaps[-1][0]:.0f} ms, {gaps[-1][1]} of 3000 unanswered; load: {lost and lost[1]} lost")
    finally:
        server.stop()
    print(f"""
### `kill -9` of the worker under {LOAD:,} questions a second

One more question each millisecond, {rounds} rounds: the longest time without an answer was
{", ".join(f"{g:.0f}" for g, _ in gaps)} ms; of 3,000 questions of a round unanswered: {", ".join(str(n) for _, n in gaps)}.""")


def main():
    args = common.arguments(__doc__)
    # The clients here are many threads; they share the load generator's core.
    with common.Scratch() as dir, contextlib.ExitStack() as stack:
        print("## DNS\n")
        local_section(dir, args.quick)
        dead_worker(dir, 2 if args.quick else 5)
        upstreams = Upstreams(dir)
        stack.callback(upstreams.stop)
        servers = []
        for start in dns_peers.FORWARDERS:
            servers.append(start(dir, upstreams.ports))
            stack.callback(servers[-1].stop)
        for s in servers:
            common.wait_until(lambda: is_good(ask(s.port, f"w{random.randrange(1 << 30)}.example.net")), 60, s.name)
        black_hole(servers, upstreams, 8 if args.quick else 30)
        faults(servers, upstreams, 20 if args.quick else 60)
        in_flight(servers, upstreams)


if __name__ == "__main__":
    main()
