"""An upstream that misbehaves as told: `dns_upstream.py PORT` listens on 127.0.0.1, UDP and TCP; each line on standard input
is the new mode, and is repeated on standard output once it is in force."""
import asyncio
import random
import struct
import sys

MODES = ["well", "silent", "loss 30 %", "wrong ids", "truncated", "REFUSED", "SERVFAIL", "3 s delay", "1 s delay", "flapping"]
ADDRESS = bytes([203, 0, 113, 1])
TTL = 60
FLAP_SECONDS = 0.5


def question_end(raw):
    at = 12
    while raw[at]:
        at += 1 + raw[at]
    return at + 5


def answer(raw, rcode=0, truncated=False, id=None):
    """Every name has one A record; other types have nothing."""
    end = question_end(raw)
    is_a = raw[end - 4:end] == b"\0\1\0\1" and rcode == 0 and not truncated
    flags = 0x8180 | rcode | (0x200 if truncated else 0)
    head = (raw[:2] if id is None else id) + struct.pack("!5H", flags, 1, 1 if is_a else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, TTL, 4) + ADDRESS if is_a else b""
    return head + raw[12:end] + record


class Server(asyncio.DatagramProtocol):
    mode = MODES[0]

    def connection_made(self, transport):
        self.transport, self.loop = transport, asyncio.get_running_loop()

    def datagram_received(self, raw, peer):
        self.take(raw, lambda m: self.transport.sendto(m, peer), False)

    def take(self, raw, send, tcp):
        mode = self.mode
        if mode == "silent" or mode == "loss 30 %" and not tcp and random.random() < 0.3:
            return
        if mode == "flapping" and int(self.loop.time() / FLAP_SECONDS) % 2:
            return
        if mode.endswith("delay"):
            self.loop.call_later(int(mode[0]), send, answer(raw))
        elif mode == "wrong ids":
            send(answer(raw, id=bytes([raw[0] ^ 0x5a, raw[1]])))
        elif mode == "truncated":
            send(answer(raw, truncated=not tcp))
        else:
            send(answer(raw, {"REFUSED": 5, "SERVFAIL": 2}.get(mode, 0)))

    async def connected(self, reader, writer):
        def send(message):
            if not writer.is_closing():
                writer.write(struct.pack("!H", len(message)) + message)
        try:
            while True:
                n = struct.unpack("!H", await reader.readexactly(2))[0]
                self.take(await reader.readexactly(n), send, True)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main(port):
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", port))
    s = transport.get_extra_info("socket")
    s.setsockopt(1, 8, 8 << 20)      # SOL_SOCKET, SO_RCVBUF: what comes in a burst
    await asyncio.start_server(server.connected, "127.0.0.1", port)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", flush=True)
    while line := (await lines.readline()).decode():
        server.mode = line.strip()
        assert server.mode in MODES
        print(server.mode, flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
