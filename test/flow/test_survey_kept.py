"""Whom a survey spares: who was asked within a day, and who does not want to be asked."""

import json
import subprocess

import pytest

from conftest import PROGRAM
from fleet import Fleet, Kit, Server, by_openssl, codes, context_of, keys
from signed_zone import SignedZone
from test_survey import lines, of_schema, scan

MX = "127.60.32.1"  # of the kind both


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The file of this test; nothing is in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "torhaus" / "tls-scan"


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return Kit(tmp_path_factory.mktemp("fleet"), name="mx1.fleet.example", delay=0.1)


def survey(kit, fleet, *args, hosts=None, age="1h", **options):
    """A fleet's results by host, from a file; loopback counts as foreign as soon as an age is given."""
    done = scan("--json", "--quick", "--file", "-", *(["--max-age", age] if age else []), *args, kit=kit,
                input="\n".join(hosts or fleet.targets()), **options)
    assert done.returncode in (0, 1, 5), done.stderr
    return {x["host"]: x for x in of_schema_hosts(done)}, done


def of_schema_hosts(done):
    return [x for x in lines(done) if x["schema"] == "torhaus.tls-scan/1"]


def counts(fleet):
    return [s.seen.connections for s in fleet.servers]


def test_nobody_is_asked_twice_within_a_day(kit, cache):
    with Fleet([kit.make(kind) for kind in ("both", "limited", "masked", "refused", "expired", "reset")]) as fleet:
        first, _ = survey(kit, fleet)
        asked = counts(fleet)
        second, done = survey(kit, fleet)
        assert counts(fleet) == asked
        for host, result in second.items():
            then = first[host]
            assert result.pop("cached") is True and "cached" not in then
            assert result.pop("asked_at") >= then.pop("asked_at")
            assert result == then
        sums, = of_schema(done, "sums")
        assert sums["cached"] == sums["servers"] == 6
        table = scan("--quick", "--file", "-", "--max-age", "1h", kit=kit, input="\n".join(fleet.targets()))
        assert table.stdout.count("(asked 0 min ago)") == 6
        assert "6 of 6 were asked within the last 24 hours and not again; --fresh asks everybody." in table.stdout
        assert counts(fleet) == asked
        survey(kit, fleet, "--fresh", age=None)
        assert all(now > then for now, then in zip(counts(fleet), asked))


def test_who_is_asked_always(kit):
    with Fleet([kit.make("rsa")]) as fleet:
        survey(kit, fleet)
        asked, = counts(fleet)
        survey(kit, fleet, age=None)  # a private network is one's own
        assert counts(fleet) == [2 * asked]
        scan("--quick", "--max-age", "1h", *fleet.targets(), kit=kit)  # named just now
        assert counts(fleet) == [3 * asked]
        survey(kit, fleet, *fleet.targets())  # named and listed
        assert counts(fleet) == [4 * asked]
        survey(kit, fleet, age="0")
        assert counts(fleet) == [5 * asked]
        survey(kit, fleet)
        assert counts(fleet) == [5 * asked], "what was asked in other ways is kept, too"


def test_a_quick_result_does_not_do_for_a_full_scan(kit):
    with Fleet([kit.make("tls12rsa")]) as fleet:
        survey(kit, fleet)
        quick, = counts(fleet)
        full = scan("--json", "--file", "-", "--max-age", "1h", kit=kit, input=fleet.targets()[0])
        result, = of_schema_hosts(full)
        assert result["full"] and "cached" not in result and counts(fleet)[0] > 2 * quick
        asked = counts(fleet)
        again, _ = survey(kit, fleet)  # quick: the full one does
        assert counts(fleet) == asked and again["127.60.64.1"]["full"] and again["127.60.64.1"]["cached"]


def test_another_port_or_way_is_asked(kit):
    context = kit.context("rsa")
    with Fleet([Server("mx", "127.61.0.1", "rsa", by_openssl(context), implicit=True)]) as fleet:
        survey(kit, fleet)
        asked, = counts(fleet)
        results, _ = survey(kit, fleet, "--starttls", "none")
        assert "cached" not in results["127.61.0.1"] and counts(fleet)[0] > asked


def test_the_result_is_judged_today(kit):
    """Another CA, and none: the same answers, other findings."""
    with Fleet([kit.make("rsa")]) as fleet:
        first, _ = survey(kit, fleet)
        assert codes(first["127.60.0.1"]) == set()
        asked = counts(fleet)
        done = scan("--json", "--quick", "--file", "-", "--max-age", "1h", input=fleet.targets()[0])  # without --ca
        result, = of_schema_hosts(done)
        assert result["cached"] and codes(result) == {"TLS-CERT-NO-CHAIN"} and done.returncode == 1
        assert counts(fleet) == asked


def by_name(kit):
    """A server that has a certificate of its own, expired, for one of its names."""
    plain, other = kit.context("both"), context_of(kit.ca.issue("rsa", "mx2.fleet.example", days=-3))

    def choose(socket, name, _):
        socket.context = other if name == "mx2.fleet.example" else plain
    context = context_of(kit.rsa, kit.ecdsa)
    context.sni_callback = choose
    return by_openssl(context)


def test_another_name_at_the_address_is_asked_anew(kit):
    """It may get another certificate; whom it told that it has enough is spared whatever the name."""
    server = Server("mx", MX, "both", by_name(kit))
    records = {"mx1": [f"A {MX}"], "mx2": [f"A {MX}"], "mx3": ["A 127.60.112.1"], "mx4": ["A 127.60.112.1"]}
    with Fleet([server, kit.make("limited")]) as fleet, SignedZone(kit.ca.dir, records=records) as zone:
        def ask(*names):
            return survey(kit, fleet, "--resolver", zone.address, "--anchor", zone.anchor, "--port", fleet.port,
                          hosts=[f"{n}.fleet.example" for n in names])[0]
        assert codes(ask("mx1")["mx1.fleet.example"]) == set()
        second = ask("mx2")["mx2.fleet.example"]
        assert "TLS-CERT-EXPIRED" in codes(second) and "cached" not in second
        both = ask("mx1", "mx2")
        assert codes(both["mx1.fleet.example"]) == set() and keys(both["mx1.fleet.example"]) == {"RSA", "ECDSA"}
        assert "TLS-CERT-EXPIRED" in codes(both["mx2.fleet.example"]) and both["mx2.fleet.example"]["cached"]
        limited = ask("mx3")["mx3.fleet.example"]
        asked = counts(fleet)[1]
        other = ask("mx4")["mx4.fleet.example"]
        assert limited["verdict"] == other["verdict"] == "rate-limited" and other["cached"]
        assert other["certificates"] == [] and counts(fleet)[1] == asked


def test_within_one_scan_an_address_that_has_enough_is_left_alone(kit):
    records = {f"mx{i}": ["A 127.60.112.1"] for i in range(5)}
    with Fleet([kit.make("limited")]) as fleet, SignedZone(kit.ca.dir, records=records) as zone:
        results, _ = survey(kit, fleet, "--resolver", zone.address, "--anchor", zone.anchor, "--port", fleet.port, age=None,
                            hosts=[f"mx{i}.fleet.example" for i in range(5)])
        assert {r["verdict"] for r in results.values()} == {"rate-limited"} and len(results) == 5
        assert counts(fleet) == [3], "two that it allows, and the one that was told"


@pytest.mark.parametrize("text", [b"", b"{", b"\0\xff\n" * 1000, b'{"schema":"torhaus.tls-scan/1","cache":{}}\n',
                                  b"[" * 100000], ids=["empty", "torn", "bytes", "hollow", "deep"])
def test_a_damaged_cache_is_told_once_and_mended(kit, cache, text):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(text)
    with Fleet([kit.make("rsa")]) as fleet:
        _, done = survey(kit, fleet)
        assert done.stderr.count("SCAN-CACHE-DAMAGED") == (1 if text else 0), done.stderr
        results, done = survey(kit, fleet)
        assert results["127.60.0.1"]["cached"] and done.stderr == ""


def test_no_place_for_the_cache(kit, cache):
    cache.parent.parent.write_text("a file where a folder should be")
    with Fleet([kit.make("rsa")]) as fleet:
        results, done = survey(kit, fleet)
        assert results["127.60.0.1"]["verdict"] == "tls" and done.returncode == 0
        assert done.stderr.count("SCAN-CACHE-UNUSABLE") == 1


def test_two_scans_at_once_keep_both(kit, cache):
    with Fleet([kit.make("rsa", i) for i in range(8)]) as fleet:
        running = [subprocess.Popen([PROGRAM, "tls", "scan", "--json", "--quick", target], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True) for target in fleet.targets()]
        assert {process.communicate(timeout=60)[1] for process in running} == {""}
        assert len(cache.read_text().splitlines()) == 8
        assert sorted(f.name for f in cache.parent.iterdir()) == ["tls-scan", "tls-scan.lock"]
        _, done = survey(kit, fleet)
        assert of_schema(done, "sums")[0]["cached"] == 8


def test_the_file_is_a_scan_to_compare_with(kit, cache):
    with Fleet([kit.make("rsa")]) as fleet:
        survey(kit, fleet)
        assert "Nothing changed" in scan("--quick", "--compare", cache, *fleet.targets(), kit=kit).stdout


def test_an_interrupted_scan_keeps_what_it_has(kit, cache):
    with Fleet([kit.make("rsa"), kit.make("silent")]) as fleet:
        process = subprocess.Popen([PROGRAM, "tls", "scan", "--json", "--quick", *fleet.targets(), "--ca",
                                    str(kit.ca.file)], stdout=subprocess.PIPE, text=True)
        assert json.loads(process.stdout.readline())["host"] == "127.60.0.1"
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 5 and len(cache.read_text().splitlines()) == 1


# ---- who does not want to be asked ----

EXCEPT = """\
# asked us not to, 2026-03
127.60.112.0/24   # a network
127.60.192.1
Quiet.Fleet.Example.
"""


def test_who_does_not_want_to_be_asked(kit, tmp_path):
    out = tmp_path / "except"
    out.write_text(EXCEPT)
    records = {"mx1": [f"A {MX}"], "a.quiet": [f"A {MX}"], "quiet": [f"A {MX}"]}
    with Fleet([kit.make("both"), kit.make("limited"), kit.make("expired")]) as fleet, \
            SignedZone(kit.ca.dir, records=records) as zone:
        hosts = ["mx1.fleet.example", "a.quiet.fleet.example", "quiet.fleet.example", "127.60.112.1", "127.60.192.1"]
        options = ["--quick", "--resolver", zone.address, "--anchor", zone.anchor, "--port", fleet.port, "--except", out]
        done = scan("--json", *options, *hosts, kit=kit)  # named or not
        results = {x["host"]: x["verdict"] for x in of_schema_hosts(done)}
        assert results == dict(zip(hosts, ["tls", *["opted-out"] * 4])) and done.returncode == 0
        assert counts(fleet)[1:] == [0, 0]
        sums, = of_schema(done, "sums")
        assert (sums["servers"], sums["opted_out"], sums["tls"], sums["unknown"]) == (5, 4, 1, 0)
        table = scan(*options, *hosts, kit=kit).stdout
        assert table.count("  opted out  ") == 4 and "4  opted out: not asked" in table
        rows = scan("--csv", *options, *hosts, kit=kit).stdout.splitlines()
        assert sum(",opted-out," in row for row in rows) == 4


def test_a_domain_that_does_not_want_it(kit, tmp_path):
    out = tmp_path / "except"
    out.write_text("fleet.example\n")
    with Fleet([kit.make("both")]) as fleet, SignedZone(kit.ca.dir, records={"@": ["MX 10 mx1"], "mx1": [f"A {MX}"]}) as zone:
        options = ["--quick", "--resolver", zone.address, "--anchor", zone.anchor, "--port", fleet.port, "--except", out]
        done = scan("--json", *options, "--mx", "fleet.example", kit=kit)
        domain, = of_schema(done, "domain")
        assert domain["opted_out"] and domain["mx"] == [] and done.returncode == 0 and counts(fleet) == [0]
        assert "fleet.example: opted out" in scan(*options, "--mx", "fleet.example", kit=kit).stdout


def test_the_list_beside_the_settings_is_always_obeyed(kit, tmp_path):
    (tmp_path / "scan-except").write_text("127.60.0.0/16\n")
    config = tmp_path / "torhaus.conf"  # need not be there
    with Fleet([kit.make("rsa")]) as fleet:
        done = scan("--json", "--quick", "--config", config, *fleet.targets(), kit=kit)
        assert [x["verdict"] for x in of_schema_hosts(done)] == ["opted-out"] and counts(fleet) == [0]
        scan("--quick", *fleet.targets(), kit=kit)
        assert counts(fleet) != [0]


@pytest.mark.parametrize("text, line", [("127.0.0.300\n", 1), ("ok.example\n\n*.example.net\n", 3), ("a b", 1),
                                        ("192.0.2.0/33", 1), ("mx.example.net:25", 1), ("\x1b[2J", 1)])
def test_a_list_that_is_not_understood_asks_nobody(kit, tmp_path, text, line):
    out = tmp_path / "scan-except"
    out.write_text(text)
    with Fleet([kit.make("rsa")]) as fleet:
        for option in (["--except", out], ["--config", tmp_path / "torhaus.conf"]):
            done = scan("--quick", *option, *fleet.targets(), kit=kit)
            assert done.returncode == 2 and f"scan-except:{line}: " in done.stderr and "nobody was asked" in done.stderr
            assert "\x1b" not in done.stderr
        assert scan("--except", tmp_path, *fleet.targets()).returncode == 2  # a folder
        assert scan("--except", tmp_path / "none", *fleet.targets()).returncode == 2
        assert counts(fleet) == [0]


@pytest.mark.parametrize("args", [["--max-age", "25h"], ["--max-age", "soon"], ["--max-age", "1h", "--fresh"]])
def test_ages_that_are_none(args):
    done = scan(*args, "127.62.0.1:1")
    assert done.returncode == 2 and "--max-age" in done.stderr
