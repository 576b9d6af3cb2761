from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

CONFLICT = 409
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class Answer:
    """Reply to one attempt."""

    status: int
    body: object
    """Parsed JSON; None if the body is not JSON."""
    text: str
    """The body as received. For the log, which redacts it and then cuts it."""
    retry_after_ms: float = 0


@dataclass(frozen=True)
class Answered:
    """
    An attempt with a reply.

    - accepted: the emission is in the queue
    - refused: a repetition would be refused too
    - postponed: 409 or 429, so the request may be accepted later
    - unavailable: 5xx, or a reply that is not from our backend
    """

    outcome: Literal["accepted", "refused", "postponed", "unavailable"]
    answer: Answer


@dataclass(frozen=True)
class Unanswered:
    """No reply: network error or timeout. The emission may have been accepted."""

    error: BaseException
    timed_out: bool = False


@dataclass(frozen=True)
class NotTried:
    """The circuit breaker is open, so nothing was sent."""


AttemptResult = Answered | Unanswered | NotTried
ClassifyReply = Callable[[Answer], Answered]


def timed_out(limit_ms: float) -> Unanswered:
    """The result of an attempt, or of a whole call, without a reply within `limit_ms`."""
    error = TimeoutError(f"no reply within {round(limit_ms)} ms; it may have been accepted")
    return Unanswered(error, timed_out=True)


def classify_single_reply(answer: Answer) -> Answered:
    if 200 <= answer.status < 300 and isinstance(answer.body, dict) and answer.body.get("success") is True:
        return Answered("accepted", answer)
    if answer.status in (CONFLICT, TOO_MANY_REQUESTS):
        return Answered("postponed", answer)
    if 300 <= answer.status < 500:
        return Answered("refused", answer)
    # 5xx, or a 2xx with a foreign body, such as the page of a proxy.
    return Answered("unavailable", answer)


def classify_batch_reply(answer: Answer) -> Answered:
    """A batch is accepted if every item is. If an item may be accepted later, the batch is sent again with the same key."""
    result = classify_single_reply(answer)
    rejected = rejected_items(answer.body)
    if result.outcome != "accepted" or not rejected:
        return result
    is_temporary = any(item["status"] >= 500 or item["status"] == TOO_MANY_REQUESTS for item in rejected)
    return Answered("postponed" if is_temporary else "refused", answer)


def rejected_items(body: object) -> list[dict[str, Any]]:
    """The rejected items of a batch reply, with `index`, `status` and `code`. Empty for any other body."""
    results = body.get("results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        return []
    return [
        item
        for item in results
        if isinstance(item, dict)
        and _is_number(item.get("index"))
        and _is_number(item.get("status"))
        and item["status"] >= 300
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
