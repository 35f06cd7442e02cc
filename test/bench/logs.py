#!/usr/bin/python3
"""Mining mail logs: CPU and memory against grep over the same file, and time against it when the file comes from the disk."""
import os
import random
import subprocess
import sys
import time

import common

LINES = 10_000_000
BLOCK = 200_000         # different lines; then they come again
RARE = "`grep -c 'no shared cipher'` (hardly any line)"
OURS = "`torhaus tls log`"
TENTH = "`torhaus tls log`, a tenth of the lines"


def host(r, n):
    i = min(int(r.paretovariate(0.6)), n)
    return f"out{i}.mx{i % 997}.example{i % 4999}.net", f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


SUITES = ["TLS1.3:TLS_AES_256_GCM_SHA384:256"] * 6 + ["TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256"] * 3 + ["TLS1.2:ECDHE-ECDSA-AES128-GCM-SHA256:128"]


def clock(k):
    return f"{k // 3600 % 24:02}:{k // 60 % 60:02}:{k % 60:02}"


def exim_line(r, k):
    at = f"2024-01-05 {clock(k // 3)} "
    id = f"1r{r.randrange(16**4):04X}-{r.randrange(16**6):06x}-{r.randrange(256):02x}"
    name, ip = host(r, 30000)
    kind = r.random()
    if kind < 0.28:
        return f"{at}{id} <= sender{r.randrange(9999)}@{name} H={name} ({name}) [{ip}]:{r.randrange(65536)} I=[192.0.2.25]:25 P=esmtps X={r.choice(SUITES)} CV=no S={r.randrange(99999)} id=20240105.{r.randrange(10**9)}@{name} for user{r.randrange(9999)}@customer{r.randrange(999)}.example"
    if kind < 0.56:
        return f"{at}{id} => user{r.randrange(9999)}@{name} R=dnslookup T=remote_smtp H={name} [{ip}] X={r.choice(SUITES)} CV=yes C=\"250 2.0.0 Ok: queued as {r.randrange(10**10):X}\""
    if kind < 0.82:
        return f"{at}{id} Completed"
    if kind < 0.90:
        return f"{at}no host name found for IP address {ip}"
    if kind < 0.97:
        return f"{at}H={name} [{ip}] F=<sender@{name}> rejected RCPT <user{r.randrange(9999)}@customer.example>: relay not permitted"
    if kind < 0.995:
        return f"{at}SMTP connection from {name} [{ip}] lost D={r.randrange(60)}s"
    return f"{at}TLS error on connection from {name} [{ip}] (SSL_accept): error:0A0000C1:SSL routines::no shared cipher"


def postfix_line(r, k):
    at = f"Jan  5 {clock(k // 6)} mail postfix/"
    name, ip = host(r, 30000)
    pid = r.randrange(2000, 2400)
    id = f"{r.randrange(16**10):010X}"
    kind = r.random()
    if kind < 0.14:
        return f"{at}smtpd[{pid}]: connect from {name}[{ip}]"
    if kind < 0.26:
        return f"{at}smtpd[{pid}]: Anonymous TLS connection established from {name}[{ip}]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256"
    if kind < 0.38:
        return f"{at}smtpd[{pid}]: {id}: client={name}[{ip}]"
    if kind < 0.50:
        return f"{at}cleanup[{pid}]: {id}: message-id=<{r.randrange(10**12)}@{name}>"
    if kind < 0.62:
        return f"{at}qmgr[{pid}]: {id}: from=<sender@{name}>, size={r.randrange(99999)}, nrcpt=1 (queue active)"
    if kind < 0.74:
        return f"{at}smtp[{pid}]: {id}: to=<user@{name}>, relay={name}[{ip}]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {id})"
    if kind < 0.86:
        return f"{at}qmgr[{pid}]: {id}: removed"
    if kind < 0.995:
        return f"{at}smtpd[{pid}]: disconnect from {name}[{ip}] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"
    return f"{at}smtpd[{pid}]: SSL_accept error from {name}[{ip}]: -1"


def write_log(path, make, lines):
    """In a child: what this process held would count as the peak of the programs that it starts."""
    child = os.fork()
    if child == 0:
        write_lines(path, make, lines)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"{path} could not be written")
    return path


def write_lines(path, make, lines):
    r = random.Random(1)
    block = min(lines, BLOCK)
    text = "".join(make(r, k) + "\n" for k in range(block)).encode()
    with open(path, "wb") as f:
        for _ in range(lines // block):
            f.write(text)


def forget(path):
    """Takes the file out of the page cache. How many bytes of it stay in all the same."""
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    found = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", path], check=True, capture_output=True, text=True)
    return int(found.stdout)


def measure_cold(command, path):
    if forget(path) > 0:
        raise RuntimeError("the file stays in the page cache")
    return measure(command)


def measure(command):
    """CPU and wall seconds, peak memory."""
    began = time.monotonic()
    # Not to /dev/null: grep then stops at the first hit.
    child = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
    child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"{command}: status {child.returncode}")
    return {"cpu": used.ru_utime + used.ru_stime, "wall": time.monotonic() - began, "memory": used.ru_maxrss / 1024}


def row(label, r, base, key, size):
    return [label, common.number(r["cpu"], 2), common.number(r["wall"], 2), common.number(size / 2**30 / r["wall"], 2),
            common.ratio(r[key], base[key]), common.number(r["memory"], 0)]


def cached(commands, size, short, rounds):
    for command in [*commands.values(), short]:     # into the page cache
        measure(command)
    commands = {**commands, TENTH: short}
    results = common.interleaved(list(commands), lambda c: measure(commands[c]), rounds)
    base = results[RARE]
    print("\nIn the page cache:\n")
    print(common.table(["", "CPU s", "wall s", "GiB/s", "CPU, times `grep -c` (rare)", "MiB"],
                       [row(label, r, base, "cpu", size / 10 if label == TENTH else size) for label, r in results.items()]))


def cold(commands, path, rounds):
    """Wall time, and the disk has its moods: only a ratio to others in the same minute says something."""
    commands = {"`dd` to /dev/null (the disk alone)": ["dd", f"if={path}", "of=/dev/null", "bs=128K", "status=none"], **commands}
    try:
        results = common.interleaved(list(commands), lambda c: measure_cold(commands[c], path), rounds)
    except RuntimeError as e:
        print(f"\nFrom the disk: not measured, {e}.")
        return
    print("\nFrom the disk (out of the page cache before each run, checked with `fincore`):\n")
    print(common.table(["", "CPU s", "wall s", "GiB/s", "wall, times `grep -c` (rare)", "MiB"],
                       [row(label, r, results[RARE], "wall", path.stat().st_size) for label, r in results.items()]))


def section(dir, name, make, lines, rounds):
    common.say(f"{name}: writing {lines:,} lines")
    path = write_log(dir / name, make, lines)
    short = write_log(dir / f"{name}.short", make, lines // 10)
    commands = {
        RARE: ["grep", "-c", "no shared cipher", path],
        "`grep -c TLS` (many lines)": ["grep", "-c", "TLS", path],
        "`grep -cE 'TLS error|X=TLS|TLS connection'`": ["grep", "-cE", "TLS error|X=TLS|TLS connection", path],
        OURS: [common.TORHAUS, "tls", "log", path],
    }
    print(f"\n### {name}, {lines / 1e6:g} million lines, {path.stat().st_size / 2**30:.2f} GiB")
    cached(commands, path.stat().st_size, [common.TORHAUS, "tls", "log", short], rounds)
    cold({label: commands[label] for label in (RARE, OURS)}, path, rounds)
    path.unlink()
    short.unlink()


def main():
    args = common.arguments(__doc__)
    os.sched_setaffinity(0, {common.SERVER_CPU})
    lines = LINES // 20 if args.quick else LINES
    print("## Mail logs\n")
    print("`torhaus tls log` reads every line and keeps accounts of every peer; `grep -c` only counts. Same file, one core. (A peak of memory below this program's own, which starts them, cannot be seen.)")
    with common.Scratch() as dir:
        section(dir, "Exim", exim_line, lines, 1 if args.quick else 3)
        section(dir, "Postfix", postfix_line, lines, 1 if args.quick else 3)


if __name__ == "__main__":
    main()
