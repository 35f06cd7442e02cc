"""Whole programs: a torhaus in a folder of its own, scripted origins, raw clients."""

import collections
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from client import Connection, any_certificate
from origin import Origin

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TORHAUS", str(ROOT / "build" / "torhaus"))

# Scans keep their results; those of tests are nobody's business.
CACHE = tempfile.TemporaryDirectory(prefix="torhaus-cache-")
os.environ["XDG_CACHE_HOME"] = CACHE.name


def once_of(item):
    """Does the test use what its file makes once?"""
    return any(f.scope == "module" for found in item._fixtureinfo.name2fixturedefs.values() for f in found
               if f.argname != "make_torhaus_once" and f.argname in item.fixturenames)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """On several cores what is made once a file is made in one process, and what takes longest begins first."""
    together = collections.Counter(item.path.name for item in items if once_of(item))
    for item in items:
        if once_of(item):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: (-together[item.path.name] if once_of(item) else 0, item.get_closest_marker("slow") is None))


def wait_for(condition, seconds=15, what="the condition"):
    """Polls until condition() is true; a bound for tests that hang, not a measurement."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {seconds} s")


@functools.cache
def empty_store():
    """The store that `init` makes, made once a run."""
    folder = pathlib.Path(CACHE.name) / "init"
    folder.mkdir()
    subprocess.run([PROGRAM, "init", "--dir", folder], check=True, capture_output=True, timeout=60)
    return folder / "torhaus.db"


class Torhaus:
    """One server: settings, store, certificates and log live in `dir`."""

    def __init__(self, dir, threads=2, web="", log="", settings="", access="json"):
        self.dir = pathlib.Path(dir)
        self.conf = self.dir / "torhaus.conf"
        self.certs = self.dir / "certs"
        self.certs.mkdir(exist_ok=True)
        self.log_path = self.dir / "torhaus.log"
        self.access_path = self.dir / "access.log"
        self.process = None
        self.write_conf(threads, web, log, settings, access)

    def write_conf(self, threads=2, web="", log="", settings="", access="json"):
        self.conf.write_text(f"""
store = "sqlite:{self.dir}/torhaus.db"
certificates = {{"{self.certs}"}}
control = "{self.dir}/control.sock"
user = ""
threads = {threads}
{settings}
web {{
  listen = {{"127.0.0.1:0", "[::1]:0"}}
  listen_tls = {{"127.0.0.1:0"}}
  {web}
}}
log {{
  to = "{self.log_path}"
  access = "{access}"
  access_to = "{self.access_path}"
  {log}
}}
""")

    # ---- command line ----

    def run(self, *args, check=True, input=None):
        done = subprocess.run([PROGRAM, "--config", str(self.conf), *map(str, args)], text=True,
                              capture_output=True, input=input, timeout=60)
        if check:
            assert done.returncode == 0, f"torhaus {args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *args):
        if args == ("status",):
            return self.status()
        return json.loads(self.run(*args, "--json").stdout)

    def status(self):
        """What `status --json` prints, asked for at the control socket: a program's start costs more than the answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(self.dir / "control.sock"))
            s.sendall(b"GET /status HTTP/1.1\r\nHost: control\r\n\r\n")
            head, _, body = b"".join(iter(lambda: s.recv(65536), b"")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head + body
        return json.loads(body)

    def init_store(self):
        """An empty store where the settings say; tests bring certificates of their own."""
        shutil.copy(empty_store(), re.search('store = "sqlite:(.*)"', self.conf.read_text())[1])

    def add(self, name, origin, *options):
        return self.run("domain", "add", name, "--origin", origin, *options)

    # ---- life ----

    def start(self, wait=True):
        self.process = subprocess.Popen([PROGRAM, "--config", str(self.conf), "serve"],
                                        stderr=open(self.dir / "stderr.log", "ab"))
        if wait:
            self.find_ports(wait_for(self.is_serving, what="serving"))
        return self

    def is_serving(self):
        assert self.process.poll() is None, self.logs()
        try:
            return self.status()
        except (OSError, AssertionError):
            return None

    def find_ports(self, status=None):
        port = {(l["kind"], l["address"].startswith("[")): int(l["address"].rsplit(":", 1)[1])
                for l in (status or self.status())["listeners"]}
        self.port, self.port6, self.tls_port = port["web", False], port["web", True], port["web-tls", False]
        self.mail, self.mail_tls = [("127.0.0.1", port.get((kind, False))) for kind in ("mail", "mail-tls")]
        self.dns_port, self.dns_port6 = port.get(("names-udp", False)), port.get(("names-udp", True))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        return self.process.returncode if self.process else None

    def worker_pid(self):
        return self.json("status")["worker_pid"]

    def kill_worker(self):
        os.kill(self.worker_pid(), signal.SIGKILL)

    def logs(self):
        return "".join(p.read_text(errors="replace") for p in (self.dir / "stderr.log", self.log_path) if p.exists())

    def access_lines(self):
        return [json.loads(line) for line in self.access_path.read_text().splitlines()]

    # ---- visitors ----

    def connect(self, **options):
        return Connection(self.port, **options)

    def connect_tls(self, context=None, **options):
        return Connection(self.tls_port, tls=context or any_certificate(), **options)

    def get(self, target="/", **options):
        with self.connect() as c:
            return c.request(target, **options)

    def site_is_known(self, host):
        """The running server answers for host (a change in the store is taken up within a second)."""
        return self.get("/", host=host).status != 421


@pytest.fixture
def origin():
    with Origin() as o:
        yield o


@contextlib.contextmanager
def torhauses(folder):
    """make(**options) makes servers in that folder; at the end all are stopped, and none may have been found faulty."""
    made = []

    def make(**options):
        own = folder / f"torhaus{len(made)}"
        own.mkdir()
        t = Torhaus(own, **options)
        t.init_store()
        made.append(t)
        return t

    yield make
    for t in made:
        code = t.stop()
        text = t.logs()
        assert "AddressSanitizer" not in text and "runtime error:" not in text, text
        assert "ThreadSanitizer" not in text and "LeakSanitizer" not in text, text
        assert code in (0, None), f"exit status {code}\n{text}"


@pytest.fixture
def make_torhaus(tmp_path):
    with torhauses(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def make_torhaus_once(tmp_path_factory):
    """For servers that all tests of a file share."""
    with torhauses(tmp_path_factory.mktemp("shared")) as make:
        yield make


@pytest.fixture
def site(make_torhaus, origin):
    """A running torhaus with the site example.test on the scripted origin, grace 1 h."""
    t = make_torhaus()
    t.add("example.test", origin.url, "--grace", "1h")
    t.start()
    t.origin = origin
    return t
