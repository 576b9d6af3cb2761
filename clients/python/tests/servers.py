"""Servers of one test, with real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ID = "65f000000000000000000001"
COMPANY = "65f0000000000000000000c1"
DEADLINE_S = 15


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: Any
    count: int
    """1 for the first request."""


Reply = Callable[[socket.socket, Received], None]
"""Sends a reply, or does something else. The connection stays open unless it closes it."""


class TcpServer:
    """Calls a function in a thread of its own for each connection."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def connections(self) -> int:
        return len(self._sockets)

    def close(self) -> None:
        # A thread that waits in accept() is not woken by close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close_connections()
        for thread in [self._accepting, *self._threads]:
            thread.join(DEADLINE_S)

    def close_connections(self) -> None:
        for connection in self._sockets:
            hang_up(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve_one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve_one(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._serve(connection)
            except OSError:
                return


class Backend(TcpServer):
    """An HTTP server that sends `reply`."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.received: list[Received] = []
        super().__init__(self._serve_requests)

    def keys(self) -> set[str]:
        return {request.headers["idempotency-key"] for request in self.received}

    def _serve_requests(self, connection: socket.socket) -> None:
        buffered = b""
        while True:
            while b"\r\n\r\n" not in buffered:
                if not (piece := connection.recv(65_536)):
                    return
                buffered += piece
            head, _, buffered = buffered.partition(b"\r\n\r\n")
            request_line, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            length = int(headers.get("content-length", 0))
            while len(buffered) < length:
                if not (piece := connection.recv(65_536)):
                    return
                buffered += piece
            body, buffered = buffered[:length], buffered[length:]
            path = request_line.split(" ")[1]
            request = Received(path, headers, json.loads(body), len(self.received) + 1)
            self.received.append(request)
            self._reply(connection, request)


def hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It was closed before.
        return


def send(
    connection: socket.socket,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> None:
    given = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    connection.sendall(f"HTTP/1.1 {status} Reply\r\n{lines}\r\n".encode() + body)


def send_json(
    connection: socket.socket, status: int, body: object, headers: Mapping[str, str] | None = None
) -> None:
    send(connection, status, json.dumps(body).encode(), headers)


def accept(connection: socket.socket, request: Received) -> None:
    """Replies as the routes of the API do."""
    if request.path.endswith("/batch"):
        emissions = request.body["emissions"]
        results = [
            {"index": index, "status": 202, "emissionId": f"e{index}"} for index in range(len(emissions))
        ]
        body = {"success": True, "accepted": len(emissions), "rejected": 0, "results": results}
        send_json(connection, 202, body)
    else:
        send_json(connection, 202, {"success": True, "emissionId": "e1", "statusUrl": "/x"})


def status(code: int, headers: Mapping[str, str] | None = None) -> Reply:
    return lambda connection, _: send_json(connection, code, {"success": False, "code": "REJECTED"}, headers)


def first(*replies: Reply) -> Reply:
    """Sends these replies first, then accepts."""

    def reply(connection: socket.socket, request: Received) -> None:
        chosen = replies[request.count - 1] if request.count <= len(replies) else accept
        chosen(connection, request)

    return reply


def absent_url() -> str:
    """An address with no listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def eventually(what: str, probe: Callable[[], bool]) -> None:
    """Calls `probe` until it returns True. Fails after a deadline."""
    give_up_at = time.monotonic() + DEADLINE_S
    while not probe():
        assert time.monotonic() < give_up_at, f"{what} was not reached"
        time.sleep(0.01)
