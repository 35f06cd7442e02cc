"""The web servers that torhaus is compared with, as Debian brings them: each a caching reverse proxy in front of one origin, on
one core, with its logs off. h2o has no cache for what it proxies: it serves the same bodies from files, the best it can do.
Varnish of Debian speaks no TLS.

Each is a function start_NAME(dir, bench) that returns a Server; bench says where the origin is and which certificates to use.
"""
import dataclasses
import os
import pathlib

import common

HOSTS = {"ec": "localhost", "rsa": "rsa.localhost"}     # the site's names; the key type of each one's certificate


@dataclasses.dataclass
class Bench:
    origin_port: int
    files: pathlib.Path              # the bodies, by path
    certificates: dict               # key type -> (certificate, key)


class Server:
    def __init__(self, name, program, port, tls_port=None):
        self.name, self.program, self.port, self.tls_port = name, program, port, tls_port
        program.wait_port(port)
        if tls_port:
            program.wait_port(tls_port)


def folder(dir, name):
    path = dir / name
    path.mkdir()
    # Some give up root before they look at their files.
    path.chmod(0o777)
    return path


def start_torhaus(dir, bench):
    port, tls_port = common.free_port(), common.free_port()
    program = common.Torhaus(
        dir, f'threads = 1\nweb {{\n listen = {{"127.0.0.1:{port}"}}\n listen_tls = {{"127.0.0.1:{tls_port}"}}\n'
        f' keep_alive_requests = 1000000000\n keep_alive = 1h\n connections_max = 12000\n}}\n'
        f'log {{ access = "off" }}\n',
        domains=[("bench.example", "--web", HOSTS["ec"], "--web", HOSTS["rsa"],
                  "--origin", f"http://127.0.0.1:{bench.origin_port}")],
        certificates=bench.certificates.values())
    return Server("torhaus", program, port, tls_port)


def start_nginx(dir, bench):
    home, port, tls_port = folder(dir, "nginx"), common.free_port(), common.free_port()
    location = f"location / {{ proxy_pass http://127.0.0.1:{bench.origin_port}; proxy_cache c; }}"
    servers = "".join(
        f"server {{ listen 127.0.0.1:{tls_port} ssl; server_name {HOSTS[kind]}; ssl_certificate {crt}; "
        f"ssl_certificate_key {key}; {location} }}\n" for kind, (crt, key) in bench.certificates.items())
    (home / "nginx.conf").write_text(f"""
daemon off; master_process on; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 12000; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 1h;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_cache shared:s:10m;
  proxy_cache_path {home}/cache keys_zone=c:10m; proxy_http_version 1.1;
  open_file_cache max=1000; open_file_cache_valid 1h;
  server {{ listen 127.0.0.1:{port}; server_name {HOSTS['ec']}; {location} }}
  {servers}
}}
""")
    program = common.Program("nginx", ["nginx", "-p", home, "-c", home / "nginx.conf", "-e", home / "error.log"], dir)
    return Server("nginx", program, port, tls_port)


def start_haproxy(dir, bench):
    home, port, tls_port = folder(dir, "haproxy"), common.free_port(), common.free_port()
    pems = []
    for kind, (crt, key) in bench.certificates.items():
        pem = home / f"{kind}.pem"
        pem.write_text(crt.read_text() + key.read_text())
        pems.append(f"crt {pem}")
    (home / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 12000
  ulimit-n {common.DESCRIPTORS_MAX}
  no strict-limits
  tune.bufsize 65536
defaults
  mode http
  timeout client 1h
  timeout server 60s
  timeout connect 5s
  timeout http-keep-alive 1h
cache c
  total-max-size 64
  max-object-size 4000000
  max-age 3600
frontend f
  bind 127.0.0.1:{port}
  bind 127.0.0.1:{tls_port} ssl {" ".join(pems)} alpn http/1.1
  http-request cache-use c
  http-response cache-store c
  default_backend b
backend b
  server s 127.0.0.1:{bench.origin_port}
""")
    program = common.Program("haproxy", ["haproxy", "-db", "-f", home / "haproxy.cfg"], dir)
    return Server("HAProxy", program, port, tls_port)


def start_varnish(dir, bench):
    home, port = folder(dir, "varnish"), common.free_port()
    (home / "default.vcl").write_text(
        f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{bench.origin_port}"; }}\n')
    program = common.Program(
        "varnish", ["varnishd", "-F", "-n", home / "work", "-f", home / "default.vcl", "-a", f"127.0.0.1:{port}",
                    "-s", "malloc,256m", "-p", "thread_pools=1", "-p", "timeout_idle=3600"], dir)
    return Server("Varnish", program, port)


def start_h2o(dir, bench):
    home, port, tls_port = folder(dir, "h2o"), common.free_port(), common.free_port()
    hosts = "".join(f"""
  "{HOSTS[kind]}:{tls_port}":
    listen:
      port: {tls_port}
      host: 127.0.0.1
      ssl: {{ certificate-file: {crt}, key-file: {key}, minimum-version: TLSv1.2 }}
    paths: {{ "/": {{ file.dir: {bench.files} }} }}
""" for kind, (crt, key) in bench.certificates.items())
    user = "user: root\n" if os.geteuid() == 0 else ""
    (home / "h2o.conf").write_text(f"""
num-threads: 1
max-connections: 12000
http1-request-timeout: 3600
{user}hosts:
  "{HOSTS['ec']}:{port}":
    listen: {{ port: {port}, host: 127.0.0.1 }}
    paths: {{ "/": {{ file.dir: {bench.files} }} }}
{hosts}
""")
    program = common.Program("h2o", ["h2o", "-m", "worker", "-c", home / "h2o.conf"], dir)
    return Server("h2o", program, port, tls_port)


def start_trafficserver(dir, bench):
    home, port, tls_port = folder(dir, "trafficserver"), common.free_port(), common.free_port()
    for name in ("etc", "var", "cache", "log", "run"):
        folder(home, name)
    (home / "runroot.yaml").write_text(
        f"prefix: {home}\nexec_prefix: /usr\nbindir: /usr/bin\nsbindir: /usr/sbin\nsysconfdir: {home}/etc\n"
        f"datadir: {home}/cache\nincludedir: /usr/include\nlibdir: /usr/lib/trafficserver\n"
        f"libexecdir: /usr/lib/trafficserver/modules\nlocalstatedir: {home}/var\nruntimedir: {home}/run\n"
        f"logdir: {home}/log\ncachedir: {home}/cache\n")
    user = "CONFIG proxy.config.admin.user_id STRING nobody\n" if os.geteuid() == 0 else ""     # it refuses to be root
    (home / "etc" / "records.config").write_text(f"""
CONFIG proxy.config.http.server_ports STRING {port} {tls_port}:ssl
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.net.connections_throttle INT 15000
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 3600
CONFIG proxy.config.ssl.server.cert.path STRING {bench.certificates['ec'][0].parent}
CONFIG proxy.config.ssl.server.private_key.path STRING {bench.certificates['ec'][0].parent}
CONFIG proxy.config.cache.ram_cache.size INT 67108864
CONFIG proxy.config.url_remap.pristine_host_hdr INT 1
{user}""")
    (home / "etc" / "remap.config").write_text(f"map / http://127.0.0.1:{bench.origin_port}/\n")
    (home / "etc" / "storage.config").write_text(f"{home}/cache 128M\n")
    (home / "etc" / "ssl_multicert.config").write_text("".join(
        f"{'dest_ip=* ' if kind == 'ec' else ''}ssl_cert_name={crt.name} ssl_key_name={key.name}\n"
        for kind, (crt, key) in bench.certificates.items()))
    for name in ("ip_allow.yaml", "sni.yaml", "plugin.config", "cache.config", "logging.yaml", "parent.config",
                 "hosting.config", "volume.config", "splitdns.config", "socks.config", "strategies.yaml"):
        (home / "etc" / name).write_text("")
    (home / "etc" / "ip_allow.yaml").write_text(
        "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n")
    program = common.Program("trafficserver", ["traffic_server", f"--run-root={home}/runroot.yaml"], dir)
    return Server("Traffic Server", program, port, tls_port)


STARTERS = [start_torhaus, start_h2o, start_nginx, start_haproxy, start_trafficserver, start_varnish]
