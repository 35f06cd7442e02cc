"""sslscan, nmap, testssl.sh and torhaus, asked about the same servers: what each reports, in one form."""
import json
import re
import subprocess
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field

import common

NOW = time.gmtime()
WEAK = re.compile(r"EXP|RC4|DES|NULL|ADH|AECDH|IDEA|_anon_")   # of a suite's name
DH_MIN = 2048


@dataclass
class Report:
    """About one server."""
    versions: set = field(default_factory=set)
    suites: set = field(default_factory=set)      # OpenSSL's names
    groups: set = field(default_factory=set)
    certificates: list = field(default_factory=list)   # key types
    expired: bool = False
    dh_bits: int = 0        # the smallest; 0: none seen

    def findings(self):
        """In the words that all tools have for it."""
        found = set(self.versions) | {f"{key} certificate" for key in self.certificates}
        if self.expired:
            found.add("expired")
        if any(WEAK.search(s) for s in self.suites):
            found.add("weak suites")
        if 0 < self.dh_bits < DH_MIN:
            found.add("short DH group")
        return found


def iana_names():
    """OpenSSL's names by IANA's."""
    text = subprocess.run(["openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True,
                          text=True, check=True).stdout
    return {line.split()[0]: line.split()[2] for line in text.splitlines()}


def smallest(numbers):
    return min(map(int, numbers), default=0)


def quiet(command):
    subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Each takes targets ("address:port") and a folder for its files, and gives reports by address.

def by_torhaus(kit, targets, dir, *args):
    done = subprocess.run([common.TORHAUS, "tls", "scan", "--json", "--ca", kit.ca.file, *args, *targets], text=True,
                          stdout=subprocess.PIPE)
    reports = {}
    for r in map(json.loads, done.stdout.splitlines()):
        if r["schema"] == "torhaus.tls-scan/1":
            reports[r["host"]] = Report({v for v, yes in r["versions"].items() if yes}, set(r["suites"] + r["suites_13"]),
                                        set(r["groups"]), [c["type"] for c in r["certificates"]],
                                        any(f["code"] == "TLS-CERT-EXPIRED" for f in r["findings"]), r.get("dh_bits", 0))
    return reports


def by_torhaus_quickly(kit, targets, dir):
    return by_torhaus(kit, targets, dir, "--quick")


def by_sslscan(kit, targets, dir):
    names, file = iana_names(), dir / "targets"
    file.write_text("".join(f"{t}\n" for t in targets))
    quiet(["sslscan", "--starttls-smtp", "--show-sigs", f"--xml={dir}/sslscan.xml", f"--targets={file}"])
    reports = {}
    for test in xml.parse(dir / "sslscan.xml").getroot().iter("ssltest"):
        reports[test.get("host")] = Report(
            {f"{p.get('type').upper()} {p.get('version')}" for p in test.iter("protocol") if p.get("enabled") == "1"},
            {names.get(c.get("cipher"), c.get("cipher")) for c in test.iter("cipher")},
            {g.get("name") for g in test.iter("group")},
            [{"EC": "ECDSA"}.get(pk.get("type"), pk.get("type")) for pk in test.iter("pk")],
            any(e.text == "true" for e in test.iter("expired")),
            smallest(c.get("dhebits") for c in test.iter("cipher") if c.get("dhebits")))
    return reports


def by_nmap(kit, targets, dir):
    names = iana_names()
    port = targets[0].rsplit(":", 1)[1]
    text = subprocess.run(["nmap", "-Pn", "-n", "-sV", "-p", port, "--script", "ssl-enum-ciphers,ssl-cert",
                           *(t.rsplit(":", 1)[0] for t in targets)], text=True, stdout=subprocess.PIPE).stdout
    reports = {}
    for part in text.split("Nmap scan report for ")[1:]:
        # It names the suites of TLS 1.3 in a way of its own.
        suites = {re.sub("^TLS_AKE_WITH_", "TLS_", s) for s in re.findall(r"\|\s+(TLS_\w+)", part)}
        ends = [time.strptime(t, "%Y-%m-%dT%H:%M:%S") for t in re.findall(r"Not valid after:\s+(\S+)", part)]
        reports[part.split()[0]] = Report({f"TLS {v}" for v in re.findall(r"TLSv(1\.\d):", part)},
                                          {names.get(s, s) for s in suites}, set(),
                                          [{"ec": "ECDSA", "rsa": "RSA"}[t] for t in re.findall(r"Public Key type: (\w+)", part)],
                                          any(e < NOW for e in ends), smallest(re.findall(r"\(dh (\d+)\)", part)))
    return reports


def by_testssl(kit, targets, dir):
    """One after the other, as its mass testing does by itself."""
    return {t.rsplit(":", 1)[0]: testssl_report(t, dir) for t in targets}


def testssl_report(target, dir):
    file = dir / "testssl.json"
    file.unlink(missing_ok=True)
    quiet(["testssl", "--quiet", "--warnings", "batch", "--color", "0", "--jsonfile", file, "-p", "-E", "-S", "-t", "smtp", target])
    rows = json.loads(file.read_text())
    versions = {"SSLv2": "SSL 2", "SSLv3": "SSL 3", "TLS1": "TLS 1.0", "TLS1_1": "TLS 1.1", "TLS1_2": "TLS 1.2", "TLS1_3": "TLS 1.3"}
    suites = [r["finding"] for r in rows if r["id"].startswith("cipher-tls")]
    keys = [r["finding"].split()[0] for r in rows if r["id"].split()[0] == "cert_keySize"]
    return Report({versions[r["id"]] for r in rows if r["id"] in versions and r["finding"].startswith("offered")},
                  {s.split()[3] for s in suites}, set(), [{"EC": "ECDSA", "ECDSA": "ECDSA"}.get(k, k) for k in keys],
                  any(r["id"].startswith("cert_expirationStatus") and r["finding"] == "expired" for r in rows),
                  smallest(n for s in suites for n in re.findall(r" DH (\d+)", s)))


TOOLS = {"torhaus --quick": by_torhaus_quickly, "torhaus": by_torhaus, "sslscan": by_sslscan, "nmap": by_nmap,
         "testssl.sh": by_testssl}
