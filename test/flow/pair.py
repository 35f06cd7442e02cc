"""Self-signed pairs, put into a certificate folder as one does with real ones: key and certificate by rename."""

import functools
import hashlib
import pathlib
import ssl
import subprocess
import tempfile

KEYS = tempfile.TemporaryDirectory(prefix="torhaus-keys-")
NEW_KEY = {"rsa": ("RSA", "rsa_keygen_bits:2048"), "ec": ("EC", "ec_paramgen_curve:P-256")}


@functools.cache
def key_file(kind, which="usual"):
    """A private key of a kind, made once a run."""
    algorithm, option = NEW_KEY[kind]
    path = pathlib.Path(KEYS.name) / f"{kind}-{which}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", path],
                   check=True, capture_output=True)
    return path


def make_pair(folder, stem, kind="rsa", names=("example.test",), days=30, extra=(), key="usual"):
    """A new certificate for a key that all pairs of this kind share, unless `key` names another one."""
    new = [folder / f"{stem}.{e}.new" for e in ("key", "crt")]
    new[0].write_bytes(key_file(kind, key).read_bytes())
    new[0].chmod(0o600)
    subprocess.run(["openssl", "req", "-x509", "-key", new[0], "-days", str(days), "-subj", f"/CN={names[0]}",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in names), *extra, "-out", new[1]],
                   check=True, capture_output=True)
    for path in new:
        path.rename(path.with_suffix(""))
    return fingerprint(folder / f"{stem}.crt")


def fingerprint(path):
    first = path.read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
