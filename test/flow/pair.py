"""Self-signed pairs, put into a certificate folder as one does with real ones: key and certificate by rename."""

import hashlib
import ssl
import subprocess


def make_pair(folder, stem, kind="rsa", names=("example.test",), days=30, extra=()):
    key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new = [folder / f"{stem}.{e}.new" for e in ("key", "crt")]
    subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-days", str(days), "-subj", f"/CN={names[0]}",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in names), *extra,
                    "-keyout", new[0], "-out", new[1]], check=True, capture_output=True)
    for path in new:
        path.rename(path.with_suffix(""))
    return fingerprint(folder / f"{stem}.crt")


def fingerprint(path):
    first = path.read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
