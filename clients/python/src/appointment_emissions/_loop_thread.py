from __future__ import annotations

import asyncio
import threading
import weakref
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
    read has a limit for each piece of a reply, but not for all of it. It ends with `close`, and if this object is dropped.
    """

    def __init__(self, connect: Callable[[], Backend]) -> None:
        self._backend = connect()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_run, args=(self._loop,), name="appointment-emissions", daemon=True
        )
        self._thread.start()
        self._stop = weakref.finalize(self, _stop, self._loop, self._backend)
        # A function that runs at exit may still emit.
        self._stop.atexit = False

    def start(self, work: Callable[[Backend], Coroutine[Any, Any, T]]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work(self._backend), self._loop)

    def close(self) -> None:
        self._stop()
        self._thread.join(CLOSE_WITHIN_S)

    def abandon(self) -> None:
        """
        For a forked process, which has no such thread. It keeps the loop and its connections: they are those of the parent
        process, and would be closed there too.
        """
        self._stop.detach()
        _abandoned.append(self)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop, backend: Backend) -> None:
    """Returns at once: the garbage collector may call it in any thread."""
    asyncio.run_coroutine_threadsafe(_end_and_stop(loop, backend), loop)


async def _end_and_stop(loop: asyncio.AbstractEventLoop, backend: Backend) -> None:
    try:
        await _end(backend)
    finally:
        loop.stop()


async def _end(backend: Backend) -> None:
    """Closes the connections. Cancelled attempts may still be closing theirs."""
    await backend.aclose()
    closing = asyncio.all_tasks() - {asyncio.current_task()}
    if closing:
        await asyncio.wait(closing, timeout=CLOSE_WITHIN_S / 2)
