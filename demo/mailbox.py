#!/usr/bin/python3
"""The demo's mail server: takes every message and keeps it.

    mailbox.py PORT FILE

Messages are added to FILE, one after another. It knows no TLS: torhaus in front of it does.
"""

import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self):
        self.say("220 mailbox.demo.localhost ESMTP")
        for line in self.rfile:
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                self.say("250-mailbox.demo.localhost")
                self.say("250-8BITMIME")
                self.say("250 SIZE 10485760")
            elif verb in (b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"):
                self.say("250 Ok")
            elif verb == b"DATA":
                self.say("354 Go on")
                self.keep()
                self.say("250 Kept")
            elif verb == b"QUIT":
                self.say("221 Bye")
                return
            else:
                self.say("502 What?")

    def keep(self):
        with open(sys.argv[2], "ab") as box:
            for line in self.rfile:
                if line == b".\r\n":
                    break
                # A dot at the beginning of a line is doubled on the way (RFC 5321 4.5.2).
                box.write(line.removeprefix(b"."))
            box.write(b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
