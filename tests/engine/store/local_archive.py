"""An archive on the loopback interface that can be told to misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from quarkline.engine.store.download import RemoteFile


@dataclass
class LocalArchive:
    """What is served, and how.

    Attributes:
        address: The server's address.
        content: Bytes by path.
        behaviour: For each path what to do with the next requests: a status, `cut N` (end the
            connection after N bytes), `whole` (know no ranges), `slow`, or `more` (too many
            bytes); afterwards requests are answered as they should be.
        asked: Path and first byte of every request.
    """

    address: str
    content: dict[str, bytes] = field(default_factory=dict)
    behaviour: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[str, int]] = field(default_factory=list)

    def add(self, name: str, content: bytes, algorithm: str = "md5") -> RemoteFile:
        """Serve a file, and describe it as a record would."""
        self.content[f"/{name}"] = content
        digest = (
            f"{zlib.adler32(content):08x}"
            if algorithm == "adler32"
            else hashlib.new(algorithm, content).hexdigest()
        )
        return RemoteFile(name, f"{self.address}/{name}", len(content), f"{algorithm}:{digest}")

    def reply(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path, content = request.path, self.content.get(request.path)
        first = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.asked.append((path, first))
        order, _, number = (self.behaviour[path] or [""]).pop(0).partition(" ")
        if order.isdecimal() or content is None:
            request.send_error(int(order or 404))
            return
        if first > len(content):
            request.send_error(416)
            return
        first = 0 if order == "whole" else first
        body = content[first:] + (b"+" * 5000 if order == "more" else b"")
        request.send_response(206 if first else 200)
        if order != "more":
            request.send_header("Content-Length", str(len(body)))
        if first:
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            request.send_header("Content-Range", span)
        request.end_headers()
        if order == "slow":
            time.sleep(0.5)
        request.wfile.write(body[: int(number)] if order == "cut" else body)


@contextlib.contextmanager
def local_archive() -> Iterator[LocalArchive]:
    """A running archive."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            archive.reply(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    archive = LocalArchive(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield archive
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
