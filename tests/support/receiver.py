"""A webhook receiver on loopback that verifies what it gets, and answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook


class Receiver(ThreadingHTTPServer):
    """Keeps (webhook-id, status answered, verified body). `answers(n)` is the nth status."""

    daemon_threads = True

    def __init__(self, secret: str, answers) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.webhook = Webhook(secret)
        self.answers = answers
        self.calls: list[tuple[str, int, dict]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?source=c360"

    def accepted(self) -> list[str]:
        """Return the ids answered with a 2xx, in order."""
        return [id for id, status, _ in self.calls if status < 300]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        event = self.server.webhook.verify(body, dict(self.headers))  # raises when forged
        with self.server.lock:
            status = self.server.answers(len(self.server.calls))
            self.server.calls.append((self.headers["webhook-id"], status, event))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiving(secret: str, answers=lambda n: 204) -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver(secret, answers)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()
