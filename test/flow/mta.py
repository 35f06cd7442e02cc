"""Debian's own mail servers - Postfix, Exim, OpenSMTPD - as backends and as senders.

As packages they exclude each other; script/check unpacks them (need_peers in script/lib/packages.sh) into a small root folder.
Each server here is a machine of its own: a copy of that folder made of hard links, with its configuration, spool and mailbox at
the usual places, run by chroot in the foreground, and gone with the test. Mail for every recipient goes to one Maildir, except
that a local part beginning with "unknown" is refused for good, one with "busy" for now, and (by Postfix and Exim) one with "secret"
without TLS.
"""

import os
import pathlib
import random
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = pathlib.Path(os.environ.get("TORHAUS_PEERS", ROOT / "build-peers" / "debian"))

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/sh
box:x:901:901:mailboxes:/var/mail:/bin/sh
postfix:x:902:902::/var/spool/postfix:/bin/sh
Debian-exim:x:904:904::/var/spool/exim4:/bin/sh
opensmtpd:x:905:905::/var/lib/opensmtpd/empty:/bin/sh
opensmtpq:x:906:906::/var/lib/opensmtpd/empty:/bin/sh
"""
GROUP = """\
root:x:0:
nogroup:x:65534:
box:x:901:
postfix:x:902:
postdrop:x:903:
Debian-exim:x:904:
opensmtpd:x:905:
opensmtpq:x:906:
"""
# Runs a server that ends when the test does, in whatever way.
UNTIL_STDIN_ENDS = 'exec 3<&0; "$@" 3<&- & server=$!; { read -r _ <&3; kill $server; } 2>/dev/null & wait $server'
BOX, POSTFIX, EXIM, OPENSMTPD, OPENSMTPQ = 901, 902, 904, 905, 906


def needs_peers():
    if os.getuid() != 0:
        raise unittest.SkipTest("mail servers need root (they change users)")
    if not (PEERS / ".packages").exists():
        raise unittest.SkipTest(f"no mail servers in {PEERS}: script/check unpacks them")


def free_port(address):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, 0))
        return s.getsockname()[1]


def any_loopback():
    """An address that no other test uses at the moment, most probably."""
    return f"127.{random.randint(2, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"


@dataclass
class Stored:
    """A mail as the mailbox has it, its line ends made CRLF again."""
    raw: bytes

    @property
    def head(self):
        return self.raw.split(b"\r\n\r\n", 1)[0] + b"\r\n"

    @property
    def body(self):
        return self.raw.split(b"\r\n\r\n", 1)[1]

    def ends_with(self, sent):
        """Did the mail arrive as it was sent, with nothing but fields before it?"""
        return self.raw.endswith(sent) and b"\r\n\r\n" not in self.raw[:len(self.raw) - len(sent)]


class Machine:
    """One mail server. relay: (address, port) that gets all mail instead of the mailbox."""

    extra = ""

    def __init__(self, name="backend.test", relay=None, certificate=None, client=None, tls_to_relay="may", lines="", out=""):
        """certificate: (chain, key) paths, offered by STARTTLS. client: "xclient" or "proxy", how clients are told.
        tls_to_relay: off, may, must. lines: added to the configuration; out: to that of Exim's way to the relay."""
        needs_peers()
        self.name, self.relay, self.client, self.tls_to_relay = name, relay, client, tls_to_relay
        self.lines, self.out = lines, out
        run = PEERS.parent / "run"
        run.mkdir(exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(dir=run, prefix=type(self).__name__.lower() + "-"))
        self.root.chmod(0o755)
        subprocess.run(["cp", "-al", f"{PEERS}/.", self.root], check=True)
        self.address = any_loopback()
        self.port = free_port(self.address)
        self.process = None
        self._lay_out(certificate)

    def _lay_out(self, certificate):
        self.write("etc/passwd", PASSWD)
        self.write("etc/group", GROUP)
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n")
        self.write("etc/hosts", f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.folder("tmp", mode=0o1777)
        self.folder("run")
        (self.root / "var/run").symlink_to("../run")
        self.folder("dev")
        self.device("null", 3, b"")
        self.device("urandom", 9, os.urandom(1 << 20))
        self.folder("var/mail", BOX)
        self.has_tls = certificate is not None
        if certificate:
            for made, source in zip(("etc/chain.pem", "etc/key.pem"), certificate):
                self.write(made, pathlib.Path(source).read_text(), mode=0o644 if "chain" in made else 0o600)
        self.configure()

    def write(self, path, text, owner=0, mode=0o644):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)        # a hard link must not be written through
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, owner)
        os.utime(path, (0, 0))              # Postfix waits for settings that were written just now

    def folder(self, path, owner=0, group=None, mode=0o755):
        path = self.root / path
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        os.chown(path, owner, owner if group is None else group)
        return path

    def device(self, name, minor, instead):
        """A file with content instead where devices must not be made, as in some containers."""
        path = self.root / "dev" / name
        try:
            os.mknod(path, stat.S_IFCHR, os.makedev(1, minor))
        except PermissionError:
            path.write_bytes(instead)
        path.chmod(0o666)

    # ---- life ----

    def start(self):
        self.output = open(self.root / "output", "ab")
        self.process = subprocess.Popen(["sh", "-c", UNTIL_STDIN_ENDS, "sh", "chroot", self.root, *self.command()],
                                        stdin=subprocess.PIPE, stdout=self.output, stderr=self.output, start_new_session=True,
                                        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        end = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end, self.logs()
            time.sleep(0.05)
        return self

    def _answers(self):
        try:
            with socket.create_connection((self.address, self.port), timeout=10) as s:
                if self.client == "proxy":
                    s.sendall(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\x7f\0\0\1" * 2 + b"\0\x19" * 2)
                return s.recv(3) == b"220"
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        if self.process:
            self.kill()
            self.output.close()

    def kill(self):
        """Everything of it, at once; and again, for what was forked meanwhile."""
        while pids := self._pids():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process.stdin.close()
        self.process.wait(10)

    def _pids(self):
        """Its processes: those that have its root folder; servers leave sessions and process groups."""
        found = []
        for proc in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                inside = pathlib.Path(os.readlink(proc / "root")).is_relative_to(self.root)
            except OSError:
                continue
            if inside:
                found.append(int(proc.name))
        return found

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.stop()
        self.remove()

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def logs(self):
        paths = [self.root / "output", *(self.root / "var/log").rglob("*")]
        return "\n".join(f"---- {p}\n{p.read_text(errors='replace')}" for p in paths if p.is_file())

    # ---- mail ----

    def mails(self):
        """What the mailbox holds, oldest first."""
        new = self.root / "var/mail/box/new"
        paths = sorted(new.iterdir(), key=lambda p: p.stat().st_mtime_ns) if new.exists() else []
        return [Stored(p.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) for p in paths]

    def wait_for_mails(self, n=1, seconds=30):
        end = time.monotonic() + seconds
        while len(self.mails()) < n or not self.is_idle():
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.mails())} of {n} mails\n{self.logs()}")
            time.sleep(0.02)
        return self.mails()

    def settled(self, seconds=60):
        """Waits until nothing is on its way in here, then what the mailbox holds."""
        end = time.monotonic() + seconds
        while not self.is_idle():
            assert time.monotonic() < end, self.logs()
            time.sleep(0.05)
        return self.mails()

    def forget_mails(self):
        self.settled()
        for path in (self.root / "var/mail/box/new").glob("*"):
            path.unlink()

    def is_idle(self):
        return not any(self.is_queued(p) for folder in self.queues for p in (self.root / folder).rglob("*"))

    def is_queued(self, path):
        return path.is_file()


class Postfix(Machine):
    queues = [f"var/spool/postfix/{q}" for q in ("maildrop", "incoming", "active", "deferred")]

    def configure(self):
        spool = self.folder("var/spool/postfix").relative_to(self.root)
        for queue in "active bounce corrupt defer deferred flush hold incoming private saved trace".split():
            self.folder(spool / queue, POSTFIX, 0, 0o700)
        self.folder(spool / "maildrop", POSTFIX, 903, 0o730)
        self.folder(spool / "public", POSTFIX, 903, 0o710)
        self.folder(spool / "pid")
        self.folder("var/lib/postfix", POSTFIX)
        self.folder("var/log")
        self.write("etc/postfix/refused", "/^unknown/ 550 5.1.1 No such mailbox\n/^busy/ 450 4.2.1 Mailbox is busy\n"
                   "/^secret/ reject_plaintext_session\n")
        self.write("etc/postfix/main.cf", self._main())
        self.write("etc/postfix/master.cf", self._master())

    def is_queued(self, path):
        """Whole mails are executable; others were cut off, and nobody was told that they were taken."""
        try:
            return path.is_file() and path.stat().st_mode & 0o100
        except FileNotFoundError:
            return False

    def command(self):
        return ["/usr/lib/postfix/sbin/master", "-d", "-c", "/etc/postfix"]

    def _main(self):
        relay = f"relayhost = [{self.relay[0]}]:{self.relay[1]}\nsmtp_tls_security_level = " + {
            "off": "none", "may": "may", "must": "encrypt"}[self.tls_to_relay] if self.relay else \
            "virtual_mailbox_domains = static:all\nvirtual_mailbox_maps = static:box/"
        tls = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/key.pem, /etc/chain.pem" if self.has_tls else ""
        told = {"xclient": "smtpd_authorized_xclient_hosts = 127.0.0.0/8", "proxy": "smtpd_upstream_proxy_protocol = haproxy",
                None: ""}[self.client]
        return f"""
compatibility_level = 3.6
maillog_file = /var/log/mail.log
myhostname = {self.name}
mynetworks = 127.0.0.0/8
smtpd_forbid_bare_newline = no
inet_protocols = ipv4
smtp_bind_address = 127.0.0.1
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
default_database_type = texthash
smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix/refused, permit_mynetworks, reject_unauth_destination
smtpd_relay_restrictions = permit
virtual_mailbox_base = /var/mail
virtual_uid_maps = static:{BOX}
virtual_gid_maps = static:{BOX}
virtual_mailbox_limit = 0
message_size_limit = 60000000
smtpd_client_connection_count_limit = 0
smtpd_tls_session_cache_database =
smtp_tls_loglevel = 1
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
transport_retry_time = 1s
smtp_connection_cache_on_demand = no
in_flow_delay = 0
{relay}
{tls}
{told}
{self.lines}
"""

    def _master(self):
        return f"""
{self.address}:{self.port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
{self.extra}
"""


class Postscreen(Postfix):
    """Postfix behind postscreen, which tests each new client to the end of a session (its first recipient gets a 450), TLS by tlsproxy."""

    def __init__(self, lines="", **kwargs):
        super().__init__(lines=f"""
postscreen_tls_security_level = may
postscreen_access_list =
postscreen_greet_wait = 1s
postscreen_pipelining_enable = yes
postscreen_cache_map = btree:/var/lib/postfix/postscreen
{lines}""", **kwargs)

    def _master(self):
        here = f"{self.address}:{self.port} inet n - n - "
        return super()._master().replace(f"{here}- smtpd", f"{here}1 postscreen\nsmtpd pass - - n - - smtpd\ntlsproxy unix - - n - 0 tlsproxy")


class Exim(Machine):
    queues = ["var/spool/exim4/input"]

    def configure(self):
        self.folder("var/spool/exim4", EXIM, mode=0o750)
        self.folder("var/log/exim4", EXIM, mode=0o750)
        self.folder("var/mail/box", EXIM)
        self.folder("run/exim4", EXIM)
        self.write("etc/exim4/exim4.conf", self._conf())

    def command(self):
        return ["/usr/sbin/exim4", "-bdf", "-q1s"]

    def _conf(self):
        router = f"driver = manualroute\n  route_list = * {self.relay[0]}::{self.relay[1]} byname\n  transport = out\n" \
            "  self = send\n  host_all_ignored = defer" if self.relay else "driver = accept\n  transport = box"
        out = {"off": "hosts_avoid_tls = *", "may": "", "must": "hosts_require_tls = *"}[self.tls_to_relay]
        tls = "tls_advertise_hosts = *\ntls_certificate = /etc/chain.pem\ntls_privatekey = /etc/key.pem" if self.has_tls else \
            "tls_advertise_hosts ="
        if self.has_tls:
            self.write("etc/key.pem", (self.root / "etc/key.pem").read_text(), EXIM, 0o600)
        return f"""
primary_hostname = {self.name}
local_interfaces = <; [{self.address}]:{self.port}
log_file_path = /var/log/exim4/%slog
log_selector = +tls_cipher +smtp_protocol_error +smtp_syntax_error
deliver_drop_privilege
rfc1413_query_timeout = 0s
keep_environment =
smtp_accept_max = 0
smtp_accept_queue = 0
smtp_accept_queue_per_connection = 0
message_size_limit = 60M
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
acl_smtp_rcpt = on_rcpt
{tls}
{self.lines}

begin acl
on_rcpt:
  deny local_parts = ^unknown
       message = 5.1.1 No such mailbox
  defer local_parts = ^busy
       message = 4.2.1 Mailbox is busy
  deny local_parts = ^secret
       !encrypted = *
       message = encryption required
  accept

begin routers
all:
  {router}

begin transports
box:
  driver = appendfile
  directory = /var/mail/box
  maildir_format
  envelope_to_add
  return_path_add
  message_size_limit = 0
  check_string =
  escape_string =
out:
  driver = smtp
  interface = 127.0.0.1
  message_linelength_limit = 1G
  {out}
  {self.out}

begin retry
* * F,1h,1s
"""


class OpenSMTPD(Machine):
    """Debian 12's cannot serve TLS at all (OpenSSL 3 and its separated keys): it offers STARTTLS, then sends alert 80."""

    queues = ["var/spool/smtpd/queue", "var/spool/smtpd/incoming"]

    def configure(self):
        self.folder("var/spool/smtpd", mode=0o711)
        self.folder("var/spool/smtpd/offline", 0, OPENSMTPQ, 0o770)
        self.folder("var/spool/smtpd/queue", OPENSMTPQ, 0, 0o700)
        self.folder("var/spool/smtpd/purge", OPENSMTPQ, 0, 0o700)
        self.folder("var/lib/opensmtpd/empty", mode=0o711)
        self.write("etc/mailname", self.name + "\n")
        self.write("etc/smtpd.conf", self._conf())

    def command(self):
        return ["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"]

    def _conf(self):
        listen = f"listen on {self.address} port {self.port} hostname {self.name}"
        pki = ""
        if self.has_tls:
            pki = "pki box cert \"/etc/chain.pem\"\npki box key \"/etc/key.pem\"\n"
            listen += " tls pki box"
        if self.client == "proxy":
            listen += " proxy-v2"
        return f"""
{pki}{self.lines}
smtp max-message-size "60M"
{listen}
action "box" maildir "/var/mail/box" virtual {{ "@" = "box" }}
match from any for rcpt-to regex "^unknown" reject
match from any for any action "box"
"""


BACKENDS = [Postfix, Exim, OpenSMTPD]
