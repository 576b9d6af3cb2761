from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest
from conftest import StartBackend, StartBot
from servers import (
    ID,
    Received,
    Reply,
    TcpServer,
    absent_url,
    accept,
    eventually,
    first,
    hang_up,
    send,
    send_json,
    status,
)

HEAD = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n"
SHORT = {"deadline_ms": 300, "attempt_timeout_ms": 120}


def hang(connection: socket.socket, _: Received) -> None:
    """Sends nothing."""


def hang_up_without_reply(connection: socket.socket, _: Received) -> None:
    hang_up(connection)


def hang_up_in_the_body(connection: socket.socket, _: Received) -> None:
    connection.sendall(HEAD + b'content-length: 500\r\n\r\n{"success": true,')
    hang_up(connection)


def drip_body(connection: socket.socket, _: Received) -> None:
    connection.sendall(HEAD + b"content-length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.005)


def drip_headers(connection: socket.socket, _: Received) -> None:
    connection.sendall(HEAD)
    while True:
        connection.sendall(b"x-more: 1\r\n")
        time.sleep(0.02)


def endless_body(connection: socket.socket, _: Received) -> None:
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")


def compressed(connection: socket.socket, _: Received) -> None:
    send(connection, 202, b"\x1f\x8b\x08\x00", {"content-encoding": "gzip"})


def nested_json(connection: socket.socket, _: Received) -> None:
    send(connection, 202, b"[" * 500_000)


@pytest.mark.parametrize(
    "reply",
    [
        hang,
        hang_up_without_reply,
        hang_up_in_the_body,
        drip_body,
        drip_headers,
        endless_body,
        compressed,
        nested_json,
        lambda connection, _: send(connection, 200, b"<p>Welcome", content_type="text/html"),
        lambda connection, _: send(connection, 202),
        lambda connection, _: send(connection, 202, b"\xff\xfe\x00"),
        lambda connection, _: send(connection, 202, b'{"success": NaN}'),
        lambda connection, _: send_json(connection, 202, {"accepted": "yes"}),
        lambda connection, _: send_json(connection, 202, {"success": "true"}),
        lambda connection, _: send_json(connection, 200, None),
        lambda connection, _: send_json(connection, 999, {"success": True}),
    ],
)
def test_with_a_broken_backend_a_call_is_false_within_its_deadline(
    reply: Reply, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend(reply)
    bot = start_bot(backend_url=backend.url, **SHORT)
    started_at = time.monotonic()
    assert bot.emit("appointment_created", ID) is False
    assert time.monotonic() - started_at < 1.5
    [line] = bot.lines
    assert (line["level"], line["message"]) == ("error", "Failed to emit socket event")
    assert line["reason"] in ("HTTP error", "network error", "timeout")
    # All attempts are the same request.
    assert len(backend.keys()) == 1


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        continue


def switch_protocols(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    silent(connection)


@pytest.mark.parametrize(
    "serve",
    [reset, silent, switch_protocols, lambda connection: connection.sendall(b"220 mail ready\r\n")],
)
def test_with_a_server_that_does_not_speak_http_a_call_is_false_within_its_deadline(
    serve: Callable[[socket.socket], None], start_bot: StartBot
) -> None:
    server = TcpServer(serve)
    bot = start_bot(backend_url=server.url, **SHORT)
    started_at = time.monotonic()
    assert bot.emit("appointment_created", ID) is False
    assert time.monotonic() - started_at < 1.5
    assert len(bot.lines) == 1
    server.close()


@pytest.mark.parametrize(
    "url", [absent_url(), "http://backend.invalid", "https://127.0.0.1:1", "http://[::1]:1"]
)
def test_with_an_address_without_a_server_a_call_is_false(url: str, start_bot: StartBot) -> None:
    bot = start_bot(backend_url=url, **SHORT)
    assert bot.emit("appointment_created", ID) is False
    assert len(bot.lines) == 1


def test_a_redirect_is_not_followed_because_the_key_is_meant_for_one_host(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    other = start_backend()
    backend = start_backend(status(307, {"location": other.url}))
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("appointment_created", ID) is False
    assert other.received == []
    assert (bot.lines[0]["status"], bot.lines[0]["attempts"]) == (307, 1)


def test_proxies_and_netrc_of_the_environment_are_ignored(
    start_backend: StartBackend, start_bot: StartBot, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("default login someone password secret")
    monkeypatch.setenv("HTTP_PROXY", absent_url())
    monkeypatch.setenv("NETRC", netrc)
    backend = start_backend()
    assert start_bot(backend_url=backend.url).emit("appointment_created", ID) is True
    assert "authorization" not in backend.received[0].headers


def test_the_deadline_allows_a_reply_that_takes_a_second(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    def slow(connection: socket.socket, request: Received) -> None:
        time.sleep(1)
        accept(connection, request)

    bot = start_bot(backend_url=start_backend(slow).url)
    assert bot.emit("appointment_created", ID) is True


def test_the_deadline_is_two_seconds_by_default(start_backend: StartBackend, start_bot: StartBot) -> None:
    bot = start_bot(backend_url=start_backend(hang).url)
    started_at = time.monotonic()
    assert bot.emit("appointment_created", ID) is False
    assert 1.5 < time.monotonic() - started_at < 3
    assert bot.lines[0]["reason"] == "timeout"
    assert "may have been accepted" in bot.lines[0]["error"]


def test_after_the_deadline_the_connections_are_closed_and_nothing_is_sent(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    closed: list[bool] = []

    def hang_until_closed(connection: socket.socket, _: Received) -> None:
        while connection.recv(1):
            continue
        closed.append(True)

    backend = start_backend(hang_until_closed)
    bot = start_bot(backend_url=backend.url, deadline_ms=100, attempt_timeout_ms=40)
    assert bot.emit("appointment_created", ID) is False
    sent = len(backend.received)

    def are_closed() -> bool:
        # An event loop closes connections only while it runs.
        bot.emit("batch", [])
        return len(closed) == backend.connections

    eventually("the connections to be closed", are_closed)
    assert len(backend.received) == sent


def test_the_deadline_applies_to_two_hundred_concurrent_calls_and_the_next_call_is_accepted(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    healthy = threading.Event()

    def hang_first(connection: socket.socket, request: Received) -> None:
        if healthy.is_set():
            accept(connection, request)

    backend = start_backend(hang_first)
    bot = start_bot(backend_url=backend.url, deadline_ms=500, failures_to_open=10_000)
    started_at = time.monotonic()
    assert not any(bot.emit_many("appointment_created", ID, 200))
    assert time.monotonic() - started_at < 4
    healthy.set()
    eventually("an accepted emission", lambda: bot.emit("appointment_created", ID))


def test_one_connection_serves_many_calls(start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    assert all(bot.emit("appointment_updated", ID) for _ in range(10))
    assert backend.connections == 1


def test_two_hundred_concurrent_calls_are_accepted(start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url, deadline_ms=10_000, attempt_timeout_ms=10_000)
    assert all(bot.emit_many("appointment_updated", ID, 200))
    assert len(backend.keys()) == 200


def test_if_the_backend_closed_an_idle_connection_the_emission_is_accepted_without_a_retry(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    """A server may close a connection while the next request is on its way."""

    def close_at_the_second_request(connection: socket.socket, request: Received) -> None:
        if connection in served:
            hang_up(connection)
        else:
            served.add(connection)
            accept(connection, request)

    served: set[socket.socket] = set()
    backend = start_backend(close_at_the_second_request)
    bot = start_bot(backend_url=backend.url, max_attempts=1)
    assert [bot.emit("appointment_updated", ID) for _ in range(5)] == [True] * 5
    assert backend.connections == 5


@pytest.mark.parametrize("fault", [500, 502, 503, 429, 409, None])
def test_a_temporary_failure_is_retried_with_the_same_key(
    fault: int | None, start_backend: StartBackend, start_bot: StartBot
) -> None:
    reply = hang_up_without_reply if fault is None else status(fault)
    backend = start_backend(first(reply, reply))
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("appointment_created", ID) is True
    assert [line["attempts"] for line in bot.lines] == [3]
    assert len(backend.keys()) == 1


def test_each_call_has_its_own_key(start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend()
    assert all(start_bot(backend_url=backend.url).emit_many("appointment_created", ID, 3))
    assert len(backend.keys()) == 3


def test_a_call_makes_at_most_four_attempts(start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend(status(503))
    bot = start_bot(backend_url=backend.url, failures_to_open=100)
    assert bot.emit("appointment_created", ID) is False
    assert len(backend.received) == 4
    assert [(line["reason"], line["status"], line["attempts"]) for line in bot.lines] == [
        ("HTTP error", 503, 4)
    ]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 415, 422])
def test_a_refusal_is_not_retried(code: int, start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend(status(code))
    assert start_bot(backend_url=backend.url).emit("appointment_created", ID) is False
    assert len(backend.received) == 1


@pytest.mark.parametrize("code", [429, 503, 409])
def test_retry_after_is_respected_if_the_deadline_allows(
    code: int, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend(first(status(code, {"retry-after": "1"})))
    bot = start_bot(backend_url=backend.url)
    started_at = time.monotonic()
    assert bot.emit("appointment_created", ID) is True
    assert time.monotonic() - started_at >= 0.99


@pytest.mark.parametrize("value", ["30", "999999999", "Fri, 01 Jan 2100 10:00:00 GMT"])
def test_retry_after_the_deadline_ends_the_call_at_once(
    value: str, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend(status(429, {"retry-after": value}))
    bot = start_bot(backend_url=backend.url)
    started_at = time.monotonic()
    assert bot.emit("appointment_created", ID) is False
    assert time.monotonic() - started_at < 1.5
    assert len(backend.received) == 1


@pytest.mark.parametrize(
    "value", ["soon", "", "-5", "NaN", "0x10", "1e3", "\u0663", "Tue, 30 Feb 2099 10:00:00 GMT", "2099-01-01"]
)
def test_an_invalid_retry_after_is_ignored(
    value: str, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend(first(status(503, {"retry-after": value})))
    assert start_bot(backend_url=backend.url).emit("appointment_created", ID) is True


def test_after_five_failures_no_request_is_sent_and_calls_share_one_log_line(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend(status(503))
    bot = start_bot(backend_url=backend.url, cool_down_ms=60_000)
    assert not any(bot.emit("appointment_created", ID) for _ in range(3))
    assert len(backend.received) == 5
    assert not any(bot.emit_many("appointment_created", ID, 50))
    assert len(backend.received) == 5
    open_lines = [line for line in bot.lines if line["reason"].startswith("circuit open")]
    assert [line["notTried"] for line in open_lines] == [1]


def test_after_the_cool_down_one_probe_is_sent_and_its_success_closes_the_circuit(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    healthy = threading.Event()

    def reply(connection: socket.socket, request: Received) -> None:
        (accept if healthy.is_set() else status(503))(connection, request)

    backend = start_backend(reply)
    bot = start_bot(backend_url=backend.url, cool_down_ms=40)
    assert not any(bot.emit("appointment_created", ID) for _ in range(2))
    assert len(backend.received) == 5

    def is_probed() -> bool:
        bot.emit_many("appointment_created", ID, 2)
        return len(backend.received) > 5

    eventually("a probe", is_probed)
    # The probe failed, so the circuit is open again.
    assert len(backend.received) == 6
    healthy.set()
    eventually("an accepted emission", lambda: bot.emit("appointment_created", ID))
    assert bot.emit("appointment_created", ID) is True


@pytest.mark.parametrize("code", [400, 401, 404, 429])
def test_a_refusal_keeps_the_circuit_closed(
    code: int, start_backend: StartBackend, start_bot: StartBot
) -> None:
    replies = [status(code, {"retry-after": "30"})] * 20
    bot = start_bot(backend_url=start_backend(first(*replies)).url, cool_down_ms=60_000)
    assert not any(bot.emit("appointment_created", ID) for _ in range(20))
    assert bot.emit("appointment_created", ID) is True


def test_close_waits_for_running_calls(start_backend: StartBackend, start_bot: StartBot) -> None:
    def slow(connection: socket.socket, request: Received) -> None:
        time.sleep(0.1)
        accept(connection, request)

    backend = start_backend(slow)
    bot = start_bot(backend_url=backend.url)
    bot.start("appointment_created", ID)
    # An event loop sends only while it runs: the empty batch runs it.
    eventually("the request", lambda: bot.emit("batch", []) and len(backend.received) == 1)
    bot.close()
    assert [line["message"] for line in bot.lines] == [
        "Successfully emitted appointment:created socket event"
    ]
