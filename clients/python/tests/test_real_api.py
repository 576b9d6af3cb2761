"""
Against a real API with Redis, MongoDB and a worker. test/clients/python.test.ts of the repository starts them, sets
EMISSIONS_WORLD, and does to them what `control` requests.
"""

from __future__ import annotations

import json
import os
from typing import Any

import httpx
import pytest
from conftest import StartBot
from servers import eventually

WORLD: dict[str, Any] = json.loads(os.environ.get("EMISSIONS_WORLD", "{}"))
pytestmark = pytest.mark.skipif(not WORLD, reason="EMISSIONS_WORLD is not set")
UNKNOWN = "0123456789abcdef01234567"
PATIENT = {"deadline_ms": 10_000, "attempt_timeout_ms": 5_000}


def control(action: str) -> None:
    httpx.post(f"{WORLD['control']}/{action}", timeout=60, trust_env=False).raise_for_status()


def start(start_bot: StartBot, **options: Any) -> Any:
    return start_bot(**{"backend_url": WORLD["url"], "api_key": WORLD["key"], **PATIENT, **options})


@pytest.mark.parametrize("event", ["created", "updated", "canceled"])
def test_an_emission_is_accepted(event: str, start_bot: StartBot) -> None:
    bot = start(start_bot)
    assert bot.emit(f"appointment_{event}", WORLD["appointments"][0]) is True
    assert bot.lines[0]["emissionId"]


def test_a_batch_is_accepted(start_bot: StartBot) -> None:
    emissions = [{"event": "appointment:updated", "appointment_id": id} for id in WORLD["appointments"]]
    assert start(start_bot).emit("batch", emissions) is True


def test_a_deletion_is_accepted(start_bot: StartBot) -> None:
    assert start(start_bot).emit("appointment_deleted", UNKNOWN, WORLD["company"]) is True


def test_an_unknown_appointment_is_refused(start_bot: StartBot) -> None:
    bot = start(start_bot)
    assert bot.emit("appointment_created", UNKNOWN) is False
    assert (bot.lines[0]["status"], bot.lines[0]["attempts"]) == (404, 1)
    assert json.loads(bot.lines[0]["body"])["code"] == "APPOINTMENT_NOT_FOUND"
    emissions = [{"event": "appointment:created", "appointment_id": UNKNOWN}]
    assert bot.emit("batch", emissions) is False
    assert bot.lines[1]["rejected"] == [{"index": 0, "status": 404, "code": "APPOINTMENT_NOT_FOUND"}]


def test_a_wrong_key_is_refused(start_bot: StartBot) -> None:
    bot = start(start_bot, api_key="wrong-key-0123456789abcdef0123456789")
    assert bot.emit("appointment_created", WORLD["appointments"][0]) is False
    assert bot.lines[0]["status"] == 403


def test_above_the_rate_limit_a_call_is_false_at_once(start_bot: StartBot) -> None:
    # Retry-After is longer than this deadline.
    bot = start(start_bot, backend_url=WORLD["limited"], deadline_ms=900)
    eventually("a refusal", lambda: not bot.emit("appointment_updated", WORLD["appointments"][0]))
    assert (bot.lines[-1]["status"], bot.lines[-1]["reason"]) == (429, "HTTP error")


def test_twenty_concurrent_calls_are_accepted(start_bot: StartBot) -> None:
    assert all(start(start_bot).emit_many("appointment_updated", WORLD["appointments"][0], 20))


def test_while_the_api_is_frozen_a_call_is_false_within_its_deadline(start_bot: StartBot) -> None:
    bot = start(start_bot, deadline_ms=300, attempt_timeout_ms=120)
    control("freeze")
    try:
        assert bot.emit("appointment_created", WORLD["appointments"][0]) is False
        assert bot.lines[0]["reason"] == "timeout"
    finally:
        control("thaw")
    eventually("an accepted emission", lambda: bot.emit("appointment_created", WORLD["appointments"][0]))


def test_a_killed_api_costs_one_false_and_a_new_one_needs_the_new_key(start_bot: StartBot) -> None:
    bot = start(start_bot, cool_down_ms=50)
    rotating = start(start_bot, cool_down_ms=50, api_key=f"{WORLD['new_key']},{WORLD['key']}")
    control("kill")
    assert bot.emit("appointment_created", WORLD["appointments"][0]) is False
    assert bot.lines[0]["reason"] == "network error"
    control("start-with-new-key")
    eventually("an accepted emission", lambda: rotating.emit("appointment_created", WORLD["appointments"][0]))
    assert bot.emit("appointment_created", WORLD["appointments"][0]) is False
    assert bot.lines[-1]["status"] == 403
    control("kill")
    control("start")
