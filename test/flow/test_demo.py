"""script/run, as a new user sees it: each line it prints does what it says."""

import os
import re
import signal
import socket
import subprocess

import pytest

from conftest import ROOT, wait_for


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def printed_lines(said):
    """What is to be typed: it stands deeper than what it is about. The log is read here without end."""
    return [line for line in said.splitlines() if line.startswith("    ") and "tail -f" not in line]


def is_up(run, output):
    assert run.poll() is None, output.read_text()
    done = subprocess.run(printed_lines(output.read_text())[0], shell=True, cwd=ROOT, capture_output=True, text=True) \
        if printed_lines(output.read_text()) else None
    return done and "age" in done.stdout.lower()


# Of the output of the lines that hold the first word: what it must show, in this order.
SHOWN = [("/private", ["fwd="]), ("/slow", ["HTTP/1.1 200"]), ("/fail", ["HTTP/1.1 500"]),
         ("; sleep 11;", ["hit; ttl=-"]), ("doctor", ["ORIGIN-REFUSED"]),
         ("purge --domain", ["object"]), ("purge --tag", ["1 object"]), ("cert list | grep -q new.crt; do sleep 1; done; ", ["new.crt"]),
         ("/mailbox", ["Subject: hello"]), ("mail peers --failed", ["TLS-NO-RSA-CERT", "this ClientHello succeeds with"]),
         ("tls explain", ["TLS-NO-RSA-CERT"]), ("dns query demo.localhost", ["127.0.0.1"]), ("dns query other", ["REFUSED"]),
         ("torhaus.conf status", ["worker"])]


@pytest.mark.slow
def test_the_demo(tmp_path):
    """All that is printed, pasted at once: each line shows what it says. Ctrl-C lets the worker end in peace."""
    output = tmp_path / "output"
    # Before the ports are chosen: a build takes long enough for somebody else to take them.
    subprocess.run(["script/build"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    ports = {name: str(free_port()) for name in ("HTTP_PORT", "HTTPS_PORT", "SMTP_PORT", "DNS_PORT", "ORIGIN_PORT", "MAILBOX_PORT")}
    run = subprocess.Popen(["script/run"], cwd=ROOT, env={**os.environ, **ports, "RUN_DIR": str(tmp_path / "run")},
                           stdout=output.open("w"), stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for(lambda: is_up(run, output), seconds=600, what="the demo")
        lines = printed_lines(output.read_text())
        marked = "".join(f"echo '==== {n}'\n{line}\n" for n, line in enumerate(lines))
        pasted = subprocess.run(["sh"], input=marked, cwd=ROOT, capture_output=True, text=True, timeout=240)
        parts = re.split(r"==== \d+\n", pasted.stdout)[1:]
        assert len(parts) == len(lines), pasted
        for word, wanted in SHOWN:
            shown, = (part for line, part in zip(lines, parts) if word in line)
            for text in wanted:
                assert text in shown, (word, shown, pasted.stderr)
        assert "CERT-NOT-SERVED" not in pasted.stdout + output.read_text()
        assert "0 objects" not in pasted.stdout
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGINT)
            run.wait(60)
    log = output.read_text()
    assert "worker-ended" in log and "exit status 0" in log and "stopped" in log and "worker-died" not in log
