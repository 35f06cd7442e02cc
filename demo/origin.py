#!/usr/bin/python3
"""The demo's origin: a small site whose pages are cacheable, private, slow or failing.

    origin.py PORT [DOWN-FILE]

While DOWN-FILE exists, the origin is down: it closes its listening socket, and connections are refused.
"""

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

served = 0

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>torhaus demo: {title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:1.05rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}
nav a{{margin-right:1rem}}</style></head>
<body><nav><a href="/">cacheable</a><a href="/private">private</a><a href="/slow">slow</a><a href="/fail">failing</a></nav>
<h1>{title}</h1><p>{text}</p><p>Made by the origin at {now}, its answer number {number}.</p></body></html>
"""

PAGES = {
    "/": ("A cacheable page", "Kept for ten seconds; then one visitor's request refreshes it beside the answer.",
          {"Cache-Control": "max-age=10, stale-while-revalidate=60"}, 0, 200),
    "/news": ("Another cacheable page", "Tagged with \"news\": purge it by that tag.",
              {"Cache-Control": "max-age=600", "Cache-Tag": "news"}, 0, 200),
    "/private": ("A private page", "For one visitor only: never stored.", {"Cache-Control": "private"}, 0, 200),
    "/slow": ("A slow page", "The origin took three seconds. Ask for it from many places at once: it is asked once.",
              {"Cache-Control": "max-age=10"}, 3, 200),
    "/fail": ("A failing page", "The origin answers 500.", {}, 0, 500),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global served
        served += 1
        title, text, headers, pause, status = PAGES.get(
            self.path.split("?")[0], ("Not found", "There is no such page.", {}, 0, 404))
        time.sleep(pause)
        body = PAGE.format(title=title, text=text, now=time.strftime("%H:%M:%S"), number=served).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    """One that can be made to disappear: closing also ends the connections that are open."""

    daemon_threads = True

    def __init__(self, port):
        self.open = set()
        super().__init__(("127.0.0.1", port), Handler)

    def get_request(self):
        request = super().get_request()
        self.open.add(request[0])
        return request

    def disappear(self):
        self.shutdown()
        self.server_close()
        for sock in self.open:
            try:
                sock.shutdown(2)
            except OSError:
                pass


def main():
    port = int(sys.argv[1])
    down_file = sys.argv[2] if len(sys.argv) > 2 else None
    server = None
    while True:
        down = down_file is not None and os.path.exists(down_file)
        if down and server:
            server.disappear()
            server = None
        elif not down and not server:
            server = Server(port)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
