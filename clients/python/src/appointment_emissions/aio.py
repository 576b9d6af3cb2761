"""The functions of `appointment_emissions` as coroutines for asyncio."""

from __future__ import annotations

from collections.abc import Iterable

from ._async_client import AsyncRealtimeAppointments
from ._batch import BatchEmission
from ._environment import Shared, from_environment

__all__ = [
    "close_realtime_appointments",
    "emit_appointment_canceled",
    "emit_appointment_created",
    "emit_appointment_deleted",
    "emit_appointment_updated",
    "emit_batch",
]

_shared = Shared(lambda: AsyncRealtimeAppointments(**from_environment()))


async def emit_appointment_created(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_created."""
    return await _shared.get().emit_appointment_created(appointment_id)


async def emit_appointment_updated(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_updated."""
    return await _shared.get().emit_appointment_updated(appointment_id)


async def emit_appointment_canceled(appointment_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_canceled."""
    return await _shared.get().emit_appointment_canceled(appointment_id)


async def emit_appointment_deleted(appointment_id: object, company_id: object) -> bool:
    """See RealtimeAppointments.emit_appointment_deleted."""
    return await _shared.get().emit_appointment_deleted(appointment_id, company_id)


async def emit_batch(emissions: Iterable[BatchEmission]) -> bool:
    """See RealtimeAppointments.emit_batch."""
    return await _shared.get().emit_batch(emissions)


async def close_realtime_appointments() -> None:
    """Closes the connections and the log file of the functions above. A later call reads the environment again."""
    closing = _shared.take()
    if closing is not None:
        await closing.aclose()
