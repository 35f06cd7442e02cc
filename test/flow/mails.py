"""Mails that show whether a mail arrives as it was sent: NAME -> content with CRLF line ends."""

import random

HEAD = (b"From: Sender <sender@client.test>\r\nTo: box@example.test\r\nDate: Fri, 05 Jan 2024 09:14:20 +0100\r\n"
        b"Message-ID: <%s@client.test>\r\nSubject: %s\r\n\r\n")


def mail(body, name="mail"):
    return HEAD % (name.encode(), name.encode()) + body


def many_lines(bytes_min, seed=1):
    """Lines of all lengths up to 200, some of dots."""
    rng = random.Random(seed)
    lines, n = [], 0
    while n < bytes_min:
        length = rng.randrange(200)
        lines.append(bytes(rng.choice(b". abcdefghijklmnopqrstuvwxyz") for _ in range(length)))
        n += length + 2
    return b"\r\n".join(lines) + b"\r\n"


MAILS = {name: mail(body, name) for name, body in {
    "short": b"Hello.\r\n",
    "empty": b"",
    "blank-lines": b"\r\n\r\n\r\nafter three\r\n\r\n\r\n",
    "dots": b".\r\n..\r\n...\r\n.a\r\na.\r\n.\r\n\r\n.\r\n",
    "looks-like-smtp": b"QUIT\r\nMAIL FROM:<a@b.test>\r\n250 ok\r\n.DATA\r\nFrom here\r\n>From there\r\n",
    "lines-of-998": b"x" * 998 + b"\r\n" + b"." * 998 + b"\r\n." + b"y" * 997 + b"\r\n",
    "8-bit": bytes(b for b in range(1, 256) if b not in b"\r\n") + b"\r\n",
    "utf-8": "Grüße aus Köln, 你好, 🙂\r\n".encode(),
    "300-KB": many_lines(300_000),
}.items()}
