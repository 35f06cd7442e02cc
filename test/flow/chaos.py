"""A line between two programs that breaks: it carries bytes in pieces of any size and ends, with a FIN or a reset, after any of them."""

import random
import select
import socket
import threading

RESET = b"\1\0\0\0\0\0\0\0"      # SO_LINGER: close() resets


class BadLine:
    """Listens at .address and .port, and carries each connection to target. breaks: how many of ten connections end early."""

    def __init__(self, target, seed, breaks=5, address="127.0.0.1"):
        self.target, self.breaks = target, breaks
        self._random = random.Random(seed)
        self._listener = socket.create_server((address, 0), backlog=256)
        self.address, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while True:
            try:
                near, (peer, _) = self._listener.accept()
            except OSError:
                return
            rng = random.Random(self._random.random())
            # Most conversations are short: the early bytes are where the steps are.
            life = int(2 ** rng.uniform(0, 16)) if rng.randrange(10) < self.breaks else None
            threading.Thread(target=self._carry, args=(near, peer, rng, life), daemon=True).start()

    def _carry(self, near, peer, rng, life):
        far = None
        try:
            far = socket.create_connection(self.target, timeout=30, source_address=(peer, 0))
            self._pump(near, far, rng, life)
        except OSError:
            pass
        for end in (near, far):
            if end and rng.randrange(2):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if end:
                end.close()

    @staticmethod
    def _pump(near, far, rng, life):
        open_ends = {near: far, far: near}
        while open_ends:
            readable, _, _ = select.select(list(open_ends), [], [], 60)
            if not readable:
                return
            for end in readable:
                data = end.recv(rng.choice((1, 7, 100, 4096, 65536)))
                if not data:
                    open_ends.pop(end).shutdown(socket.SHUT_WR)
                    continue
                if life is not None:
                    data = data[:life]
                    life -= len(data)
                open_ends[end].sendall(data)
                if life == 0:
                    return
