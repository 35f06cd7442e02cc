"""The partner of the founding case: a mail server that verifies only RSA certificates."""

import struct

# What the partner's outbound servers offer, in their order, TLS 1.2 at most: name in OpenSSL, number.
SUITES = {"ECDHE-RSA-AES256-GCM-SHA384": 0xC030, "ECDHE-RSA-AES128-GCM-SHA256": 0xC02F, "ECDHE-RSA-AES256-SHA384": 0xC028,
          "ECDHE-RSA-AES128-SHA256": 0xC027, "ECDHE-RSA-AES256-SHA": 0xC014, "ECDHE-RSA-AES128-SHA": 0xC013,
          "AES256-GCM-SHA384": 0x009D, "AES128-GCM-SHA256": 0x009C, "AES256-SHA256": 0x003D, "AES128-SHA256": 0x003C,
          "AES256-SHA": 0x0035, "AES128-SHA": 0x002F, "RC4-SHA": 0x0005, "DES-CBC3-SHA": 0x000A}
PARTNER = "mx07.partner.test"


def vector(data, size):
    return len(data).to_bytes(size, "big") + data


def partner_hello():
    """Its ClientHello, byte for byte: OpenSSL 3 would leave out the last two suites."""
    suites = b"".join(struct.pack(">H", number) for number in SUITES.values())
    extensions = b"".join(struct.pack(">H", kind) + vector(data, 2) for kind, data in (
        (10, vector(struct.pack(">3H", 23, 24, 25), 2)),                                        # groups: P-256, P-384, P-521
        (11, vector(b"\0", 1)),                                                                 # points uncompressed
        (13, vector(struct.pack(">8H", 0x0601, 0x0603, 0x0501, 0x0503, 0x0401, 0x0403, 0x0201, 0x0203), 2)),
        (23, b"")))                                                                             # extended master secret
    hello = b"\x03\x03" + b"P" * 32 + vector(b"", 1) + vector(suites, 2) + vector(b"\0", 1) + vector(extensions, 2)
    return b"\x16\x03\x01" + vector(b"\x01" + vector(hello, 3), 2)
