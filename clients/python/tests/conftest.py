from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bots import AsyncioBot, BlockingBot, Bot, LogLine
from servers import Backend, Reply, accept

KEY = "bot-test-key-0123456789abcdef0123456789"

StartBackend = Callable[..., Backend]
StartBot = Callable[..., Bot]


@pytest.fixture
def start_backend() -> Iterator[StartBackend]:
    started: list[Backend] = []

    def start(reply: Reply = accept) -> Backend:
        started.append(Backend(reply))
        return started[-1]

    yield start
    for backend in started:
        backend.close()


@pytest.fixture(params=[BlockingBot, AsyncioBot], ids=["blocking", "asyncio"])
def start_bot(request: pytest.FixtureRequest) -> Iterator[StartBot]:
    """Starts a bot with short delays. Each test runs with both forms of the functions."""
    started: list[Bot] = []

    def start(**options: Any) -> Bot:
        lines: list[LogLine] = []
        given = {"api_key": KEY, "first_retry_delay_ms": 5, "max_retry_delay_ms": 10, **options}
        given.setdefault(
            "logger",
            lambda level, message, fields: lines.append({"level": level, "message": message, **fields}),
        )
        started.append(request.param(given, lines))
        return started[-1]

    yield start
    for bot in started:
        bot.close()
