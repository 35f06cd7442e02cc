"""The DNS servers that torhaus is compared with, as Debian brings them, one thread each: with names of their own
(start_local_*), and as forwarders to two upstreams (start_forwarder_*). Each returns a Server."""
import pathlib

import common

HOSTS = 1000
NAMES = [f"www.customer{i}.example" for i in range(HOSTS)]


def address_of(i):
    return f"10.0.{i // 250}.{i % 250 + 1}"


class Server:
    def __init__(self, name, program, port):
        self.name, self.program, self.port = name, program, port

    def stop(self):
        self.program.stop()


def folder(dir, name):
    path = pathlib.Path(dir) / name
    path.mkdir()
    path.chmod(0o777)     # some give up root before they look at their files
    return path


def free_port():
    """Free for UDP and TCP."""
    while True:
        port = common.free_port()
        try:
            with common.socket.socket(common.socket.AF_INET, common.socket.SOCK_DGRAM) as s:
                s.bind(("127.0.0.1", port))
                return port
        except OSError:
            continue


# ---- names of their own ----

def start_local_torhaus(dir):
    home, port = folder(dir, "local-torhaus"), free_port()
    program = common.Torhaus(home, torhaus_settings(port, []))
    flat = home / "names.txt"
    flat.write_text("".join(f"{name} {address_of(i)}\n" for i, name in enumerate(NAMES)))
    program.command("domain", "import", flat)
    return Server("torhaus", program, port)


def torhaus_settings(port, upstreams):
    forward = ", ".join(f'"127.0.0.1:{u}"' for u in upstreams)
    return (f'threads = 1\nnames {{ listen = {{"127.0.0.1:{port}"}} forward = {{{forward}}} '
            f'allow = {{"127.0.0.0/8"}} }}\nlog {{ access = "off" }}\n')


def start_local_knot(dir):
    home, port = folder(dir, "local-knot"), free_port()
    (home / "example.zone").write_text(
        "$ORIGIN example.\n$TTL 30\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\nns A 127.0.0.1\n" +
        "".join(f"{name}. A {address_of(i)}\n" for i, name in enumerate(NAMES)))
    (home / "knot.conf").write_text(f"""
server:
    rundir: {home}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: {home}
template:
  - id: default
    storage: {home}
    zonefile-load: whole
    journal-content: none
zone:
  - domain: example
    file: example.zone
""")
    return Server("Knot", common.Program("local-knot", ["knotd", "-c", home / "knot.conf"], dir), port)


def start_local_unbound(dir):
    home, port = folder(dir, "local-unbound"), free_port()
    data = "".join(f'  local-data: "{name}. 30 IN A {address_of(i)}"\n' for i, name in enumerate(NAMES))
    return unbound("local-unbound", dir, home, port, f'  local-zone: "example." static\n{data}')


def unbound(name, dir, home, port, more):
    (home / "unbound.conf").write_text(f"""
server:
  interface: 127.0.0.1
  port: {port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{home}"
  pidfile: "{home}/pid"
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  outgoing-range: 16384
  num-queries-per-thread: 12000
  wait-limit: 0
  so-rcvbuf: 4m
  serve-expired: yes
  serve-expired-client-timeout: 1800
{more}
remote-control:
  control-enable: no
""")
    return Server("unbound", common.Program(name, ["unbound", "-d", "-c", home / "unbound.conf"], dir), port)


def start_local_dnsmasq(dir):
    home, port = folder(dir, "local-dnsmasq"), free_port()
    (home / "hosts").write_text("".join(f"{address_of(i)} {name}\n" for i, name in enumerate(NAMES)))
    return dnsmasq("local-dnsmasq", dir, port, ["--no-hosts", f"--addn-hosts={home}/hosts", "--local-ttl=30", "--cache-size=10000"])


def dnsmasq(name, dir, port, more):
    program = common.Program(name, ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                                    "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}", "--user=",
                                    "--pid-file=", "--dns-forward-max=12000", *more], dir)
    return Server("dnsmasq", program, port)


LOCAL = [start_local_torhaus, start_local_knot, start_local_unbound, start_local_dnsmasq]

# ---- forwarders ----


def start_forwarder_torhaus(dir, upstreams):
    home, port = folder(dir, "forwarder-torhaus"), free_port()
    return Server("torhaus", common.Torhaus(home, torhaus_settings(port, upstreams)), port)


def start_forwarder_dnsmasq(dir, upstreams):
    return dnsmasq("forwarder-dnsmasq", dir, free_port(), ["--use-stale-cache", *(f"--server=127.0.0.1#{u}" for u in upstreams)])


def start_forwarder_unbound(dir, upstreams):
    home, port = folder(dir, "forwarder-unbound"), free_port()
    forward = "".join(f"  forward-addr: 127.0.0.1@{u}\n" for u in upstreams)
    return unbound("forwarder-unbound", dir, home, port, f'forward-zone:\n  name: "."\n{forward}')


def start_forwarder_dnsdist(dir, upstreams):
    home, port = folder(dir, "forwarder-dnsdist"), free_port()
    servers = "".join(f'newServer({{address="127.0.0.1:{u}", checkInterval=1}})\n' for u in upstreams)
    (home / "dnsdist.conf").write_text(
        f'setLocal("127.0.0.1:{port}")\n{servers}setServerPolicy(firstAvailable)\nsetUDPTimeout(2)\n'
        'pc = newPacketCache(10000, {staleTTL=30})\ngetPool(""):setCache(pc)\nsetStaleCacheEntriesTTL(86400)\n'
        'setMaxUDPOutstanding(12000)\n')
    program = common.Program("forwarder-dnsdist", ["dnsdist", "--supervised", "--disable-syslog", "-C",
                                                   home / "dnsdist.conf"], dir)
    return Server("dnsdist", program, port)


FORWARDERS = [start_forwarder_torhaus, start_forwarder_dnsmasq, start_forwarder_unbound, start_forwarder_dnsdist]
