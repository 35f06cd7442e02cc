"""The access log: JSON that parses, the combined format as goaccess reads it, and a log that fails costs no request."""

import json
import os
import subprocess

from conftest import wait_for


def test_json(site):
    site.origin.on("/a", headers={"Cache-Control": "max-age=60"}, body=b"12345")
    site.get("/a?x=\"quoted\"", headers={"User-Agent": "odd \xe4\\agent", "Referer": "http://elsewhere.test/"})
    site.get("/a?x=\"quoted\"")
    lines = wait_for(lambda: site.access_path.exists() and len(site.access_lines()) >= 2 and site.access_lines())
    # Each thread writes its own lines: their order is not that of the requests.
    first, second = sorted(lines, key=lambda line: line["cache"], reverse=True)
    assert first["status"] == 200 and first["method"] == "GET" and first["target"] == '/a?x="quoted"'
    assert first["client"] == "127.0.0.1" and first["site"] == "example.test" and first["cache"] == "miss"
    assert first["referrer"] == "http://elsewhere.test/" and second["cache"] == "hit" and second["bytes_sent"] == 5


def test_combined_is_read_by_goaccess(make_torhaus, origin):
    origin.on("/a", headers={"Cache-Control": "max-age=60"}, body=b"12345")
    t = make_torhaus(access="combined")
    t.add("example.test", origin.url)
    t.start()
    for i in range(10):
        t.get("/a", headers={"User-Agent": 'Mozilla/5.0 "quoted" \\ Firefox/130.0'})
    wait_for(lambda: t.access_path.exists() and len(t.access_path.read_text().splitlines()) >= 10)
    report = t.dir / "report.json"
    subprocess.run(["goaccess", str(t.access_path), "--log-format=VCOMBINED", "-o", str(report)], check=True,
                   capture_output=True, stdin=subprocess.DEVNULL, env={**os.environ, "TERM": "dumb", "LANG": "C"})
    general = json.loads(report.read_text())["general"]
    assert general["failed_requests"] == 0 and general["valid_requests"] >= 10


def test_reopen_after_rotation(site):
    site.get("/")
    wait_for(lambda: site.access_path.exists() and site.access_lines())
    site.access_path.rename(site.dir / "access.log.1")
    os.kill(site.process.pid, 10)
    wait_for(lambda: site.access_path.exists(), what="the new log file")
    site.get("/after")
    wait_for(lambda: any(l["target"] == "/after" for l in site.access_lines()))


def test_a_log_that_cannot_be_written(make_torhaus, origin):
    origin.on("/", headers={"Cache-Control": "max-age=60"}, body=b"x")
    t = make_torhaus()
    t.conf.write_text(t.conf.read_text().replace(str(t.access_path), "/dev/full"))
    t.add("example.test", origin.url)
    t.start()
    for _ in range(50):
        assert t.get("/").status == 200
    wait_for(lambda: any(f["code"] == "LOG-LINES-LOST" for f in t.json("status")["faults"]))
