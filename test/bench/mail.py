#!/usr/bin/python3
"""The mail edge beside its peers: mails plain and with STARTTLS, memory of idle sessions."""
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import time

import common

sys.path.insert(0, str(common.ROOT / "test" / "flow"))
import mta  # noqa: E402  Postfix in a root folder of its own

SESSIONS = 20           # at a time
SIZE = 10_000           # bytes of a mail's body
IDLE_OF_POSTFIX = 200   # it has a process for each session ...
IDLE_END_S = 2          # ... that stays for so long for the next one


class Server:
    """One candidate: where it listens, and whose CPU counts."""

    def __init__(self, name, program, port, host="127.0.0.1", starttls=True, idle_max=1_000_000):
        self.name, self.program, self.host, self.port, self.starttls, self.idle_max = name, program, host, port, starttls, idle_max
        program.wait_port(port, host)


# ---- candidates ----

def start_torhaus(dir, sink, pair, stack):
    port = common.free_port()
    program = common.Torhaus(
        dir, f'threads = 1\nmail {{\n listen = {{"127.0.0.1:{port}"}}\n hostname = "mx.bench.example"\n'
        ' connections_max = 20000\n connections_per_network = 20000\n}\nlog { access = "off" }\n',
        domains=[("bench.example", "--mail", f"127.0.0.1:{sink}")], certificates=[pair])
    stack.callback(program.stop)
    return Server("torhaus", program, port)


def start_postfix(dir, sink, pair, stack):
    machine = stack.enter_context(mta.Postfix(certificate=pair, lines=f"""
smtpd_proxy_filter = 127.0.0.1:{sink}
default_process_limit = {IDLE_OF_POSTFIX + 50}
max_idle = {IDLE_END_S}s
"""))
    return Server("Postfix, smtpd_proxy_filter", MachineProgram(machine), machine.port, machine.address, idle_max=IDLE_OF_POSTFIX)


class MachineProgram:
    """A mail server's machine, pinned and measured as a common.Program is."""

    def __init__(self, machine):
        self.pid = machine.process.pid
        for pid in common.tree(self.pid):
            subprocess.run(["taskset", "-cp", str(common.SERVER_CPU), str(pid)], capture_output=True, check=True)

    def wait_port(self, port, host):
        common.wait_until(lambda: common.accepts(port, host), what="Postfix")

    def cpu(self):
        """With what ended children have used, which the kernel keeps in ticks only: Postfix's processes come and go."""
        ticks = 0
        for pid in common.tree(self.pid):
            with contextlib.suppress(OSError):
                ticks += sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        return common.memory_bytes(self.pid)


def start_haproxy(dir, sink, pair, stack):
    port, conf = common.free_port(), dir / "haproxy.cfg"
    conf.write_text(f"""
global
  nbthread 1
  maxconn 12000
  no strict-limits
defaults
  mode tcp
  timeout client 1h
  timeout server 1h
  timeout connect 5s
listen mail
  bind 127.0.0.1:{port}
  server s 127.0.0.1:{sink}
""")
    program = stack.enter_context(common.Program("haproxy", ["haproxy", "-db", "-f", conf], dir))
    return Server("HAProxy, TCP mode", program, port, starttls=False)


def start_nginx(dir, sink, pair, stack):
    port, auth, home = common.free_port(), common.free_port(), dir / "nginx"
    home.mkdir()
    home.chmod(0o777)
    (home / "nginx.conf").write_text(f"""
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off; master_process on; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 12000; }}
mail {{
  auth_http 127.0.0.1:{auth}/; xclient off; proxy_smtp_auth off; timeout 1h;
  ssl_certificate {pair[0]}; ssl_certificate_key {pair[1]};
  server {{ listen 127.0.0.1:{port}; protocol smtp; smtp_auth none; starttls on; server_name mx.bench.example; }}
}}
http {{
  access_log off; client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f; scgi_temp_path {home}/s;
  uwsgi_temp_path {home}/u;
  server {{
    listen 127.0.0.1:{auth};
    location / {{
      add_header Auth-Status OK; add_header Auth-Server 127.0.0.1; add_header Auth-Port {sink}; return 200 "";
    }}
  }}
}}
""")
    program = stack.enter_context(
        common.Program("nginx", ["nginx", "-p", home, "-c", home / "nginx.conf", "-e", home / "error.log"], dir))
    return Server("nginx, mail proxy", program, port)


# ---- load ----

class Tools:
    """Postfix's smtp-source and smtp-sink, in a machine of their own."""

    def __init__(self, stack):
        self.machine = mta.Postfix()
        stack.callback(self.machine.remove)

    def command(self, name, *args):
        return ["chroot", self.machine.root, f"/usr/sbin/{name}", *map(str, args)]


def send(tools, host, port, count):
    common.run(tools.command("smtp-source", "-s", SESSIONS, "-m", count, "-l", SIZE, "-f", "sender@client.example",
                        "-t", "box@bench.example", f"{host}:{port}"), timeout=300)


@contextlib.contextmanager
def starttls_in_front(dir, server):
    """A port at which smtp-source, which has no TLS, may speak: stunnel does STARTTLS and a full handshake for each session."""
    port, conf = common.free_port(), dir / "stunnel.conf"
    conf.write_text(f"""
foreground = yes
pid =
debug = err
[mail]
client = yes
protocol = smtp
sessionResume = no
accept = 127.0.0.1:{port}
connect = {server.host}:{server.port}
""")
    with common.Program("stunnel", ["stunnel4", conf], dir, cpu=common.LOAD_CPU) as program:
        program.wait_port(port)
        yield port


def measure_mails(dir, tools, server, tls, count):
    """CPU µs and mails a second."""
    if tls and not server.starttls:
        return None
    with starttls_in_front(dir, server) if tls else contextlib.nullcontext(server.port) as port:
        host = "127.0.0.1" if tls else server.host
        send(tools, host, port, SESSIONS)
        cpu, began = server.program.cpu(), time.monotonic()
        send(tools, host, port, count)
        seconds = time.monotonic() - began
        return {"cpu": (server.program.cpu() - cpu) / count * 1e6, "rate": count / seconds}


# ---- idle sessions ----

def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def greeted(server, tls):
    s = socket.create_connection((server.host, server.port), timeout=60)
    said = s.recv(1000)
    s.sendall(b"EHLO client.example\r\n")
    said += s.recv(4000)
    if not said.startswith(b"220"):
        raise RuntimeError(f"{server.name}: {said}")
    if tls:
        s.sendall(b"STARTTLS\r\n")
        s.recv(1000)
        s = tls.wrap_socket(s)
        s.sendall(b"EHLO client.example\r\n")
        s.recv(4000)
    return s


def measure_idle(server, tls, count):
    """Bytes of a session that has said EHLO and waits, and how many there were."""
    if tls and not server.starttls:
        return None
    count = min(count, server.idle_max)
    time.sleep(2 * IDLE_END_S)
    with contextlib.ExitStack() as held:
        for _ in range(count // 20):
            held.enter_context(greeted(server, tls))
        before = server.program.memory()
        for _ in range(count - count // 20):
            held.enter_context(greeted(server, tls))
        return (server.program.memory() - before) / (count - count // 20), count


# ---- the section ----

def main():
    args = common.arguments(__doc__)
    rounds, count, idle = (1, 500, 1000) if args.quick else (5, 2000, 2000)
    with common.Scratch() as dir, contextlib.ExitStack() as stack:
        tools, sink = Tools(stack), common.free_port()
        stack.enter_context(common.Program("smtp-sink", tools.command("smtp-sink", "-u", "box", "-m", 5000, f"127.0.0.1:{sink}", 1000), dir,
                                           cpu=common.LOAD_CPU)).wait_port(sink)
        pair = common.certificate(dir, "mx.bench.example")
        servers = [start(dir, sink, pair, stack) for start in (start_torhaus, start_postfix, start_haproxy, start_nginx)]
        # First: later they would live in memory that the load has left behind.
        common.say(f"-- {idle} idle sessions")
        memory = {s: [measure_idle(s, tls, idle) for tls in (None, context())] for s in servers}
        columns = {}
        for title, tls in ("plain", False), ("STARTTLS", True):
            common.say(f"-- {title}")
            able = [s for s in servers if s.starttls or not tls]
            columns[title] = common.interleaved(able, lambda s: measure_mails(dir, tools, s, tls, count), rounds)
        version = common.run(tools.command("postconf", "-d", "-h", "mail_version")).strip()
        print_section(servers, columns, memory, version)


def print_section(servers, columns, memory, postfix):
    print(f"""## Mail

`smtp-source` to `smtp-sink` (Postfix {postfix}), {SESSIONS} sessions at a time, one mail of {SIZE:,} bytes in each; what stands between them runs on
one core, source, sink and (for STARTTLS, which `smtp-source` does not have) stunnel on the other. Every session with
STARTTLS is a full handshake with an ECDSA certificate. HAProxy passes bytes on without reading them, and cannot do STARTTLS; nginx
passes bytes on after the envelope. Ratios are to torhaus: above 1 is dearer. Mails per second are what this pair of cores
managed, source and sink included.
""")
    head = ["", *[h for title in columns for h in (f"{title}: CPU µs per mail", "ratio", "mails/s")]]
    rows = []
    for s in servers:
        row = [s.name]
        for of in columns.values():
            row += [common.number(of[s]["cpu"], 0), common.ratio(of[s]["cpu"], of[servers[0]]["cpu"]),
                    common.number(of[s]["rate"], 0)] if s in of else ["-"] * 3
        rows.append(row)
    print(common.table(head, rows))
    print("""
### Memory of an idle session

Growth of the proportional set size per session that has said EHLO, without the kernel's socket buffers.
""")
    print(common.table(["", "plain: KiB", "STARTTLS: KiB", "sessions"],
                       [[s.name, *[common.number(m and m[0] / 1024) for m in of], f"{of[0][1]:,}"] for s, of in memory.items()]))


if __name__ == "__main__":
    main()
