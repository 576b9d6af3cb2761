from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from types import TracebackType

from ._batch import (
    APPOINTMENT_CANCELED,
    APPOINTMENT_CREATED,
    APPOINTMENT_DELETED,
    APPOINTMENT_UPDATED,
    BatchEmission,
)
from ._calls import Calls, MakePlan, Plan
from ._client import deliver_all
from ._delivery import Backend
from ._message_flow import MessageFlowLogger
from ._options import to_settings


class AsyncRealtimeAppointments:
    """
    RealtimeAppointments for asyncio, with the same options.

    Every call returns within the deadline, and raises nothing but CancelledError. If its caller is cancelled, for example by
    `asyncio.wait_for`, the emission continues in the background. An object may be used in several event loops.

    Example:
        async with AsyncRealtimeAppointments(api_key=config.key) as bot:
            accepted = await bot.emit_appointment_created(appointment["_id"])
    """

    def __init__(
        self,
        *,
        backend_url: str | None = None,
        api_key: str | None = None,
        logger: MessageFlowLogger | None = None,
        log_dir: str | None = None,
        deadline_ms: float | None = None,
        attempt_timeout_ms: float | None = None,
        max_attempts: float | None = None,
        first_retry_delay_ms: float | None = None,
        max_retry_delay_ms: float | None = None,
        failures_to_open: float | None = None,
        cool_down_ms: float | None = None,
    ) -> None:
        """See RealtimeAppointments."""
        settings = to_settings(
            backend_url,
            api_key,
            log_dir,
            deadline_ms,
            attempt_timeout_ms,
            max_attempts,
            first_retry_delay_ms,
            max_retry_delay_ms,
            failures_to_open,
            cool_down_ms,
        )
        self._calls = Calls(settings, logger)
        self._backends: dict[asyncio.AbstractEventLoop, Backend] = {}
        self._tasks: set[asyncio.Task[bool]] = set()

    async def emit_appointment_created(self, appointment_id: object) -> bool:
        """`appointment_id`: a string of 24 hexadecimal characters, an ObjectId, or the document with its `_id`."""
        return await self._start(lambda: self._calls.plan_one(APPOINTMENT_CREATED, appointment_id))

    async def emit_appointment_updated(self, appointment_id: object) -> bool:
        """See emit_appointment_created."""
        return await self._start(lambda: self._calls.plan_one(APPOINTMENT_UPDATED, appointment_id))

    async def emit_appointment_canceled(self, appointment_id: object) -> bool:
        """See emit_appointment_created."""
        return await self._start(lambda: self._calls.plan_one(APPOINTMENT_CANCELED, appointment_id))

    async def emit_appointment_deleted(self, appointment_id: object, company_id: object) -> bool:
        """See RealtimeAppointments.emit_appointment_deleted."""
        return await self._start(
            lambda: self._calls.plan_one(APPOINTMENT_DELETED, appointment_id, company_id)
        )

    async def emit_batch(self, emissions: Iterable[BatchEmission]) -> bool:
        """See RealtimeAppointments.emit_batch."""
        return await self._start(lambda: self._calls.plan_batch(emissions))

    async def aclose(self) -> None:
        """Waits for running calls, at most their deadline. Then it closes the connections of this event loop and the log file."""
        self._calls.is_closed = True
        loop = asyncio.get_running_loop()
        running = [task for task in self._tasks if task.get_loop() is loop]
        if running:
            await asyncio.wait(running)
        backend = self._backends.pop(loop, None)
        if backend is not None:
            with contextlib.suppress(Exception):
                await backend.aclose()
        await asyncio.to_thread(self._calls.close_log)

    async def __aenter__(self) -> AsyncRealtimeAppointments:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _start(self, make_plan: MakePlan) -> bool:
        task = asyncio.get_running_loop().create_task(self._run(make_plan))
        # A loop has only weak references to its tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _run(self, make_plan: MakePlan) -> bool:
        plan = Plan()
        try:
            plan = make_plan()
            deliveries = await deliver_all(self._backend(), plan.requests) if plan.requests else []
            return self._calls.complete(plan, deliveries)
        except asyncio.CancelledError:
            for logged in plan.logged:
                self._calls.report.failed("warn", "the event loop ended before the call", logged.fields)
            raise
        except Exception as error:
            self._calls.report.failed_with_bug(error)
            return False

    def _backend(self) -> Backend:
        loop = asyncio.get_running_loop()
        backend = self._backends.get(loop)
        if backend is None:
            # The connections of a loop that has ended can only be dropped: closing one needs its loop.
            self._backends = {used: kept for used, kept in self._backends.items() if not used.is_closed()}
            backend = self._backends[loop] = self._calls.connect()
        return backend
