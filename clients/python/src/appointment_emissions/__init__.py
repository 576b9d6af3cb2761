"""
Announces appointment changes to the appointment emission pipeline.

The functions read `BACKEND_API_URL`, `INTERNAL_SERVICE_API_KEY` and `LOG_DIR` at the first call. `RealtimeAppointments` has the
same functions with options of your own. For asyncio see `appointment_emissions.aio` and `AsyncRealtimeAppointments`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ._async_client import AsyncRealtimeAppointments
from ._batch import AppointmentEvent, BatchEmission
from ._client import RealtimeAppointments
from ._environment import Shared, from_environment
from ._message_flow import MessageFlowLogger

__all__ = [
    "AppointmentEvent",
    "AsyncRealtimeAppointments",
    "BatchEmission",
    "MessageFlowLogger",
    "RealtimeAppointments",
    "close_realtime_appointments",
    "emit_appointment_canceled",
    "emit_appointment_created",
    "emit_appointment_deleted",
    "emit_appointment_updated",
    "emit_batch",
]

_shared = Shared(lambda: RealtimeAppointments(**from_environment()))


def emit_appointment_created(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_created."""
    return _shared.get().emit_appointment_created(appointment_id)


def emit_appointment_updated(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_updated."""
    return _shared.get().emit_appointment_updated(appointment_id)


def emit_appointment_canceled(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_canceled."""
    return _shared.get().emit_appointment_canceled(appointment_id)


def emit_appointment_deleted(appointment_id: object, company_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_deleted."""
    return _shared.get().emit_appointment_deleted(appointment_id, company_id)


def emit_batch(emissions: Iterable[BatchEmission]) -> bool:
    """See RealtimeAppointments.emit_batch."""
    return _shared.get().emit_batch(emissions)


def close_realtime_appointments() -> None:
    """Closes the connections and the log file of the functions above. A later call reads the environment again."""
    closing = _shared.take()
    if closing is not None:
        closing.close()
