#!/usr/bin/python3
"""The survey of mail servers: hundreds at once, and one server beside sslscan, nmap and testssl.sh."""
import json
import os
import re
import ssl
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

import common

sys.path.insert(0, str(common.ROOT / "test" / "flow"))
import fleet as fleets  # noqa: E402  servers of every kind on loopback

RTT = 0.05      # seconds of latency that a round trip takes
HOSTS = 366     # of the quick survey
FLEET = 400     # servers of all kinds
PATIENCE = 20   # seconds that the scan waits for an answer: longer than a greeting delay of 15


def scan(kit, fleet, *args):
    """Lines of JSON and the seconds that it took."""
    began = time.monotonic()
    done = subprocess.run([common.TORHAUS, "tls", "scan", "--json", "--ca", kit.ca.file, *map(str, args), "--file", "-"],
                          input="\n".join(fleet.targets()), text=True, stdout=subprocess.PIPE)
    took = time.monotonic() - began
    return [x for x in map(json.loads, done.stdout.splitlines()) if x["schema"] == "torhaus.tls-scan/1"], took


def seen_of(fleet):
    return (sum(s.seen.connections for s in fleet.servers), max(s.seen.connections for s in fleet.servers),
            max(s.seen.most for s in fleet.servers))


# ---- many ----

def survey_quickly(kit, count):
    kinds = ("rsa", "ecdsa", "both", "tls12rsa", "tls13", "expired")
    with fleets.Fleet([kit.make(kinds[i % len(kinds)], i // len(kinds)) for i in range(count)], rtt=RTT) as fleet:
        common.say(f"{count} servers, --quick, {RTT * 1000:.0f} ms a round trip")
        results, took = scan(kit, fleet, "--quick")
        connections, most, at_once = seen_of(fleet)
    right = sum(r["verdict"] == "tls" for r in results)
    return ["quick, 50 ms a round trip", count, right, f"{took:.1f}", connections, most, at_once]


def survey_all_kinds(kit, count, *args):
    servers = [kit.make(fleets.KINDS[i % len(fleets.KINDS)], i // len(fleets.KINDS)) for i in range(count)]
    with fleets.Fleet(servers) as fleet:
        common.say(f"{count} servers of {len(fleets.KINDS)} kinds {' '.join(args)}")
        results, took = scan(kit, fleet, "--timeout", f"{PATIENCE}s", *args)
        connections, most, at_once = seen_of(fleet)
    results = {r["host"]: r for r in results}
    right = sum(fleets.is_judged_right(s.kind, results[s.address]) for s in servers)
    return [f"{len(fleets.KINDS)} kinds, {' '.join(args) or 'full'}", count, right, f"{took:.1f}", connections, most, at_once]


# ---- one, beside others ----

def iana_names():
    """OpenSSL's names by IANA's."""
    text = subprocess.run(["openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True,
                          text=True, check=True).stdout
    return {line.split()[0]: line.split()[2] for line in text.splitlines()}


def by_torhaus(kit, target, dir, *args):
    done = subprocess.run([common.TORHAUS, "tls", "scan", "--json", "--ca", kit.ca.file, *args, target], text=True,
                          stdout=subprocess.PIPE)
    result = json.loads(done.stdout.splitlines()[0])
    return ({v for v, yes in result["versions"].items() if yes}, set(result["suites"] + result["suites_13"]),
            set(result["groups"]), len(result["certificates"]))


def by_torhaus_quickly(kit, target, dir):
    return by_torhaus(kit, target, dir, "--quick")


def by_sslscan(kit, target, dir):
    subprocess.run(["sslscan", "--starttls-smtp", "--show-sigs", f"--xml={dir}/sslscan.xml", target],
                   stdout=subprocess.DEVNULL)
    root = xml.parse(dir / "sslscan.xml").getroot()
    versions = {f"{p.get('type').upper()} {p.get('version')}" for p in root.iter("protocol") if p.get("enabled") == "1"}
    return ({v for v in versions if v.startswith("TLS")}, {c.get("cipher") for c in root.iter("cipher")},
            {g.get("name") for g in root.iter("group")}, len(list(root.iter("certificate"))))


def by_nmap(kit, target, dir):
    host, port = target.rsplit(":", 1)
    names = iana_names()
    text = subprocess.run(["nmap", "-Pn", "-n", "-sV", "-p", port, "--script", "ssl-enum-ciphers,ssl-cert", host], text=True,
                          stdout=subprocess.PIPE).stdout
    versions = {f"TLS {v}" for v in re.findall(r"TLSv(1\.\d):", text)}
    # nmap names the suites of TLS 1.3 in a way of its own.
    suites = {re.sub("^TLS_AKE_WITH_", "TLS_", s) for s in re.findall(r"\|\s+(TLS_\w+)", text)}
    return versions, {names.get(s, s) for s in suites}, set(), len(re.findall(r"ssl-cert: Subject", text))


def by_testssl(kit, target, dir):
    subprocess.run(["testssl", "--quiet", "--warnings", "batch", "--color", "0", "--jsonfile", f"{dir}/testssl.json", "-p", "-E",
                    "-S", "-t", "smtp", target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   stdin=subprocess.DEVNULL)
    rows = json.loads((dir / "testssl.json").read_text())
    names = {"TLS1": "TLS 1.0", "TLS1_1": "TLS 1.1", "TLS1_2": "TLS 1.2", "TLS1_3": "TLS 1.3"}
    versions = {names[r["id"]] for r in rows if r["id"] in names and r["finding"].startswith("offered")}
    suites = {r["finding"].split()[3] for r in rows if r["id"].startswith("cipher-tls")}
    certificates = {r["id"] for r in rows if r["id"].startswith("cert_fingerprintSHA256")}
    return versions, suites, set(), len(certificates)


TOOLS = (("torhaus", by_torhaus), ("torhaus --quick", by_torhaus_quickly),
         ("sslscan", by_sslscan), ("nmap", by_nmap),
         ("testssl.sh", by_testssl))


def compare(kit, dir):
    context = fleets.context_of(kit.rsa, kit.ecdsa, lowest=ssl.TLSVersion.TLSv1, ciphers="DEFAULT:@SECLEVEL=0")
    rows, ours = [], None
    for name, tool in TOOLS:
        common.say(f"one server: {name}")
        server = fleets.Server(kit.name, "127.61.1.1", "both", fleets.by_openssl(context))
        with fleets.Fleet([server]) as fleet:
            began = time.monotonic()
            versions, suites, groups, certificates = tool(kit, fleet.targets()[0], dir)
            took = time.monotonic() - began
        if ours is None:
            ours = versions, suites
            base = took, server.seen.connections
        rows.append([name, server.seen.connections, f"{took:.2f}", ", ".join(sorted(v[4:] for v in versions)),
                     f"{len(suites)}" + (f" ({len(suites - ours[1])} more, {len(ours[1] - suites)} fewer)"
                                         if suites != ours[1] else " (the same)"), len(groups) or "-",
                     certificates, ", ".join(sorted(server.seen.helos)) or "-", server.seen.quits,
                     f"{server.seen.connections / base[1]:.1f} × and {took / base[0]:.0f} ×"])
    return rows


def main():
    args = common.arguments(__doc__)
    os.sched_setaffinity(0, set(common.CPUS))  # the servers here are as busy as the scan
    with common.Scratch() as dir:
        kit = fleets.Kit(dir)
        with fleets.GnuTls(kit.rsa, kit.ecdsa) as gnutls:
            kit.gnutls_port = gnutls.port
            many = [survey_quickly(kit, 60 if args.quick else HOSTS),
                    survey_all_kinds(kit, 64 if args.quick else FLEET, "--quick")]
        rows = compare(kit, dir)
    print("## Survey of mail servers\n")
    print("`torhaus tls scan` over fleets on loopback (test/flow/fleet.py); the servers, in Python, share the machine's cores with "
          f"the scan. Of the {len(fleets.KINDS)} kinds one greets after 15 s and one never says anything, which the scan waits "
          f"{PATIENCE} s for.\n")
    print(common.table(["fleet", "servers", "judged right", "s", "connections", "most at one server", "at once at one server"],
                       many))
    print("\nOne server with RSA and ECDSA certificates, TLS 1.0 to 1.3, asked for everything (the others without their tests of "
          "vulnerabilities). The last column: connections and time as multiples of torhaus's.\n")
    print(common.table(["", "connections", "s", "TLS", "suites, against torhaus's", "groups", "certificates", "says EHLO",
                        "QUITs", "against torhaus"], rows))


if __name__ == "__main__":
    main()
