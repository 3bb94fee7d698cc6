"""A web server for tests: files of a folder, in ranges or whole, failing as often as it is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FileServer:
    """What a test sees and sets: the folder, the requests so far, and how the server behaves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = True
        self.failures = 0
        self.url = ""

    def bytes_sent(self) -> int:
        """Bytes of all ranges that were asked for."""
        found = [re.fullmatch(r"bytes=(\d+)-(\d+)", asked) for _, asked in self.requests if asked]
        return sum(int(match[2]) - int(match[1]) + 1 for match in found)


@contextmanager
def serve(folder: Path) -> Iterator[FileServer]:
    """Serve a folder on the loopback interface while the block runs."""
    state = FileServer(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            state.requests.append((self.path, self.headers.get("Range")))
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = state.folder / self.path.lstrip("/")
            if state.failures and body:
                state.failures -= 1
                self.send(503, b"busy")
            elif not path.is_file():
                self.send(404, b"none")
            else:
                self.send_file(path.read_bytes(), body=body)

        def send_file(self, data: bytes, *, body: bool) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            headers = {"ETag": f'"{hash(data) & 0xFFFFFFFF:x}"'}
            if state.ranges and asked and body:
                start, stop = int(asked[1]), min(int(asked[2]) + 1, len(data))
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
                self.send(206, data[start:stop], headers)
            else:
                self.send(200, data, headers, body=body)

        def send(
            self,
            code: int,
            data: bytes,
            headers: dict[str, str] | None = None,
            *,
            body: bool = True,
        ) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
