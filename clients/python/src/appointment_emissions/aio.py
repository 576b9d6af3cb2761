"""The functions of `appointment_emissions` as coroutines for asyncio."""

from __future__ import annotations

from collections.abc import Iterable

from ._async_client import AsyncRealtimeAppointments
from ._batch import BatchEmission
from ._environment import from_environment

__all__ = [
    "close_realtime_appointments",
    "emit_appointment_canceled",
    "emit_appointment_created",
    "emit_appointment_deleted",
    "emit_appointment_updated",
    "emit_batch",
]

_ready: AsyncRealtimeAppointments | None = None


async def emit_appointment_created(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_created."""
    return await _from_environment().emit_appointment_created(appointment_id)


async def emit_appointment_updated(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_updated."""
    return await _from_environment().emit_appointment_updated(appointment_id)


async def emit_appointment_canceled(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_canceled."""
    return await _from_environment().emit_appointment_canceled(appointment_id)


async def emit_appointment_deleted(appointment_id: object, company_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_deleted."""
    return await _from_environment().emit_appointment_deleted(appointment_id, company_id)


async def emit_batch(emissions: Iterable[BatchEmission]) -> bool:
    """See RealtimeAppointments.emit_batch."""
    return await _from_environment().emit_batch(emissions)


async def close_realtime_appointments() -> None:
    """Closes the connections and the log file of the functions above. A later call reads the environment again."""
    global _ready
    closing, _ready = _ready, None
    if closing is not None:
        await closing.aclose()


def _from_environment() -> AsyncRealtimeAppointments:
    global _ready
    if _ready is None:
        _ready = AsyncRealtimeAppointments(**from_environment())
    return _ready
