from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import KEY, StartBackend, StartBot
from servers import COMPANY, ID, absent_url, send_json


class ObjectId:
    """Like that of bson."""

    def __str__(self) -> str:
        return ID


@pytest.mark.parametrize("event", ["created", "updated", "canceled"])
def test_an_event_is_posted_with_id_and_key_and_is_logged(
    event: str, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    assert bot.emit(f"appointment_{event}", ID) is True
    [request] = backend.received
    assert request.path == f"/api/v1/internal/socket/appointment-{event}"
    assert request.body == {"appointmentId": ID}
    assert request.headers["x-api-key"] == KEY
    assert request.headers["content-type"] == "application/json"
    [line] = bot.lines
    assert line.pop("tookMs") >= 0
    assert line == {
        "level": "info",
        "message": f"Successfully emitted appointment:{event} socket event",
        "event": f"appointment:{event}",
        "appointmentId": ID,
        "emissionId": "e1",
        "via": "http",
        "attempts": 1,
    }


@pytest.mark.parametrize("given", [ID.upper(), ObjectId(), {"_id": ID}, {"_id": ObjectId(), "notes": "Rex"}])
def test_an_id_is_a_string_an_object_id_or_a_document(
    given: object, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    assert start_bot(backend_url=backend.url).emit("appointment_created", given)
    assert [request.body for request in backend.received] == [{"appointmentId": ID}]


def test_a_deletion_is_posted_with_the_id_of_its_company(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    assert start_bot(backend_url=backend.url).emit("appointment_deleted", {"_id": ID}, {"_id": COMPANY})
    [request] = backend.received
    assert request.path == "/api/v1/internal/socket/appointment-deleted"
    assert request.body == {"appointmentId": ID, "companyId": COMPANY}


def test_a_path_in_backend_url_is_kept(start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=f"{backend.url}/behind/proxy/".replace("http://", ""))
    assert bot.emit("appointment_created", ID)
    assert backend.received[0].path == "/behind/proxy/api/v1/internal/socket/appointment-created"


def test_a_batch_is_posted_in_requests_of_a_thousand(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    emissions = ({"event": "appointment:updated", "appointment_id": ID} for _ in range(2_500))
    assert bot.emit("batch", emissions)
    assert sorted(len(request.body["emissions"]) for request in backend.received) == [500, 1_000, 1_000]
    assert {line["message"] for line in bot.lines} == {
        "Successfully emitted appointment:updated socket event"
    }
    assert sorted(line["batch"] for line in bot.lines) == [500, 1_000, 1_000]


def test_an_invalid_item_of_a_batch_does_not_affect_the_others(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    emissions = [
        {"event": "appointment:moved", "appointment_id": ID},
        {"event": "appointment:created", "appointment_id": ID},
        {"event": "appointment:deleted", "appointment_id": ID},
        None,
    ]
    assert bot.emit("batch", emissions) is False
    assert [request.body for request in backend.received] == [
        {"emissions": [{"event": "appointment:created", "appointmentId": ID}]}
    ]
    assert bot.lines[0]["problems"] == [
        {"index": 0, "problem": "event is not an appointment event"},
        {"index": 2, "problem": "no companyId was given"},
        {"index": 3, "problem": "event is not an appointment event"},
    ]


def test_an_empty_batch_is_true_and_sends_nothing(start_backend: StartBackend, start_bot: StartBot) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("batch", []) is True
    assert (backend.received, bot.lines) == ([], [])


def test_a_batch_with_a_rejected_item_is_false_and_names_it(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    results = [{"index": 0, "status": 404, "code": "APPOINTMENT_NOT_FOUND"}]
    body = {"success": True, "accepted": 0, "rejected": 1, "results": results}
    backend = start_backend(lambda connection, _: send_json(connection, 202, body))
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("batch", [{"event": "appointment:created", "appointment_id": ID}]) is False
    assert (bot.lines[0]["reason"], bot.lines[0]["rejected"]) == ("HTTP error", results)


class Hostile(dict[str, object]):
    def get(self, *_: object) -> object:
        raise RuntimeError("hostile")

    def __str__(self) -> str:
        raise RuntimeError("hostile")

    def __eq__(self, _: object) -> bool:
        raise RuntimeError("hostile")

    __hash__ = None


class HostileList(list[object]):
    def __iter__(self) -> Iterator[object]:
        raise RuntimeError("hostile")


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "salon",
        f"{ID}\n",
        ID[:-1],
        7,
        1.5,
        True,
        b"x" * 12,
        [],
        {},
        {"_id": None},
        object(),
        Hostile(),
    ],
)
def test_an_id_that_is_not_one_is_false_and_an_error_without_its_content(
    given: object, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("appointment_created", given) is False
    assert backend.received == []
    [line] = bot.lines
    assert (line["level"], line["message"]) == ("error", "Failed to emit socket event")
    assert "appointmentId" in line["reason"]
    assert "salon" not in line["reason"]


@pytest.mark.parametrize(
    "given", [None, 7, "text", b"bytes", {"a": 1}, HostileList(), [Hostile()], [[]], [7]]
)
def test_a_batch_of_anything_is_false_and_an_error(
    given: object, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("batch", given) is False
    assert backend.received == []
    assert [line["reason"] for line in bot.lines] == ["invalid emissions in the batch"]


@pytest.mark.parametrize(
    ("options", "level", "reason"),
    [
        ({"api_key": None}, "warn", "INTERNAL_SERVICE_API_KEY is not set"),
        ({"api_key": " , "}, "warn", "INTERNAL_SERVICE_API_KEY is not set"),
        ({"api_key": '"quoted"'}, "error", "INTERNAL_SERVICE_API_KEY is enclosed in quotes"),
        ({"api_key": "two words"}, "error", "INTERNAL_SERVICE_API_KEY is enclosed in quotes"),
        ({"api_key": "new\nline"}, "error", "INTERNAL_SERVICE_API_KEY is enclosed in quotes"),
        ({"backend_url": "not an address"}, "error", "BACKEND_API_URL is not an http(s) address"),
        ({"backend_url": "ftp://files"}, "error", "BACKEND_API_URL is not an http(s) address"),
        ({"backend_url": "http://"}, "error", "BACKEND_API_URL is not an http(s) address"),
        ({"backend_url": "http://host:99999"}, "error", "BACKEND_API_URL is not an http(s) address"),
    ],
)
def test_with_unusable_settings_every_call_is_false_and_logs_why(
    options: dict[str, object], level: str, reason: str, start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(**{"backend_url": backend.url, **options})
    assert bot.emit("appointment_created", ID) is False
    assert bot.emit("batch", [{"event": "appointment:created", "appointment_id": ID}]) is False
    assert backend.received == []
    assert [line["level"] for line in bot.lines] == [level, level]
    assert bot.lines[0]["reason"].startswith(reason)


def test_while_keys_are_rotated_the_first_one_is_used(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    assert start_bot(backend_url=backend.url, api_key=f" , {KEY},old").emit("appointment_created", ID)
    assert backend.received[0].headers["x-api-key"] == KEY


def test_an_invalid_number_is_replaced_by_the_default(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    wrong = [0, -1, float("nan"), float("inf"), True, "2000"]
    for value in wrong:
        bot = start_bot(
            backend_url=backend.url, deadline_ms=value, max_attempts=value, failures_to_open=value
        )
        assert bot.emit("appointment_created", ID) is True


def test_after_close_every_call_is_false_and_a_warning(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend()
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("appointment_created", ID) is True
    bot.close_client()
    bot.close_client()
    assert bot.emit("appointment_created", ID) is False
    assert (bot.lines[-1]["level"], bot.lines[-1]["reason"]) == ("warn", "closed")
    assert len(backend.received) == 1


def test_a_network_error_is_logged_with_code_and_stack(start_bot: StartBot) -> None:
    bot = start_bot(backend_url=absent_url())
    assert bot.emit("appointment_created", ID) is False
    [line] = bot.lines
    assert (line["level"], line["reason"], line["code"]) == ("error", "network error", "ECONNREFUSED")
    assert "ConnectError" in line["stack"]
    assert line["error"] != ""


def test_a_reply_that_contains_the_key_is_logged_without_it(
    start_backend: StartBackend, start_bot: StartBot
) -> None:
    backend = start_backend(
        lambda connection, request: send_json(connection, 400, {"echo": dict(request.headers)})
    )
    bot = start_bot(backend_url=backend.url)
    assert bot.emit("appointment_created", ID) is False
    logged = json.dumps(bot.lines)
    assert "[key]" in logged
    assert KEY not in logged
