from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Iterable
from types import TracebackType

from . import _after_fork
from ._attempt_result import timed_out
from ._batch import (
    APPOINTMENT_CANCELED,
    APPOINTMENT_CREATED,
    APPOINTMENT_DELETED,
    APPOINTMENT_UPDATED,
    BatchEmission,
)
from ._calls import Calls, MakePlan
from ._delivery import Backend, Delivery
from ._delivery_request import DeliveryRequest
from ._loop_thread import LoopThread
from ._message_flow import MessageFlowLogger
from ._options import to_settings

GRACE_S = 1
"""How much longer than its deadline a call may last if the machine is busy."""


class RealtimeAppointments:
    """
    Announces appointment changes to the dashboards. For asyncio see AsyncRealtimeAppointments.

    Every call returns within the deadline: True if the backend has accepted the emission, otherwise False. In that case the log
    has the reason. No call raises, whatever its arguments are. Threads may share an object.

    After False the change may still reach the dashboards: the reply may have been lost, and the backend's sweep finds changes
    that were saved but not announced. So do not undo the booking, and do not call again in a loop.

    Example:
        bot = RealtimeAppointments(api_key=config.key, logger=logging.getLogger("message-flow"))
        accepted = bot.emit_appointment_created(appointment["_id"])
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
        """
        All options have a default, and an invalid value is replaced by it. The environment is not read.

        backend_url: address of the API. A path in it is kept, and `localhost:3001` means http. Default http://localhost:3001
        api_key: one of the API's INTERNAL_SERVICE_API_KEYs. If several are given, separated by commas, the first is used.
            Without a key every call returns False and logs a warning
        logger: see MessageFlowLogger. Default: JSON lines in `<log_dir>/message-flow.log`, and on standard error each reason
            of a failure once
        log_dir: default `logs`
        deadline_ms: maximum duration of a call. Default 2000
        attempt_timeout_ms: maximum duration of one attempt. Default 1200
        max_attempts: attempts per call. Default 4
        first_retry_delay_ms: upper bound of the first pause between attempts. It doubles with each attempt. Default 100
        max_retry_delay_ms: largest upper bound of a pause. Default 500
        failures_to_open: number of consecutive failed attempts that open the circuit breaker. Default 5
        cool_down_ms: how long the circuit breaker stays open before a probe. Default 2000
        """
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
        self._wait_s = settings.deadline_ms / 1_000 + GRACE_S
        self._calls = Calls(settings, logger)
        self._thread: LoopThread | None = None
        self._in_flight = 0
        self._changed = threading.Condition()
        _after_fork.register(self)

    def emit_appointment_created(self, appointment_id: object) -> bool:
        """`appointment_id`: a string of 24 hexadecimal characters, an ObjectId, or the document with its `_id`."""
        return self._run(lambda: self._calls.plan_one(APPOINTMENT_CREATED, appointment_id))

    def emit_appointment_updated(self, appointment_id: object) -> bool:
        """See emit_appointment_created."""
        return self._run(lambda: self._calls.plan_one(APPOINTMENT_UPDATED, appointment_id))

    def emit_appointment_canceled(self, appointment_id: object) -> bool:
        """See emit_appointment_created."""
        return self._run(lambda: self._calls.plan_one(APPOINTMENT_CANCELED, appointment_id))

    def emit_appointment_deleted(self, appointment_id: object, company_id: object) -> bool:
        """
        Call it after the document was removed. The company is needed because the backend can no longer read it. If the document
        still exists, the dashboards get an update instead.
        """
        return self._run(lambda: self._calls.plan_one(APPOINTMENT_DELETED, appointment_id, company_id))

    def emit_batch(self, emissions: Iterable[BatchEmission]) -> bool:
        """
        Announces many changes. They have a lower priority than single emissions. Returns True if all were accepted, or there
        are none; otherwise the log names the rejected ones.
        """
        return self._run(lambda: self._calls.plan_batch(emissions))

    def close(self) -> None:
        """Waits for running calls of other threads, at most their deadline. Then it closes the connections and the log file."""
        self._calls.is_closed = True
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight == 0, self._wait_s)
            thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(Exception):
                thread.close()
        self._calls.close_log()

    def __enter__(self) -> RealtimeAppointments:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def reset_after_fork(self) -> None:
        if self._thread is not None:
            self._thread.abandon()
        self._thread = None
        self._in_flight = 0
        self._changed = threading.Condition()

    def _run(self, make_plan: MakePlan) -> bool:
        with self._changed:
            self._in_flight += 1
        try:
            plan = make_plan()
            deliveries = self._deliver(plan.requests) if plan.requests else []
            return self._calls.complete(plan, deliveries)
        except Exception as error:
            self._calls.report.failed_with_bug(error)
            return False
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _deliver(self, requests: list[DeliveryRequest]) -> list[Delivery]:
        with self._changed:
            if self._thread is None:
                self._thread = LoopThread(self._calls.connect)
            running = self._thread.start(lambda backend: deliver_all(backend, requests))
        try:
            return running.result(self._wait_s)
        except concurrent.futures.TimeoutError:
            waited_ms = self._wait_s * 1_000
            return [Delivery(timed_out(waited_ms), attempts=1, took_ms=waited_ms)] * len(requests)
        finally:
            running.cancel()


async def deliver_all(backend: Backend, requests: list[DeliveryRequest]) -> list[Delivery]:
    return await asyncio.gather(*(backend.deliver(request) for request in requests))
