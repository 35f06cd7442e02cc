"""The command line by itself: groups of verbs, help, languages, suggestions, what is refused."""

import json
import os
import subprocess

import pytest

from client import Connection
from conftest import PROGRAM, wait_for


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Settings and a store, no server."""
    dir = tmp_path_factory.mktemp("cli")
    conf = dir / "torhaus.conf"
    conf.write_text(f'store = "sqlite:{dir}/torhaus.db"\ncontrol = "{dir}/control.sock"\n'
                    f'certificates = {{"{dir}/certs"}}\n')
    (dir / "certs").mkdir()
    done = run("--config", conf, "init", "--dir", dir)
    assert done.returncode == 0, done.stderr
    return conf


def run(*args, input=None, **env):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=60,
                          input=input, env={**os.environ, "LC_ALL": "C", "TORHAUS_CONFIG": "", **env})


def refused(*args, **env):
    done = run(*args, **env)
    assert done.returncode == 2 and done.stdout == "", (done.stdout, done.stderr)
    return done.stderr


# ---- groups and help ----

@pytest.mark.parametrize("words", [("domain",), ("domain", "--help"), ("help", "domain")])
def test_a_group_lists_its_verbs(words):
    done = run(*words)
    assert done.returncode == 0
    lines = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert ["domain", "add"] in lines and ["domain", "undo"] in lines
    assert all(line[0] == "domain" for line in lines)


def test_help_explains_a_verb_like_its_option():
    assert run("help", "tls", "scan").stdout == run("tls", "scan", "--help").stdout
    assert run("help").stdout == run("--help").stdout == run("-h").stdout


def test_help_names_the_choices_of_every_option():
    text = run("domain", "add", "--help").stdout
    assert "--preset standard|wordpress|static|off" in text
    assert "--tls off|report|require" in text
    assert "VALUE" not in [word for line in text.splitlines() for word in line.split()[:2]
                           if line.strip().startswith(("--tls", "--preset", "--mail-tls", "--mail-client"))]


def test_the_version_has_a_short_form():
    assert run("-V").stdout == run("--version").stdout != ""


def test_help_is_whole_in_german():
    english, german = [run("--lang", lang, "--help").stdout.splitlines() for lang in ("en", "de")]
    assert len(english) == len(german)
    same = [line for line in english if line.strip() and line in german]
    assert same == [], "not translated"


def test_every_verb_is_explained_in_german():
    verbs = [line.split("  ")[1] for line in run("--help").stdout.splitlines() if line.startswith("  ")
             and not line.strip().startswith("-")]
    assert len(verbs) > 20
    for verb in verbs:
        lines = {lang: [line.strip() for line in run("--lang", lang, "help", *verb.split()).stdout.splitlines()[2:]]
                 for lang in ("en", "de")}
        # An option that is too wide for its column stands in a line of its own.
        same = [line for line in lines["en"] if line in lines["de"] and (" " in line.partition("  ")[2])]
        assert same == [], (verb, same)


# ---- what is refused ----

@pytest.mark.parametrize("words, said", [
    (("domian", "list"), "there is no verb domian list; did you mean domain list?"),
    (("domain", "lsit"), "there is no verb domain lsit; did you mean domain list?"),
    (("statsu",), "there is no verb statsu; did you mean status?"),
    (("domain", "frobnicate"), "there is no verb domain frobnicate; `torhaus domain` lists those that there are"),
])
def test_what_is_near_is_suggested(words, said):
    assert said in refused(*words)


@pytest.mark.parametrize("word", ["stpo", "sotp", "stop2", "xyz", "a", "lo", "dns1"])
def test_what_is_far_or_dangerous_is_not(word):
    assert "did you mean" not in refused(word)


def test_usage_speaks_the_users_language():
    assert "es gibt keine Option --hart; ist --hard gemeint?" in refused("--lang", "de", "cache", "purge", "--hart")
    assert "Aufruf: torhaus cache purge" in refused("cache", "purge", LC_ALL="de_DE.UTF-8")


@pytest.mark.parametrize("verb", [("init",), ("serve",), ("completion", "bash"), ("domain", "export")])
def test_json_is_obeyed_or_refused(verb):
    assert "there is no --json for it" in refused(*verb, "--json")


def test_a_wrong_value_is_the_options_fault(home):
    said = refused("--config", home, "domain", "add", "x.example", "--grace", "soon", "--origin", "ftp://x")
    assert 'DOMAIN-OPTION-BAD-VALUE --grace "soon" does not fit' in said
    assert 'DOMAIN-OPTION-BAD-VALUE --origin "ftp://x" does not fit' in said
    assert "domain x.example:" not in said
    said = refused("--config", home, "domain", "add", "x.example", "--web", "x.example")
    assert "domain x.example:" not in said and "has web names but no origin" in said


def test_a_dumb_terminal_gets_no_colors(home):
    script = f"{PROGRAM} --config {home} explain TLS-NO-RSA-CERT"
    for term, colored in (("xterm", True), ("dumb", False)):
        done = subprocess.run(["script", "-qec", script, "/dev/null"], capture_output=True, text=True,
                              env={**os.environ, "TERM": term, "NO_COLOR": ""}, timeout=60)
        assert ("\x1b[" in done.stdout) == colored, term


# ---- many domains at once ----

def test_an_empty_document_removes_nothing(home):
    ask = lambda *args, **kind: run("--config", home, "domain", *args, **kind)
    assert ask("apply", "-", input="".join(f"domain d{n}.example {{ }}\n" for n in range(12))).returncode == 0
    done = ask("apply", "-", input="")
    assert done.returncode == 1 and "DOMAIN-APPLY-REMOVES" in done.stderr
    assert len(json.loads(ask("list", "--json").stdout)["domains"]) == 12
    # The dry run shows what it would be, and --remove says that it is meant.
    assert "0 added, 0 changed, 12 removed" in ask("apply", "-", "--dry-run", input="\n").stdout
    assert ask("apply", "-", "--remove", input="# none\n").returncode == 0
    assert json.loads(ask("list", "--json").stdout)["domains"] == []
    # And it can be undone.
    assert "12 added, 0 changed, 0 removed" in ask("undo").stdout
    assert len(json.loads(ask("list", "--json").stdout)["domains"]) == 12


def test_undo_says_when_there_is_nothing_left(tmp_path):
    conf = tmp_path / "torhaus.conf"
    assert run("--config", conf, "init", "--dir", tmp_path).returncode == 0
    done = run("--config", conf, "domain", "undo")
    assert done.returncode == 1 and "DOMAIN-NOTHING-TO-UNDO" in done.stderr


# ---- a server that may not be asked ----

@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_ask_is_told_so(make_torhaus):
    t = make_torhaus().start()
    os.chmod(t.dir, 0o755)
    for above in list(t.dir.parents)[:4]:
        os.chmod(above, os.stat(above).st_mode | 0o055)
    os.chmod(t.conf, 0o644)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM,
                           "--config", t.conf, "status"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert "SERVE-NO-ACCESS" in done.stderr and "it belongs to root" in done.stderr
    assert "Start it" not in done.stderr


def test_names_and_days_that_mean_nothing_are_refused(home):
    run("--config", home, "domain", "add", "mail.example", "--mail", "127.0.0.1:9")
    done = run("--config", home, "cache", "purge", "--domain", "mail.exampel")
    assert done.returncode == 1 and "Did you mean mail.example?" in done.stderr and done.stdout == ""
    set_until = lambda day: run("--config", home, "recipient", "set", "a@mail.example", "--tls", "off", "--until", day)
    assert "is over already" in set_until("2024-01-05").stderr
    assert set_until("2024-01-05").returncode == 2 and set_until("2099-01-05").returncode == 0


def test_tables_have_german_heads_that_stand_above_their_columns(home):
    run("--config", home, "domain", "add", "mail.example", "--mail", "127.0.0.1:9")
    run("--config", home, "recipient", "set", "a-long-name@mail.example", "--tls", "off", "--until", "2099-01-05")
    head, row = run("--config", home, "--lang", "de", "recipient", "list", "mail.example").stdout.splitlines()[:2]
    assert head.split() == ["EMPFÄNGER", "TLS", "SEIT", "BIS", "VON"]
    assert head.index("TLS") == row.index("off") and head.index("BIS") == row.index("2099")


# ---- what doctor says of origins ----

def test_doctor_names_whom_an_origin_concerns_and_forgets_what_is_gone(make_torhaus):
    t = make_torhaus()
    for n in range(7):
        t.add(f"s{n}.example", "http://127.0.0.1:9", "--web", f"s{n}.example")
    t.start()
    assert Connection(t.port).request("/", host="s0.example").status == 502
    said = t.run("doctor", check=False).stdout
    assert said.count("ORIGIN-REFUSED") == 1 and "http://127.0.0.1:9" in said
    assert "concerns: s0.example, s1.example, s2.example, s3.example, s4.example and 2 more" in said
    assert "<" not in said.split("ORIGIN-REFUSED")[1].split("\n")[0]
    for n in range(7):
        t.run("domain", "remove", f"s{n}.example")
    wait_for(lambda: not t.json("status")["origins"], what="the removed domains' origin is gone")
    assert "ORIGIN-REFUSED" not in t.run("doctor", check=False).stdout


def test_doctor_forgets_settings_that_were_taken_back(make_torhaus):
    t = make_torhaus().start()
    good = t.conf.read_text()
    t.conf.write_text(good + "frobnicate = 1\n")
    assert t.run("reload", check=False).returncode == 3
    assert "SETTINGS-" in t.run("doctor", check=False).stdout
    t.conf.write_text(good)
    assert "SETTINGS-" not in t.run("doctor", check=False).stdout


# ---- completion ----

def complete(home, *words):
    script = (f"PATH={os.path.dirname(PROGRAM)}:$PATH; eval \"$({PROGRAM} completion bash)\"; "
              f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _torhaus; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "TORHAUS_CONFIG": str(home)})
    return set(done.stdout.split())


def test_completion_knows_values_domains_and_codes(home):
    run("--config", home, "domain", "add", "shop.example", "--origin", "http://127.0.0.1:9")
    assert "shop.example" in complete(home, "torhaus", "domain", "show", "sh")
    assert "shop.example" in complete(home, "torhaus", "cache", "purge", "--domain", "shop")
    assert complete(home, "torhaus", "domain", "set", "shop.example", "--preset", "w") == {"wordpress"}
    assert complete(home, "torhaus", "tls", "scan", "--starttls", '""') == {"smtp", "none"}
    assert "TLS-NO-RSA-CERT" in complete(home, "torhaus", "explain", "TLS-NO-R")
    assert "undo" in complete(home, "torhaus", "domain", "u")
