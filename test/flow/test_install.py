"""meson install: what a server gets, and whether systemd, man and bash like it."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import PROGRAM


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The files of `meson install`, below a folder of ours; the prefix within it is that of the build."""
    build = pathlib.Path(PROGRAM).resolve().parent
    if not (build / "build.ninja").exists():
        pytest.skip("the program was not built here")
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root], check=True)
    files = {p.name if p.name != "torhaus" else p.parent.name: p for p in root.rglob("*") if p.is_file()}
    return files


def output_of(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_program(installed):
    assert output_of(installed["sbin"], "--version").startswith("torhaus ")


def test_the_unit_is_tight(installed, tmp_path):
    """At most 2.0 of systemd's 10 points of exposure."""
    unit = installed["torhaus.service"]
    text = unit.read_text()
    assert "@" not in [line for line in text.splitlines() if line.startswith("ExecStart=")][0]
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    # The program is not where the unit says; everything else is to be understood.
    known = tmp_path / "torhaus.service"
    known.write_text("\n".join(line if not line.startswith(("ExecStart=", "ExecReload=", "Documentation="))
                               else line.split("=")[0] + "=" + ("man:true(1)" if "Doc" in line else "/bin/true")
                               for line in text.splitlines()))
    said = output_of("systemd-analyze", "verify", "--man=no", known)
    assert "torhaus.service" not in said, said


def test_the_user_is_the_unit_s(installed):
    unit = installed["torhaus.service"].read_text()
    assert "User=torhaus" in unit and installed["torhaus.conf"].read_text().startswith("u torhaus ")


def test_the_manual(installed):
    page = installed["torhaus.1"]
    warnings = output_of("groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", page)
    assert warnings == ""
    shown = re.sub(".\b", "", output_of("groff", "-man", "-Kutf8", "-Tutf8", page))
    for wanted in ("cache purge", "listen_tls", "ORIGIN-REFUSED", "EXIT STATUS", "preset"):
        assert wanted in shown, wanted


COMPLETED = [(["torhaus", "ca"], "cache"), (["torhaus", "cache", "p"], "purge"), (["torhaus", "cache", "purge", "--h"], "--hard"),
             (["torhaus", "domain", "add", "--pres"], "--preset"), (["torhaus", "--lang", ""], "de")]


@pytest.mark.parametrize("words,wanted", COMPLETED, ids=[" ".join(c[0]) for c in COMPLETED])
def test_the_completion(installed, words, wanted):
    script = installed["completions"]
    ask = (f". {script}; COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; "
           'COMPREPLY=(); _torhaus; printf "%s\\n" "${COMPREPLY[@]}"')
    assert wanted in output_of("bash", "-euc", ask, env={**os.environ, "LANG": "C"}).split()
