#!/usr/bin/python3
"""The survey of mail servers: hundreds at once, and one server beside sslscan, nmap and testssl.sh."""
import json
import os
import ssl
import subprocess
import sys
import time

import common
import survey_tools as tools

sys.path.insert(0, str(common.ROOT / "test" / "flow"))
import fleet as fleets  # noqa: E402  servers of every kind on loopback

RTT = 0.05      # seconds of latency that a round trip takes
HOSTS = 366     # of the quick survey
FLEET = 400     # servers of all kinds
OLD_GNUTLS = "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:+3DES-CBC:+ARCFOUR-128"
FINDINGS = f"""\
Six servers that all of them can judge, {RTT * 1000:.0f} ms a round trip, each tool given the whole list in the way that it has for that (its
tests of vulnerabilities left out). A finding is a version, a certificate by key type, its expiry, weak suites, a short DH group, at
one server. Times of tools that ask one server after the other grow with their number."""
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


# ---- beside others ----

def old_context(kit, *pairs, **more):
    return fleets.context_of(*pairs, **{"lowest": ssl.TLSVersion.TLSv1, "ciphers": "DEFAULT:@SECLEVEL=0"} | more)


def compare_suites(kit, dir):
    """One server asked for everything, without latency."""
    rows, ours = [], None
    for name in ("torhaus", "torhaus --quick", "sslscan", "nmap", "testssl.sh"):
        common.say(f"one server: {name}")
        server = fleets.Server(kit.name, "127.61.1.1", "both", fleets.by_openssl(old_context(kit, kit.rsa, kit.ecdsa)))
        with fleets.Fleet([server]) as fleet:
            began = time.monotonic()
            report = tools.TOOLS[name](kit, fleet.targets(), dir)[server.address]
            took = time.monotonic() - began
        ours = ours or report
        same = report.suites == ours.suites
        rows.append([name, server.seen.connections, f"{took:.2f}", ", ".join(sorted(v[4:] for v in report.versions)),
                     f"{len(report.suites)} " + ("(the same)" if same else f"({len(report.suites - ours.suites)} more, "
                                                                           f"{len(ours.suites - report.suites)} fewer)"),
                     len(report.groups) or "-", len(report.certificates), ", ".join(sorted(server.seen.helos)) or "-",
                     server.seen.quits])
    return rows


def judged_servers(kit, dir, gnutls):
    """Servers that all the tools can judge, each with something to find."""
    parameters = dir / "dh1024.pem"
    subprocess.run(["openssl", "dhparam", "-out", parameters, "1024"], check=True, capture_output=True)
    short_dh = old_context(kit, kit.rsa, highest=ssl.TLSVersion.TLSv1_2, ciphers="ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    short_dh.load_dh_params(parameters)
    contexts = {"RSA and ECDSA, TLS 1.0 to 1.3": old_context(kit, kit.rsa, kit.ecdsa), "RSA suites of TLS 1.2": kit.context("tls12rsa"),
                "ECDSA alone": kit.context("ecdsa"), "expired": kit.context("expired"),
                "anonymous and NULL suites, DH of 1024 bits": short_dh}
    begins = {kind: fleets.by_openssl(context) for kind, context in contexts.items()} | {"RC4 and 3DES": fleets.by_relay(gnutls.port)}
    return [fleets.Server(kit.name, f"127.61.5.{i + 1}", kind, begin) for i, (kind, begin) in enumerate(begins.items())]


def compare_findings(kit, dir):
    """A fleet with the network's latency: connections, time, and whose findings others miss."""
    results = {}
    for name, tool in tools.TOOLS.items():
        common.say(f"findings: {name}")
        with (fleets.GnuTls(kit.rsa, priority=OLD_GNUTLS) as gnutls,
              fleets.Fleet(judged_servers(kit, dir, gnutls), rtt=RTT) as fleet):
            began = time.monotonic()
            reports = tool(kit, fleet.targets(), dir)
            took = time.monotonic() - began
            found = {(s.kind, f) for s in fleet.servers for f in reports[s.address].findings()}
            results[name] = (sum(s.seen.connections for s in fleet.servers), took, found,
                             max(s.seen.most for s in fleet.servers))
    connections, took, found, _ = results["torhaus --quick"]
    rows = []
    for name, (c, t, f, most) in results.items():
        beyond = sorted(f"{what} ({kind})" for kind, what in f - found)
        rows.append([name, c, f"{c / connections:.1f}", f"{t:.1f}", f"{t / took:.0f}", most, len(f), len(found - f),
                     ", ".join(beyond) or "-"])
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
        found = compare_findings(kit, dir)
        suites = compare_suites(kit, dir)
    print("## Survey of mail servers\n")
    print("`torhaus tls scan` over fleets on loopback (test/flow/fleet.py); the servers, in Python, share the machine's cores with "
          f"the scan. Of the {len(fleets.KINDS)} kinds one greets after 15 s and one never says anything, which the scan waits "
          f"{PATIENCE} s for.\n")
    print(common.table(["fleet", "servers", "judged right", "s", "connections", "most at one server", "at once at one server"],
                       many))
    print(f"\n### The findings of others\n\n{FINDINGS}\n")
    print(common.table(["", "connections", "times quick's", "s", "times quick's", "at once at one server", "findings",
                        "of quick's missing", "beyond quick's"], found))
    print("\n### Everything about one server\n\nWith RSA and ECDSA certificates, TLS 1.0 to 1.3, without latency. A full scan tells "
          "each suite by being answered with it, so that it cannot do with fewer connections than there are.\n")
    print(common.table(["", "connections", "s", "TLS", "suites, against torhaus's", "groups", "certificates", "says EHLO",
                        "QUITs"], suites))


if __name__ == "__main__":
    main()
