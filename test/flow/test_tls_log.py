"""`torhaus tls log`: the founding log, rotated and compressed ones, real lines of real programs."""

import gzip
import json
import os
import pathlib
import subprocess

from conftest import PROGRAM

CASES = pathlib.Path(__file__).parent / "cases"


def run(*args, lang="en", status=1):
    done = subprocess.run([PROGRAM, "--lang", lang, "tls", "log", *map(str, args)], text=True, capture_output=True, timeout=120)
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}{done.stderr}"
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.stdout


def peers(*args, status=1):
    lines = [json.loads(line) for line in run("--json", *args, status=status).splitlines()]
    assert lines[0]["schema"] == "torhaus.tls-log/1"
    return lines[0], {p["peer"]: p for p in lines[1:]}


def test_the_founding_log_on_one_screen():
    text = run(CASES / "exim-main.log")
    assert len(text.splitlines()) <= 24
    for part in ("mx07-00181c02.pphosted.com [185.132.180.43]", "no shared cipher", "TLS-NO-RSA-CERT (a guess)",
                 "remedy: Serve an RSA certificate beside the ECDSA one.", "never with TLS in this time",
                 "it came without TLS, 1 times in all, last 2024-01-05 09:14:22 (1s after the failure)", "recipient@customer.example: encryption required",
                 "ECDHE-RSA-AES256-GCM-SHA384", "pphosted.com: 7 of 8 addresses"):
        assert part in text, part
    text = run(CASES / "exim-main.log", lang="de")
    for part in ("(vermutet)", "Abhilfe: Ein RSA-Zertifikat", "(1s nach dem Fehlschlag)", "Nur mit RSA gesehen"):
        assert part in text, part


def test_the_whole_story(tmp_path):
    """A new certificate lay there for weeks, and a restart took it into service: what the log holds of that is on one screen."""
    mail = "2023-12-{} 1rB7Q1-0041w7-0i <= a@b.example H={} [{}] P=esmtps X=TLS1.2:ECDHE-{}-AES256-GCM-SHA384:256 CV=no S=1\n"
    partner = "mx1.partner.example", "192.0.2.7"
    (tmp_path / "mainlog").write_text(
        mail.format("28 22:10:05", *partner, "RSA") + mail.format("29 03:10:00", "mx.other.example", "192.0.2.99", "RSA") +
        mail.format("29 03:42:00", "mx.other.example", "192.0.2.99", "ECDSA") +
        "".join(f"2023-12-29 03:4{n}:00 TLS error on connection from mx1.partner.example [192.0.2.7] (SSL_accept): "
                "error:0A0000C1:SSL routines::no shared cipher\n" for n in (3, 8)))
    text = run(tmp_path / "mainlog")
    assert len(text.splitlines()) <= 24
    for part in ("Your server's certificate was RSA until 2023-12-29 03:10:00, and ECDSA from 2023-12-29 03:42:00 on.",
                 "failed: 2 inbound, 0 outbound; 2023-12-29 03:43:00 - 2023-12-29 03:48:00; with TLS until 2023-12-28 22:10:05",
                 "TLS-NO-RSA-CERT (a guess)", "partner.example: 1 of 1 addresses, 1 mails with TLS",
                 "Your server showed ECDSA certificates to others meanwhile"):
        assert part in text, part
    assert "RSA bis 2023-12-29 03:10:00 und ECDSA ab 2023-12-29 03:42:00" in run(tmp_path / "mainlog", lang="de")
    totals, all = peers(tmp_path / "mainlog")
    assert totals["key_change"]["from"] == "RSA" and totals["key_change"]["to"] == "ECDSA"
    failed = all["192.0.2.7"]
    assert failed["failed_direction"] == "inbound" and failed["secured"] < failed["failed_first"] < failed["failed"]
    assert failed["causes"][0]["remedy"] == "Serve an RSA certificate beside the ECDSA one."


def test_the_founding_log_for_programs():
    totals, all = peers(CASES / "exim-main.log")
    assert totals["lines"] == totals["relevant"] == 9 and len(all) == 8 and totals["peers_evicted"] == 0
    failed = all.pop("185.132.180.43")
    assert failed["failures_inbound"] == 1 and failed["fallbacks"] == 1 and failed["fallback_after_s"] == 1
    assert [(c["code"], c["guess"]) for c in failed["causes"]] == [("TLS-NO-RSA-CERT", True)]
    assert failed["refused_for"] == "recipient@customer.example"
    for p in all.values():
        assert p["group"] == "pphosted.com" and p["rsa_only"] and not p["rsa_only_sure"]
        assert [(t["version"], t["suite"], t["key"]) for t in p["tls"]] == [("TLS1.2", "ECDHE-RSA-AES256-GCM-SHA384", "RSA")]


def test_exim_built_with_openssl():
    """What Exim 4.96 wrote in this build, which Debian has not: as a server with an ECDSA certificate, then as a client."""
    totals, all = peers(CASES / "exim-openssl.log")
    causes = {address[-2:]: [c["code"] for c in p["causes"]] for address, p in all.items() if p["failures_inbound"]}
    assert causes == {
        "11": ["TLS-HANDSHAKE-FAILED"], "14": ["TLS-CERT-CA-UNKNOWN"], "15": ["TLS-CERT-CA-UNKNOWN"], "16": ["TLS-PEER-LEFT-AT-CERT"],
        "17": ["TLS-PEER-LEFT-AT-CERT"], "18": ["TLS-PEER-LEFT-AT-CERT"], "19": ["TLS-HTTP"], "20": ["TLS-NOT-TLS"], "21": ["TLS-TIMEOUT"],
        "22": ["TLS-SIGNATURES-RSA-ONLY"], "23": ["TLS-SIGNATURES-RSA-ONLY"], "25": ["TLS-PEER-TOO-OLD"]}
    assert all["127.0.0.11"]["fallbacks"] == 1 and all["127.0.0.24"]["refusals"] == 1
    assert [t["suite"] for t in all["127.0.0.13"]["tls"]] == ["TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"]
    server = all["127.0.0.1"]
    assert server["failures_outbound"] == 8 and server["fallbacks_outbound"] == 4, server
    assert server["mails_outbound"] == 2 and server["mails_outbound_clear"] == 6, server


def test_rotated_and_compressed(tmp_path):
    """The failure is in an older file than what followed it; the order of the names does not matter."""
    lines = (CASES / "exim-main.log").read_text().splitlines(keepends=True)
    (tmp_path / "mainlog").write_text(lines[1])
    (tmp_path / "mainlog.2.gz").write_bytes(gzip.compress("".join(lines[2:]).encode()) + gzip.compress(lines[0].encode()))
    subprocess.run(["zstd", "-q", "-", "-o", tmp_path / "mainlog.3.zst"], input="".join(lines[2:]).encode(), check=True)
    totals, all = peers(*(tmp_path / n for n in ("mainlog", "mainlog.2.gz", "mainlog.3.zst")))
    assert totals["files"] == 3 and totals["lines"] == 16
    assert all["185.132.180.43"]["fallbacks"] == 1
    assert all["91.207.212.232"]["mails_outbound"] == 2


def test_since():
    totals, all = peers("--since", "2024-01-01", CASES / "exim-main.log")
    assert list(all) == ["185.132.180.43"] and totals["relevant"] == 2
    assert peers("--since", "1d", CASES / "exim-main.log", status=0)[1] == {}
    run("--since", "soon", CASES / "exim-main.log", status=2)


def test_from_a_pipe():
    read, write = os.pipe()
    os.write(write, (CASES / "exim-main.log").read_bytes())
    os.close(write)
    done = subprocess.run([PROGRAM, "tls", "log", "--json", "/dev/stdin"], stdin=read, capture_output=True, text=True, timeout=60)
    os.close(read)
    assert done.returncode == 1 and '"lines":9' in done.stdout


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress((CASES / "exim-main.log").read_bytes() * 100)[:300])
    whole = subprocess.run(["zstd", "-q", "-c", CASES / "exim-main.log"], check=True, capture_output=True).stdout
    (tmp_path / "cut.zst").write_bytes(whole[:-20])
    (tmp_path / "bad.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"\x55" * 200)
    run(status=2)
    run(tmp_path / "none", status=5)
    run(tmp_path, status=5)
    run(tmp_path / "bad.zst", status=5)
    run(tmp_path / "cut.gz", status=5)
    run(tmp_path / "cut.zst", status=5)
    # What can be read counts all the same.
    totals, all = peers(tmp_path / "none", CASES / "exim-main.log", tmp_path / "bad.zst", status=5)
    assert len(all) == 8


def test_an_empty_file_and_one_of_another_kind(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 20000)
    assert "There are no lines." in run(tmp_path / "empty", status=0)
    totals, all = peers(tmp_path / "binary", status=5)
    assert all == {} and totals["relevant"] == totals["understood"] == 0


def test_no_all_clear_without_understanding(tmp_path):
    """What is not understood is counted and shown, and is no good news; one such file among others is told, too."""
    haraka, mails = tmp_path / "haraka", tmp_path / "mainlog"
    haraka.write_text("Jan  5 09:14:21 mail haraka[1]: [NOTICE] tls failed\n" * 3 + "no time\n")
    text = run(haraka, status=5)
    for part in ("Not understood: 3 lines of other programs, 1 without a time; the first: Jan  5 09:14:21 mail haraka[1]: [NOTICE] tls failed",
                 "Whether a handshake failed is unknown"):
        assert part in text, text
    assert "No handshake failed" not in text
    assert "bleibt offen" in run(haraka, lang="de", status=5)
    mails.write_text("2024-01-05 09:14:20 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1] P=esmtp S=1\n" * 100)
    assert "No handshake failed." in run(mails, status=0)
    done = subprocess.run([PROGRAM, "tls", "log", mails, haraka], text=True, capture_output=True)
    assert done.returncode == 5 and "LOG-NOT-UNDERSTOOD" in done.stderr and str(haraka) in done.stderr and str(mails) not in done.stderr
    mails.write_text("Jan  5 09:14:21 mail postfix/qmgr[1]: 4F1A: removed\n")
    assert "no line tells about mail or TLS" in run(mails, status=5)
