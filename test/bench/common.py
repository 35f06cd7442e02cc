"""What all measurements share.

The machine has few cores and other work; so programs are compared by the CPU they use, not by the clock:
the server under test is pinned to SERVER_CPU, the load generator to LOAD_CPU, and the CPU time of the server's whole
process tree is read before and after. Candidates are measured in turn, several rounds (A B C A B C …), and the median
of the rounds counts: what disturbs one round disturbs all candidates of it.

A measuring program prints a Markdown section to standard output and what it is doing to standard error:

    args = common.arguments(__doc__)            # --quick
    with common.Scratch() as dir:
        servers = [start_one(dir), start_other(dir)]
        rounds = common.interleaved(servers, measure, 3 if args.quick else 5)
        print(common.table(["", "CPU µs"], …))
"""
import argparse
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TORHAUS = os.environ.get("TORHAUS", str(ROOT / "build" / "torhaus"))

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = CPUS[0], CPUS[-1]
DESCRIPTORS_MAX = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def arguments(doc):
    parser = argparse.ArgumentParser(description=doc.strip().splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short form: fewer and shorter rounds, rough numbers")
    args = parser.parse_args()
    # Measurements with many connections need many descriptors, here and in the servers.
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_MAX, DESCRIPTORS_MAX))
    os.sched_setaffinity(0, {LOAD_CPU})
    return args


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- places and ports ----

class Scratch:
    """A folder that everybody may enter (servers that change their user, too), gone afterwards."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="torhaus-bench-"))
        self.path.chmod(0o755)
        os.environ["XDG_CACHE_HOME"] = str(self.path)  # scans keep their results
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def free_port(kind=socket.SOCK_STREAM, host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def wait_until(condition, seconds=30, what="the condition"):
    """Polls; a bound for what hangs, not a measurement."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not come true within {seconds} s")


def accepts(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=2).close()
        return True
    except OSError:
        return False


# ---- what a process tree costs ----

def tree(pid):
    """pid and all its descendants."""
    found, rest = [], [pid]
    while rest:
        one = rest.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                rest += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pid):
    """CPU time of the tree's living threads, to the nanosecond. (utime and stime tick in 10 ms.)"""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_bytes(pid):
    """The tree's proportional set size: pages that several share count once. The kernel's own (socket buffers) is not in it."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


# ---- programs ----

class Program:
    """A server in a process group of its own, pinned to SERVER_CPU; its output goes to dir/NAME.log."""

    def __init__(self, name, command, dir, cpu=SERVER_CPU, env=None, cwd=None):
        self.name, self.log = name, pathlib.Path(dir) / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=cwd, env={**os.environ, **(env or {})}, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        self.pid = self.process.pid

    def wait_ready(self, condition, seconds=30):
        def ready_or_dead():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.output()}")
            return condition()
        wait_until(ready_or_dead, seconds, f"{self.name}")
        return self

    def wait_port(self, port, host="127.0.0.1"):
        return self.wait_ready(lambda: accepts(port, host))

    def output(self):
        return self.log.read_text(errors="replace")[-4000:]

    def cpu(self):
        return cpu_seconds(self.pid)

    def memory(self):
        return memory_bytes(self.pid)

    def stop(self):
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
                break
        # What of the group has outlived its leader.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(command, **options):
    """Runs a load generator to its end on LOAD_CPU; its output, or an error that shows it."""
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def certificate(dir, name, kind="ec", names=None):
    """A self-signed certificate dir/NAME.crt with dir/NAME.key; kind: "ec" (P-256) or "rsa" (2048)."""
    key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    crt, private = pathlib.Path(dir) / f"{name}.crt", pathlib.Path(dir) / f"{name}.key"
    run(["openssl", "req", "-x509", *key, "-nodes", "-days", "30", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in names or [name]), "-keyout", private, "-out", crt])
    private.chmod(0o644)     # servers that change their user before they read it; it protects nothing
    return crt, private


class Torhaus(Program):
    """torhaus in a folder of its own: settings inside and outside of sections as text, domains as
    [(name, option, …)], certificates as made by certificate()."""

    def __init__(self, dir, settings, domains=(), certificates=()):
        self.dir = pathlib.Path(dir) / "torhaus"
        certs = self.dir / "certs"
        certs.mkdir(parents=True)
        for crt, key in certificates:
            shutil.copy(crt, certs)
            shutil.copy(key, certs)
        self.conf = self.dir / "torhaus.conf"
        self.command("init", "--dir", self.dir)
        for made in [*certs.glob("torhaus*")] if certificates else []:
            made.unlink()
        self.conf.write_text(f'store = "sqlite:{self.dir}/torhaus.db"\ncertificates = {{"{certs}"}}\n'
                             f'control = "{self.dir}/control.sock"\nuser = ""\n{settings}\n')
        for name, *options in domains:
            self.command("domain", "add", name, *options)
        super().__init__("torhaus", [TORHAUS, "--config", self.conf, "serve"], dir)
        self.wait_ready(self.is_serving)

    def command(self, *args):
        return run([TORHAUS, "--config", self.conf, *args])

    def is_serving(self):
        return subprocess.run([TORHAUS, "--config", str(self.conf), "status"], capture_output=True).returncode == 0


# ---- rounds and tables ----

def interleaved(candidates, measure, rounds):
    """measure(candidate) -> number or dict of numbers, for each candidate in turn, `rounds` times: {candidate: medians}."""
    results = {c: [] for c in candidates}
    for n in range(rounds):
        for c in candidates:
            results[c].append(measure(c))
            say(f"  round {n + 1}: {getattr(c, 'name', c)}: {results[c][-1]}")
    return {c: median(r) for c, r in results.items()}


def median(results):
    if isinstance(results[0], dict):
        return {key: statistics.median(r[key] for r in results) for key in results[0]}
    return statistics.median(results)


def number(value, digits=1):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(value, base):
    """How many times base value is, as text."""
    return "-" if value is None or not base else f"{value / base:.2f}"


def table(head, rows):
    """A Markdown table: first column to the left, numbers to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])
