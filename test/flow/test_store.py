"""The store may be full, locked, read-only, corrupt or gone: no request fails, it is said, and it mends itself."""

import os
import shutil
import sqlite3
import subprocess
import threading

import pytest

from conftest import wait_for


class Visitor:
    """Asks for a page all the time; every answer counts."""

    def __init__(self, t):
        self.t, self.asked, self.failed, self.over = t, 0, [], False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over:
            try:
                reply = self.t.get("/")
                if reply.status != 200:
                    self.failed.append(reply.status)
            except OSError as error:
                self.failed.append(error)
            self.asked += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        assert self.asked > 0 and self.failed == []


@pytest.fixture
def small(tmp_path):
    """A file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    for _ in range(2):              # also what a test has mounted over it
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def start_on(make_torhaus, origin, folder):
    t = make_torhaus()
    t.conf.write_text(t.conf.read_text().replace(f"sqlite:{t.dir}/torhaus.db", f"sqlite:{folder}/torhaus.db"))
    t.init_store()
    t.add("example.test", origin.url)
    t.origin = origin
    return t.start()


def fill(path):
    with open(path, "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass


@pytest.fixture
def running(make_torhaus, origin):
    origin.on("/", headers={"Cache-Control": "no-store"}, body=b"page")
    t = make_torhaus()
    t.add("example.test", origin.url)
    t.start()
    t.origin = origin
    t.db = t.dir / "torhaus.db"
    return t


def fault_in_status(t, code):
    return any(f["code"] == code for f in t.json("status")["faults"])


def is_told(t, code):
    wait_for(lambda: fault_in_status(t, code), what=f"{code} in status")
    doctor = t.run("doctor", check=False)
    assert doctor.returncode == 1 and code in doctor.stdout + doctor.stderr
    assert f"code={code}" in t.logs()


def is_mended(t, code):
    wait_for(lambda: not fault_in_status(t, code), what=f"{code} gone from status")
    t.add("later.test", t.origin.url)
    wait_for(lambda: t.site_is_known("later.test"), what="a change after the recovery")


def test_deleted_and_put_back(running):
    with Visitor(running):
        shutil.copy(running.db, running.dir / "copy.db")
        for name in ("torhaus.db", "torhaus.db-wal", "torhaus.db-shm"):
            (running.dir / name).unlink(missing_ok=True)
        is_told(running, "STORE-MISSING")
        os.rename(running.dir / "copy.db", running.db)
        is_mended(running, "STORE-MISSING")


def test_corrupt(running):
    with Visitor(running):
        whole = running.db.read_bytes()
        broken = running.dir / "broken.db"
        broken.write_bytes(b"this is no database" * 500)
        os.rename(broken, running.db)
        is_told(running, "STORE-CORRUPT")
        good = running.dir / "good.db"
        good.write_bytes(whole)
        for name in ("torhaus.db-wal", "torhaus.db-shm"):
            (running.dir / name).unlink(missing_ok=True)
        os.rename(good, running.db)
        is_mended(running, "STORE-CORRUPT")


def test_locked(running):
    with Visitor(running):
        holder = sqlite3.connect(running.db, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        done = running.run("domain", "add", "other.test", "--origin", "http://127.0.0.1:1", check=False)
        assert done.returncode != 0 and "STORE-LOCKED" in done.stderr
        is_told(running, "STORE-LOCKED")
        holder.execute("ROLLBACK")
        holder.close()
        is_mended(running, "STORE-LOCKED")


def test_read_only(make_torhaus, origin, small):
    """The folder becomes read-only for whoever opens the store from now on, and writable again."""
    origin.on("/", headers={"Cache-Control": "no-store"}, body=b"page")
    t = start_on(make_torhaus, origin, small)
    with Visitor(t):
        subprocess.run(["mount", "--bind", str(small), str(small)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(small)], check=True)
        done = t.run("domain", "add", "other.test", "--origin", origin.url, check=False)
        assert done.returncode != 0 and "STORE-READ-ONLY" in done.stderr
        is_told(t, "STORE-READ-ONLY")
        subprocess.run(["mount", "-o", "remount,bind,rw", str(small)], check=True)
        is_mended(t, "STORE-READ-ONLY")
    t.stop()


def test_full_disk(make_torhaus, origin, small):
    """Edits are refused with a reason, visitors notice nothing."""
    origin.on("/", headers={"Cache-Control": "no-store"}, body=b"page")
    t = start_on(make_torhaus, origin, small)
    with Visitor(t):
        fill(small / "filler")
        many = "".join(f'domain "d{i}.test" {{\n  origin = {{"http://127.0.0.1:1"}}\n}}\n' for i in range(3000))
        done = t.run("domain", "apply", "-", "--remove", check=False, input=many)
        assert done.returncode != 0 and "STORE-FULL" in done.stderr
        is_told(t, "STORE-FULL")
        (small / "filler").unlink()
        is_mended(t, "STORE-FULL")
    t.stop()


def test_a_worker_that_starts_without_a_store_serves_what_was_known(running):
    pid = running.worker_pid()
    for name in ("torhaus.db", "torhaus.db-wal", "torhaus.db-shm"):
        (running.dir / name).unlink(missing_ok=True)
    wait_for(lambda: fault_in_status(running, "STORE-MISSING"))
    running.kill_worker()
    wait_for(lambda: running.is_serving() and running.worker_pid() != pid)
    assert running.get("/").status == 200


def test_a_change_is_taken_up_within_a_second_and_import_works(running):
    listed = running.dir / "list.txt"
    listed.write_text("# flat list\nshop.test 127.0.0.1\nwww.shop.test 127.0.0.1\n")
    running.run("domain", "import", listed)
    wait_for(lambda: running.site_is_known("www.shop.test"), seconds=5)
    exported = running.run("domain", "export").stdout
    edited = exported.replace('"shop.test"', '"shop.test", "boutique.test"', 1) if '"shop.test", "www' not in exported \
        else exported.replace('"shop.test", "www.shop.test"', '"shop.test", "www.shop.test", "boutique.test"')
    dry = running.run("domain", "apply", "-", "--dry-run", input=edited)
    assert "boutique.test" in dry.stdout and not running.site_is_known("boutique.test")
    running.run("domain", "apply", "-", input=edited)
    wait_for(lambda: running.site_is_known("boutique.test"), seconds=5)
    assert running.run("domain", "export").stdout == edited
