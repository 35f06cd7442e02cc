"""torhaus tls scan against a loopback fleet of every kind of server that a survey meets."""

import csv
import io
import json
import os
import signal
import ssl
import subprocess
import time

import mta
import pytest

from conftest import PROGRAM
from fleet import (EXPECTED, KINDS, NEW, Fleet, GnuTls, Kit, Secure, Server, alert, converse, by_answer, by_drip, by_intolerant, by_openssl, codes, context_of,
                   der_of, is_judged_right, keys, message, old_flight, record, spoken, ssl2_flight)

PATIENCE = "4s"  # how long the scan waits for an answer; what is silent costs that


def scan(*args, kit=None, timeout=120, input=None):
    command = [PROGRAM, "tls", "scan", *map(str, args)] + (["--ca", str(kit.ca.file)] if kit else [])
    done = subprocess.run(command, text=True, capture_output=True, timeout=timeout, input=input,
                          env=os.environ | {"LANG": "C.UTF-8"})
    assert "AddressSanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def scan_json(*args, **options):
    done = scan("--json", *args, **options)
    return {x["host"]: x for x in lines(done) if x["schema"] == "torhaus.tls-scan/1"}, done.returncode


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    kit = Kit(tmp_path_factory.mktemp("fleet"), delay=1.5)
    with GnuTls(kit.rsa, kit.ecdsa) as gnutls:
        kit.gnutls_port = gnutls.port
        yield kit


def check_polite(server, helo="probe.example.net"):
    seen = server.seen
    assert seen.most == 1, f"{server.kind}: {seen}"
    assert server.kind == "silent" or seen.helos == {helo}, f"{server.kind}: {seen}"
    if EXPECTED[server.kind][0] == "tls" and server.kind != "gnutls":  # gnutls-serv speaks no SMTP inside TLS
        assert seen.quits >= 1, f"{server.kind}: {seen}"


@pytest.mark.parametrize("options", [["--quick"], []], ids=["quick", "full"])
def test_every_kind_is_told_apart(kit, options):
    kit.delay = 1.5 if options else 0.1
    with Fleet([kit.make(kind, index) for kind in KINDS for index in range(2)]) as fleet:
        results, status = scan_json(*options, "--timeout", PATIENCE, "--helo", "probe.example.net", *fleet.targets(),
                                    kit=kit)
        assert status == 1
        for server in fleet.servers:
            result = results[server.address]
            assert is_judged_right(server.kind, result), (server.kind, result)
            check_polite(server)
            assert result["connections"] == server.seen.connections
            found = len(result["suites"]) + len(result["suites_13"]) + len(result["groups"])
            assert server.seen.connections <= (6 if options else found + 10)


OLD = {"lowest": ssl.TLSVersion.TLSv1, "ciphers": "DEFAULT:@SECLEVEL=0"}
UP_TO_12 = {"highest": ssl.TLSVersion.TLSv1_2}
HARD = {"ciphers": "ECDHE+AESGCM"}
NO_HELP = {"lowest": ssl.TLSVersion.TLSv1, "ciphers": "ALL:COMPLEMENTOFALL:@SECLEVEL=0"}


def by_blunt(context):
    """OpenSSL, but every refusal is handshake_failure, also of a version."""
    async def begin(talk):
        secure = Secure(talk, context)
        send = talk.send

        async def blunt(data):
            await send(data[:6] + b"\x28" if data[:1] == b"\x15" and len(data) == 7 else data)
        talk.send = blunt
        await secure.call(secure.ssl.do_handshake)
        await converse(talk.server, secure, inside=True)
    return begin


@pytest.mark.parametrize("make", [by_openssl, by_blunt], ids=["openssl", "blunt"])
def test_a_quick_scan_judges_as_a_full_one(kit, make):
    """Versions, certificates, findings, whether anything weak is taken: all in six connections."""
    both, rsa, ecdsa = (kit.rsa, kit.ecdsa), (kit.rsa,), (kit.ecdsa,)
    servers = []
    for pairs in (both, rsa, ecdsa):
        for options in ({}, HARD, OLD, OLD | UP_TO_12, UP_TO_12, NO_HELP, {"lowest": ssl.TLSVersion.TLSv1_3},
                        OLD | {"highest": ssl.TLSVersion.TLSv1_1}, OLD | {"highest": ssl.TLSVersion.TLSv1}):
            address = f"127.61.3.{len(servers) + 1}"
            servers.append(Server("mx", address, f"{len(pairs)} {pairs[0].name} {options}", make(context_of(*pairs, **options))))
    with Fleet(servers) as fleet:
        quick, _ = scan_json("--quick", *fleet.targets(), kit=kit)
        full, _ = scan_json(*fleet.targets(), kit=kit)
    left_open = 0
    for server in servers:
        q, f = quick[server.address], full[server.address]
        assert q["connections"] <= 6, (server.kind, q)
        assert q["versions"].items() <= f["versions"].items(), (server.kind, q, f)
        assert keys(q) == keys(f), (server.kind, q, f)
        assert q.get("obsolete") in (f["obsolete"], None), (server.kind, q, f)
        assert codes(q) == codes(f) or (codes(q) < codes(f) and "obsolete" not in q), (server.kind, q, f)
        assert "session" in q and server.seen.most == 1, (server.kind, q)
        left_open += "obsolete" not in q and spoken(f) != {"TLS 1.3"}
        if make is by_openssl:
            assert spoken(q) == spoken(f), (server.kind, q, f)
    assert left_open <= (2 if make is by_openssl else 9), "few servers need more than six questions"


def test_a_full_scan_finds_what_the_server_was_given(kit):
    suites = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA"]
    context = context_of(kit.rsa, highest=ssl.TLSVersion.TLSv1_2, ciphers=":".join(suites))
    context.set_ecdh_curve("secp384r1")
    server = Server("mx", "127.61.0.1", "both", by_openssl(context))
    with Fleet([server]) as fleet:
        results, status = scan_json(*fleet.targets(), kit=kit)
        result = results["127.61.0.1"]
        assert result["suites"] == suites, "in the server's order"
        assert result["groups"] == ["P-384"]
        assert result["full"] and result["ordered"] and status == 0
        assert {"rsa_pss_rsae_sha256", "rsa_pkcs1_sha256", "rsa_pss_rsae_sha512"} <= set(result["signatures"])
        assert result["age"] == {"year": 2015, "word": "dated", "rule": "no TLS 1.3; ECDHE with GCM"}
        assert server.seen.goodbyes > 0


def test_a_server_behind_something_that_drops_long_lists(kit):
    """All suites do not fit: they are asked in pieces, and TLS 1.3 with a short hello."""
    server = Server("mx", "127.61.0.4", "both", by_intolerant(kit.context("both")))
    quick = Server("mx", "127.61.0.5", "both", by_intolerant(kit.context("both")))
    with Fleet([server, quick]) as fleet:
        results, status = scan_json(fleet.targets()[0], kit=kit)
        result = results["127.61.0.4"]
        assert spoken(result) == {"TLS 1.2", "TLS 1.3"} and keys(result) == {"RSA", "ECDSA"}, result
        assert len(result["suites"]) == 20 and not result["ordered"]
        results, status = scan_json("--quick", fleet.targets()[1], kit=kit)
        assert results["127.61.0.5"]["verdict"] == "tls" and keys(results["127.61.0.5"]) == {"RSA", "ECDSA"}
        assert quick.seen.connections <= 6


def test_whose_order_it_is(kit):
    """OpenSSL without a preference of its own takes the client's order."""
    context = context_of(kit.rsa, highest=ssl.TLSVersion.TLSv1_2)
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    result = scan_one(kit, by_openssl(context))
    assert result["full"] and result["follows_client"] and not result["ordered"]
    # Ours is ECDHE first; the server may say the same.
    context = context_of(kit.rsa, highest=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA")
    result = scan_one(kit, by_openssl(context))
    assert result["full"] and not result["follows_client"] and result["ordered"]


def scan_one(kit, tls, *args, **server):
    """The result about one server that answers as told."""
    with Fleet([Server("mx", "127.61.0.9", "odd", tls, **server)]) as fleet:
        results, _ = scan_json("--timeout", "2s", *args, *fleet.targets(), kit=kit)
    return results["127.61.0.9"]


def test_the_museum(kit):
    certificate = der_of(kit.rsa)
    export = scan_one(kit, by_answer(lambda hello: old_flight(hello, (0x0003, 0x0008), 0x0300, certificate)))
    assert spoken(export) == {"SSL 3"} and export["suites"] == ["EXP-RC4-MD5", "EXP-DES-CBC-SHA"]
    assert codes(export) >= {"SCAN-ONLY-OBSOLETE"} and export["age"]["year"] == 1999
    ssl2 = scan_one(kit, by_answer(lambda hello: ssl2_flight(hello, certificate)))
    assert spoken(ssl2) == {"SSL 2"} and keys(ssl2) == {"RSA"} and ssl2["age"]["year"] == 1995


@pytest.mark.parametrize("reply, verdict", [("421 4.7.0 Later", "rate-limited"), ("450 4.7.1 Later", "rate-limited"),
                                            ("554 5.7.1 No", "rate-limited"), ("454 4.7.0 No TLS", "starttls-refused"),
                                            ("502 5.5.1 What?", "starttls-refused"), ("no reply at all", "silent")])
def test_answers_to_starttls(kit, reply, verdict):
    result = scan_one(kit, None, "--quick", refusal=reply)
    assert result["verdict"] == verdict and result["connections"] == 1


HELLO_12 = b"\3\3" + bytes(32) + b"\0\xc0\x30\0"


@pytest.mark.parametrize("answer, verdict", [
    (b"220 still speaking SMTP\r\n", "not-tls"),
    (b"\x16\x03\x03\xff\xff" + bytes(100), "not-tls"),
    (record(22, 0x0303, message(2, HELLO_12[:20])), "not-tls"),
    (record(22, 0x0303, message(11, b"\0\0\0")), "not-tls"),
    (record(22, 0x0303, bytes(16000)) * 5, "not-tls"),
    (record(21, 0x0303, b"\1\0"), "reset"),
    (record(21, 0x0303, b"\2\x50"), "tls-failed"),
    (b"", "reset"),
], ids=["smtp", "long record", "half a hello", "no hello", "64 KiB", "goodbye", "alert", "nothing"])
def test_answers_that_are_none(kit, answer, verdict):
    result = scan_one(kit, by_answer(lambda hello: answer, end=True), "--quick")
    assert result["verdict"] == verdict and spoken(result) == set()


def test_a_server_that_chooses_what_was_not_offered(kit):
    flight = record(22, 0x0303, message(2, HELLO_12) + message(14, b""))
    result = scan_one(kit, by_answer(lambda hello: flight))
    assert "TLS-SUITE-NOT-OFFERED" in codes(result) and result["connections"] < 20


def test_a_server_that_gives_up_at_signing(kit):
    """As OpenSMTPD 6.8 with OpenSSL 3 and an RSA key: hello and certificate, then an internal error."""
    certificate = der_of(kit.rsa)
    flight = old_flight(b"\x16\3\1\0\0" + message(1, b"\3\3" + bytes(32) + b"\0\0\2\xc0\x30"), (0xc030,), 0x0303, certificate)
    broken = flight.replace(message(14, b""), b"")
    broken = broken[:3] + (len(broken) - 5).to_bytes(2, "big") + broken[5:] + alert(80, 0x0303)
    result = scan_one(kit, by_answer(lambda hello: broken, end=True), "--quick")
    assert result["verdict"] == "tls-failed" and spoken(result) == set() and keys(result) == {"RSA"}
    assert codes(result) >= {"TLS-SERVER-REFUSED"}


def test_half_a_flight_counts(kit):
    """What came before it hung up is known: the version, the suite."""
    result = scan_one(kit, by_answer(lambda hello: record(22, 0x0303, message(2, HELLO_12)), end=True), "--quick")
    assert result["verdict"] == "tls" and spoken(result) == {"TLS 1.2"} and keys(result) == set()


def test_a_drip_is_bounded(kit):
    began = time.monotonic()
    result = scan_one(kit, by_drip(record(22, 0x0303, bytes(2000)), 0.1), "--quick")
    assert result["verdict"] == "silent" and time.monotonic() - began < 60


@pytest.mark.parametrize("options", [UP_TO_12, {}, {"lowest": ssl.TLSVersion.TLSv1_3}], ids=["1.2", "1.2 and 1.3", "1.3"])
def test_a_server_that_demands_a_client_certificate(kit, options):
    """With TLS 1.3 it says so when our handshake is done already."""
    context = context_of(kit.rsa, kit.ecdsa, **options)
    context.verify_mode = ssl.CERT_REQUIRED
    result = scan_one(kit, by_openssl(context), "--quick")
    assert codes(result) == {"TLS-CLIENT-CERT-WANTED"} and keys(result) == {"RSA", "ECDSA"}, result


def test_implicit_tls_and_its_confusions(kit):
    secure = Server("mx", "127.61.0.2", "both", by_openssl(kit.context("both")), implicit=True)
    plain = Server("mx", "127.61.0.3", "both", by_openssl(kit.context("both")))
    with Fleet([secure, plain]) as fleet:
        results, status = scan_json("--quick", "--starttls", "none", *fleet.targets(), kit=kit)
        assert is_judged_right("both", results["127.61.0.2"])
        assert results["127.61.0.3"]["verdict"] == "not-tls"
        assert codes(results["127.61.0.3"]) == {"TLS-SERVER-SPEAKS-FIRST"}
        assert "said" in results["127.61.0.3"] and status == 1


def test_a_self_signed_and_an_unknown_ca(kit):
    with Fleet([kit.make("rsa")]) as fleet:
        results, status = scan_json("--quick", *fleet.targets())  # without --ca
        assert codes(results["127.60.0.1"]) == {"TLS-CERT-NO-CHAIN"} and status == 1


def test_nobody_there():
    results, status = scan_json("--quick", "127.62.0.1:1", "127.62.0.2:1", "127.62.0.1:1")
    assert {r["verdict"] for r in results.values()} == {"unreachable"}
    assert len(results) == 2 and status == 5


def test_hosts_from_a_file(kit, tmp_path):
    with Fleet([kit.make("rsa"), kit.make("both")]) as fleet:
        hosts = tmp_path / "hosts"
        hosts.write_text(f"# ours\n\n  {fleet.targets()[0]}  # first\r\n{fleet.targets()[1]}\n{fleet.targets()[0]}\n")
        results, status = scan_json("--quick", "--file", hosts, kit=kit)
        assert set(results) == {"127.60.0.1", "127.60.32.1"} and status == 0
        results, status = scan_json("--quick", "--file", "-", kit=kit, input=fleet.targets()[0])
        assert set(results) == {"127.60.0.1"} and status == 0


def test_csv_and_table(kit):
    with Fleet([kit.make("both"), kit.make("expired")]) as fleet:
        done = scan("--quick", "--csv", *fleet.targets(), kit=kit)
        rows = {row["host"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
        assert rows["127.60.32.1"]["tls1.3"] == "yes" and rows["127.60.32.1"]["tls1.1"] == "no"
        assert rows["127.60.32.1"]["ecdsa"] == "ECDSA P-256" and rows["127.60.32.1"]["rsa"] == "RSA 2048"
        assert rows["127.60.192.1"]["findings"] == "TLS-CERT-EXPIRED"
        done = scan("--quick", *fleet.targets(), kit=kit)
        assert "1.2 1.3" in done.stdout and "TLS-CERT-EXPIRED" in done.stdout and "remedy:" in done.stdout
        done = scan("--quick", "--lang", "de", *fleet.targets(), kit=kit)
        assert "ZERTIFIKATE" in done.stdout and "Abhilfe:" in done.stdout


def cluster(kit, *kinds):
    """Siblings: servers of one /24."""
    return [Server("mx", f"127.64.0.{i + 1}", kind, by_openssl(kit.context(kind))) for i, kind in enumerate(kinds)]


def of_schema(done, name):
    return [x for x in lines(done) if x["schema"] == f"torhaus.tls-scan-{name}/1"]


def test_the_odd_one_out(kit):
    with Fleet(cluster(kit, "both", "both", "rsa", "both")) as fleet:
        done = scan("--json", *fleet.targets(), kit=kit)
        odd, = of_schema(done, "odd")
        assert odd["server"] == f"127.64.0.3:{fleet.port}" and done.returncode == 1
        facts = odd["finding"]["facts"]
        assert facts["lacks"].startswith("ECDSA certificate, suite ") and facts["has"] == "nothing", facts
        assert facts["siblings"] == "127.64.0.0/24" and facts["count"] == "3"
        sums, = of_schema(done, "sums")
        assert (sums["servers"], sums["tls"], sums["rsa_and_ecdsa"], sums["rsa_only"]) == (4, 4, 3, 1)
        assert sums["without_tls13"] == sums["expired"] == sums["untrusted"] == 0
        done = scan("--quick", *fleet.targets(), kit=kit)
        assert "SCAN-ODD-ONE" in done.stdout and "4 servers" in done.stdout


def test_siblings_that_are_alike_or_all_different(kit):
    with Fleet(cluster(kit, "both", "both", "both")) as fleet:
        done = scan("--json", *fleet.targets(), kit=kit)
        assert of_schema(done, "odd") == [] and done.returncode == 0
    with Fleet(cluster(kit, "rsa", "ecdsa")) as fleet:  # two: which one would be odd?
        assert of_schema(scan("--json", "--quick", *fleet.targets(), kit=kit), "odd") == []


def test_what_changed_since_an_earlier_scan(kit, tmp_path):
    earlier = tmp_path / "earlier.json"
    with Fleet(cluster(kit, "rsa", "both", "both")) as fleet:
        earlier.write_text(scan("--json", *fleet.targets(), kit=kit).stdout)
        done = scan("--quick", "--compare", earlier, *fleet.targets(), kit=kit)
        assert "Nothing changed" in done.stdout, "a quick scan does not make suites disappear"
        port = fleet.port
    with Fleet(cluster(kit, "both", "tls12rsa"), port=port) as fleet:
        done = scan("--json", "--compare", earlier, *fleet.targets(), kit=kit)
        changes = {c["server"]: c for c in of_schema(done, "change")}
        first, second, third = (changes[f"127.64.0.{i}:{port}"] for i in (1, 2, 3))
        assert "ECDSA certificate" in first["gained"] and first["lost"] == []
        assert {"ECDSA certificate", "TLS 1.3"} <= set(second["lost"])
        assert third["was"] == "tls" and "is" not in third
        done = scan("--compare", earlier, *fleet.targets(), kit=kit)
        assert "no longer: TLS 1.3, ECDSA certificate" in done.stdout and "is not there any more" in done.stdout


@pytest.mark.parametrize("text", ["", "no json\n", '{"schema": "torhaus.tls-scan-sums/1"}\n'])
def test_an_earlier_scan_that_is_none(kit, tmp_path, text):
    earlier = tmp_path / "earlier.json"
    earlier.write_text(text)
    assert scan("--compare", earlier, "127.62.0.1:1").returncode == 2


@pytest.mark.parametrize("args", [[], ["a b"], ["mx:0"], ["mx:65536"], ["[::1"], ["mx", "--starttls", "imap"],
                                  ["mx", "--jobs", "0"], ["mx", "--gap", "soon"], ["mx", "--helo", "a b"],
                                  ["--file", "/nowhere"], ["mx", "--ca", "/dev/null"]])
def test_usage(args):
    done = scan(*args)
    assert done.returncode == 2 and done.stdout == "" and done.stderr


def test_an_interrupt_prints_what_is_there(kit):
    with Fleet([kit.make("rsa"), kit.make("silent")]) as fleet:
        process = subprocess.Popen([PROGRAM, "tls", "scan", "--json", "--quick", *fleet.targets(), "--ca",
                                    str(kit.ca.file)], stdout=subprocess.PIPE, text=True)
        assert json.loads(process.stdout.readline())["host"] == "127.60.0.1"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 5


def test_progress_on_a_terminal(kit):
    ours, theirs = os.openpty()
    with Fleet([kit.make("rsa"), kit.make("limited"), kit.make("slow")]) as fleet:
        kit.delay = 1.5
        done = subprocess.run([PROGRAM, "tls", "scan", "--quick", "--gap", "400ms", "--ca", str(kit.ca.file),
                               *fleet.targets()], stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert " of 3 servers" in said and "\r" in said and "of 3 servers" not in done.stdout


def test_a_gap_is_kept(kit):
    with Fleet([kit.make("tls12rsa")]) as fleet:
        began = time.monotonic()
        results, _ = scan_json("--quick", "--gap", "300ms", *fleet.targets(), kit=kit)
        made = results["127.60.64.1"]["connections"]
        assert time.monotonic() - began >= 0.3 * (made - 1)


@pytest.mark.parametrize("program, options", [(mta.Postfix, []), (mta.Exim, ["--quick"])], ids=["postfix", "exim"])
def test_real_mail_servers(kit, tmp_path, program, options):
    """Debian's own, with OpenSSL and GnuTLS."""
    chain, begin, key = kit.rsa.read_text().partition("-----BEGIN PRIVATE KEY-----")
    (tmp_path / "chain.pem").write_text(chain)
    (tmp_path / "key.pem").write_text(begin + key)
    with program(certificate=(tmp_path / "chain.pem", tmp_path / "key.pem")) as server:
        results, _ = scan_json(*options, f"{server.address}:{server.port}", kit=kit)
    result = results[server.address]
    assert result["verdict"] == "tls" and NEW <= spoken(result) and keys(result) == {"RSA"}, result
    assert "session" in result and not codes(result) & {"SCAN-OLD-VERSION", "TLS-SERVER-REFUSED"}, result
    assert result["full"] != bool(options), result
