"""The blocking functions and those for asyncio behind one interface."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from appointment_emissions import AsyncRealtimeAppointments, RealtimeAppointments

LogLine = dict[str, Any]


class Bot(Protocol):
    lines: list[LogLine]

    def emit(self, name: str, *args: object) -> bool:
        """Calls `emit_<name>`."""
        ...

    def emit_many(self, name: str, args: object, count: int) -> list[bool]:
        """Makes this number of calls at the same time."""
        ...

    def start(self, name: str, *args: object) -> None:
        """Starts a call, and does not wait for it."""
        ...

    def close_client(self) -> None: ...

    def close(self) -> None: ...


class BlockingBot:
    def __init__(self, options: dict[str, Any], lines: list[LogLine]) -> None:
        self.lines = lines
        self.client = RealtimeAppointments(**options)
        self._threads: list[threading.Thread] = []

    def emit(self, name: str, *args: object) -> bool:
        result: bool = getattr(self.client, f"emit_{name}")(*args)
        return result

    def emit_many(self, name: str, args: object, count: int) -> list[bool]:
        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(lambda _: self.emit(name, args), range(count)))

    def start(self, name: str, *args: object) -> None:
        thread = threading.Thread(target=self.emit, args=(name, *args))
        thread.start()
        self._threads.append(thread)

    def close_client(self) -> None:
        self.client.close()

    def close(self) -> None:
        self.client.close()
        for thread in self._threads:
            thread.join()


class AsyncioBot:
    def __init__(self, options: dict[str, Any], lines: list[LogLine]) -> None:
        self.lines = lines
        self.client = AsyncRealtimeAppointments(**options)
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[bool]] = []

    def emit(self, name: str, *args: object) -> bool:
        return self._loop.run_until_complete(self._call(name, *args))

    def emit_many(self, name: str, args: object, count: int) -> list[bool]:
        async def gather() -> list[bool]:
            return await asyncio.gather(*(self._call(name, args) for _ in range(count)))

        return self._loop.run_until_complete(gather())

    def start(self, name: str, *args: object) -> None:
        self._tasks.append(self._loop.create_task(self._call(name, *args)))

    def close_client(self) -> None:
        self._loop.run_until_complete(self.client.aclose())

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self.close_client()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _call(self, name: str, *args: object) -> bool:
        result: bool = await getattr(self.client, f"emit_{name}")(*args)
        return result
