from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from ._delivery import Backend

T = TypeVar("T")

CLOSE_WITHIN_S = 1
_abandoned: list[LoopThread] = []


class LoopThread:
    """
    A thread with an event loop and the connections of a backend, so that blocking calls have exact time limits: a blocking
    read has a limit for each piece of a reply, but not for all of it.
    """

    def __init__(self, connect: Callable[[], Backend]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="appointment-emissions", daemon=True
        )
        self._thread.start()
        self._backend = connect()

    def start(self, work: Callable[[Backend], Coroutine[Any, Any, T]]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work(self._backend), self._loop)

    def close(self) -> None:
        self.start(_end).result(CLOSE_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_WITHIN_S)
        if not self._thread.is_alive():
            self._loop.close()

    def abandon(self) -> None:
        """
        For a forked process, which has no such thread. It keeps the loop and its connections: they are those of the parent
        process, and would be closed there too.
        """
        _abandoned.append(self)


async def _end(backend: Backend) -> None:
    """Closes the connections. Cancelled attempts may still be closing theirs."""
    await backend.aclose()
    closing = asyncio.all_tasks() - {asyncio.current_task()}
    if closing:
        await asyncio.wait(closing, timeout=CLOSE_WITHIN_S / 2)
