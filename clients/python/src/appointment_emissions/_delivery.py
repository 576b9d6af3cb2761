from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from ._attempt_result import Answered, AttemptResult, NotTried, Unanswered, timed_out
from ._circuit_breaker import CircuitBreaker
from ._delivery_request import DeliveryRequest
from ._http_transport import HttpTransport
from ._options import Settings

T = TypeVar("T")

MIN_ATTEMPT_MS = 20
"""With less time left, no attempt is started."""


@dataclass(frozen=True)
class Delivery:
    """How a request ended."""

    result: AttemptResult
    attempts: int
    took_ms: float


class Backend:
    """
    Delivers requests to the API: attempts with backoff. Use it in one event loop only.

    | mechanism       | covers                                                                   |
    | --------------- | ------------------------------------------------------------------------ |
    | retries         | short faults: a restart, a lost connection, an exhausted connection pool |
    | circuit breaker | a long outage                                                            |
    | idempotency key | a lost reply: all attempts of a request are the same emission            |

    The sweep of the backend covers all other cases, such as a bot that crashes before its call.
    """

    def __init__(self, backend_url: str, api_key: str, settings: Settings, breaker: CircuitBreaker) -> None:
        self._settings = settings
        self._breaker = breaker
        self._http = HttpTransport(backend_url, api_key)

    async def deliver(self, request: DeliveryRequest) -> Delivery:
        """Returns within the deadline of a call. Raises nothing but CancelledError."""
        started_at = time.monotonic()
        limit_ms = self._settings.deadline_ms
        try:
            result, attempts = await within(limit_ms, self._attempts(request, started_at + limit_ms / 1_000))
        except TimeLimitError:
            result, attempts = timed_out(limit_ms), 1
        return Delivery(result, attempts, (time.monotonic() - started_at) * 1_000)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _attempts(self, request: DeliveryRequest, ends_at: float) -> tuple[AttemptResult, int]:
        result: AttemptResult = NotTried()
        attempts = 0
        while attempts < self._settings.max_attempts:
            left_ms = (ends_at - time.monotonic()) * 1_000
            if left_ms < MIN_ATTEMPT_MS:
                break
            attempted = await self._attempt(request, min(left_ms, self._settings.attempt_timeout_ms))
            if isinstance(attempted, NotTried):
                break
            result = attempted
            attempts += 1
            if isinstance(result, Answered) and result.outcome in ("accepted", "refused"):
                break
            if attempts == self._settings.max_attempts or not self._breaker.is_ready():
                break
            wait_s = self._retry_delay_ms(result, attempts) / 1_000
            if time.monotonic() + wait_s >= ends_at:
                break
            await asyncio.sleep(wait_s)
        return result, attempts

    async def _attempt(self, request: DeliveryRequest, limit_ms: float) -> AttemptResult:
        attempt = self._breaker.enter()
        if attempt is None:
            return NotTried()
        # If this call is cancelled, the attempt counts as failed: otherwise the breaker would wait for its probe forever.
        is_failure = True
        try:
            sending = self._http.post(request.path, request.body, request.idempotency_key)
            answered = request.classify(await within(limit_ms, sending))
            is_failure = answered.outcome == "unavailable"
            return answered
        except TimeLimitError:
            return timed_out(limit_ms)
        except Exception as error:
            return Unanswered(error)
        finally:
            attempt.ended(is_failure=is_failure)

    def _retry_delay_ms(self, result: AttemptResult, attempts: int) -> float:
        """The backend's `Retry-After`, plus exponential backoff with full jitter, which spreads the retries of many bots."""
        retry_after_ms = result.answer.retry_after_ms if isinstance(result, Answered) else 0
        doubled_ms = self._settings.first_retry_delay_ms * 2 ** min(attempts - 1, 30)
        return retry_after_ms + random.uniform(0, min(self._settings.max_retry_delay_ms, doubled_ms))


class TimeLimitError(Exception):
    pass


async def within(limit_ms: float, work: Coroutine[Any, Any, T]) -> T:
    """
    Returns the result of the work. Raises TimeLimitError after the limit, even if the work does not end when it is cancelled:
    `asyncio.wait_for` would wait for it.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=limit_ms / 1_000)
        if not task.done():
            raise TimeLimitError
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(_ignore_result)


def _ignore_result(task: asyncio.Future[Any]) -> None:
    """Python reports an exception that was never read."""
    if not task.cancelled():
        task.exception()
