#!/usr/bin/python3
"""The web edge beside its peers: hits of three sizes, TLS, handshakes, idle connections."""
import contextlib
import http.server
import json
import os
import re
import signal
import socket
import ssl
import statistics
import threading
import time

import common
import peers

CONNECTIONS = 64
SIZES = {"/1k": 1024, "/32k": 32 * 1024, "/1m": 1024 * 1024}


class Origin(http.server.BaseHTTPRequestHandler):
    """Is asked once a body; after that everybody answers from memory."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"x" * SIZES.get(self.path, 0)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/plain")
        self.send_header("Cache-Control", "public, max-age=36000")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class OriginServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Peers that end leave their connections: nothing to report."""


# ---- hits ----

def measure_hits(server, path, tls, seconds):
    """CPU µs a request at CONNECTIONS keep-alive connections."""
    port = server.tls_port if tls else server.port
    if port is None:
        return None
    url = f"http{'s' if tls else ''}://{peers.HOSTS['ec']}:{port}{path}"
    wrk = ["wrk", "-t", "1", "-c", CONNECTIONS, "--timeout", "10", "-d"]
    before = server.program.cpu()
    said = common.run([*wrk, f"{seconds}s", url])
    used = server.program.cpu() - before
    if "Non-2xx" in said or re.search(r"Socket errors: .*[1-9]", said):
        raise RuntimeError(f"{server.name}: {said}")
    return used / int(re.search(r"(\d+) requests in", said)[1]) * 1e6


# ---- handshakes ----

def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.minimum_version = ssl.TLSVersion.TLSv1_3
    return c


def visit(tls, port, host, session=None, request=b"GET /1k HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"):
    """Handshake, one request, close; the session to resume and whether this one was resumed."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)     # as browsers do
        with tls.wrap_socket(plain, server_hostname=host, session=session, suppress_ragged_eofs=True) as s:
            s.sendall(request % f"{host}:{port}".encode())
            while s.recv(65536):
                pass
            return s.session, s.session_reused


def measure_handshakes(server, kind, resumed, count):
    """CPU µs of a connection with one request on it, from SYN to FIN."""
    if server.tls_port is None:
        return None
    tls, session = context(), None
    for _ in range(3 if resumed else 0):
        session, _ = visit(tls, server.tls_port, peers.HOSTS[kind], session)
    before = server.program.cpu()
    for _ in range(count):
        new, was_resumed = visit(tls, server.tls_port, peers.HOSTS[kind], session)
        if was_resumed != resumed:
            raise RuntimeError(f"{server.name}: resumed is {was_resumed}, wanted {resumed}")
        session = new if resumed else None
    return (server.program.cpu() - before) / count * 1e6


# ---- idle connections ----

def measure_idle(server, count):
    """Bytes that an idle keep-alive TLS connection costs the server, after one request on it."""
    if server.tls_port is None:
        return None
    tls, held = context(), []
    host = peers.HOSTS["ec"]
    request = f"GET /1k HTTP/1.1\r\nHost: {host}:{server.tls_port}\r\n\r\n".encode()

    def connect():
        s = tls.wrap_socket(socket.create_connection(("127.0.0.1", server.tls_port)), server_hostname=host)
        s.sendall(request)
        got = b""
        while not got.endswith(b"x" * 100) or got.count(b"x") < 1024:
            got += s.recv(65536)
        held.append(s)

    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [s.close() for s in held])
        for _ in range(100):            # what a first connection costs once
            connect()
        before = server.program.memory()
        for _ in range(count):
            connect()
        return (server.program.memory() - before) / count


# ---- torhaus alone ----

def measure_restarts(server, count):
    """Milliseconds from the death of the worker (kill -9) to the answer for a visitor who comes just then."""
    times = []
    for _ in range(count):
        status = json.loads(server.program.command("status", "--json"))
        os.kill(status["worker_pid"], signal.SIGKILL)
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(f"GET /1k HTTP/1.1\r\nHost: {peers.HOSTS['ec']}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := s.recv(65536):
                answer += piece
        times.append((time.monotonic() - began) * 1000)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"after kill -9: {answer[:100]}")
    return times


def measure_domains(server, dir, count):
    """Many domains at once: seconds to apply them, seconds until they are served, bytes of memory for each."""
    text = server.program.command("domain", "export") + "".join(
        f'domain "customer-{i}.example" {{\n  web = {{"customer-{i}.example", "www.customer-{i}.example"}}\n'
        f'  origin = {{"http://10.0.{i // 250}.{i % 250}:8080"}}\n  preset = "wordpress"\n}}\n' for i in range(count))
    (dir / "domains").write_text(text)
    before, began = server.program.memory(), time.monotonic()
    server.program.command("domain", "apply", dir / "domains")
    applied = time.monotonic()
    common.wait_until(lambda: f"domains-loaded domains={count + 1}" in server.program.output())
    served = time.monotonic()
    return applied - began, served - applied, (server.program.memory() - before) / count


# ---- the section ----

def compare(title, servers, measure, rounds, digits=1):
    """A measurement of all servers as a row for each: absolute, and relative to torhaus."""
    common.say(f"-- {title}")
    able = [s for s in servers if measure(s, warm=True) is not None]
    medians = common.interleaved(able, measure, rounds)
    ours = medians[servers[0]]
    return {s: (common.number(medians[s], digits), common.ratio(medians[s], ours)) if s in medians else ("-", "-")
            for s in servers}


def main():
    args = common.arguments(__doc__)
    rounds, seconds = (1, 1) if args.quick else (5, 2)
    handshakes, idle = (100, 500) if args.quick else (300, 10000)
    origin = OriginServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()

    with common.Scratch() as dir, contextlib.ExitStack() as stack:
        files = dir / "files"
        files.mkdir()
        for path, size in SIZES.items():
            (files / path[1:]).write_bytes(b"x" * size)
        bench = peers.Bench(origin.server_address[1], files, {
            kind: common.certificate(dir, kind, kind, [host]) for kind, host in peers.HOSTS.items()})
        servers = []
        for start in peers.STARTERS:
            servers.append(start(dir, bench))
            stack.callback(servers[-1].program.stop)

        def hits(path, tls):
            return lambda s, warm=False: measure_hits(s, path, tls, 1 if warm else seconds)

        def visits(kind, resumed):
            return lambda s, warm=False: measure_handshakes(s, kind, resumed, 10 if warm else handshakes)

        columns = {
            "1 KiB": compare("1 KiB", servers, hits("/1k", False), rounds),
            "32 KiB": compare("32 KiB", servers, hits("/32k", False), rounds),
            "1 MiB": compare("1 MiB", servers, hits("/1m", False), rounds, 0),
            "TLS 1 KiB": compare("TLS 1 KiB", servers, hits("/1k", True), rounds),
        }
        shakes = {
            f"{kind_name} {'resumed' if resumed else 'full'}":
                compare(f"{kind_name} {resumed=}", servers, visits(kind, resumed), rounds, 0)
            for kind, kind_name in (("ec", "ECDSA"), ("rsa", "RSA")) for resumed in (False, True)}
        common.say(f"-- {idle} idle connections")
        memory = {s: measure_idle(s, idle) for s in servers}
        print_section(servers, columns, shakes, memory, idle)
        common.say("-- kill -9, domains")
        print_alone(measure_restarts(servers[0], 20), measure_domains(servers[0], dir, 10000))
    origin.shutdown()


def print_table(servers, columns):
    head = ["", *[h for title in columns for h in (title, "ratio")]]
    print(common.table(head, [[s.name, *[cell for c in columns.values() for cell in c[s]]] for s in servers]))


def print_section(servers, columns, shakes, memory, idle):
    print(f"""## Web

All are caching reverse proxies in front of one origin that is asked once, one thread on one core, logs off; h2o has no cache
for what it proxies and serves files. Varnish from Debian has no TLS. Ratios are to torhaus: above 1 is dearer.

### Hits: CPU µs per request, {CONNECTIONS} keep-alive connections
""")
    print_table(servers, columns)
    print("""
### Handshakes: CPU µs per connection (TCP, TLS 1.3, one request of 1 KiB, close)
""")
    print_table(servers, shakes)
    print(f"""
### Memory of an idle keep-alive TLS connection, {idle:,} at a time

Growth of the proportional set size per connection, after one request on each; without the kernel's socket buffers.
""")
    print(common.table(["", "KiB"], [[s.name, common.number(None if m is None else m / 1024)]
                                     for s, m in memory.items()]))


def print_alone(restarts, domains):
    applied_s, served_s, bytes_each = domains
    print(f"""
### torhaus alone

- Worker killed (`kill -9`) {len(restarts)} times: a visitor who comes at that moment has the answer after \
{statistics.median(restarts):.0f} ms (median), {max(restarts):.0f} ms at most; nobody is refused.
- 10,000 domains: `domain apply` takes {applied_s:.1f} s, they are served {served_s:.1f} s later; {bytes_each / 1024:.1f} KiB \
of memory each (proportional set size of both processes).""")


if __name__ == "__main__":
    main()
