from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypedDict

APPOINTMENT_CREATED = "appointment:created"
APPOINTMENT_UPDATED = "appointment:updated"
APPOINTMENT_CANCELED = "appointment:canceled"
APPOINTMENT_DELETED = "appointment:deleted"
APPOINTMENT_EVENTS = (APPOINTMENT_CREATED, APPOINTMENT_UPDATED, APPOINTMENT_CANCELED, APPOINTMENT_DELETED)

AppointmentEvent = Literal[
    "appointment:created", "appointment:updated", "appointment:canceled", "appointment:deleted"
]

MAX_BATCH = 1_000
"""Maximum number of emissions in one request to the batch route."""
MAX_EMISSIONS = 100_000
"""Maximum number of emissions in one call. A longer list is probably a mistake."""

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")


class _Emission(TypedDict):
    event: AppointmentEvent
    appointment_id: object


class BatchEmission(_Emission, total=False):
    """One emission of a batch. Each id is a string, an ObjectId, or a document with its `_id`."""

    company_id: object
    """For `appointment:deleted` only, and required there."""


class Item(TypedDict, total=False):
    """One emission, as the API expects it."""

    event: str
    appointmentId: str
    companyId: str


class ItemProblem(TypedDict):
    index: int
    """The index -1 means the whole list."""
    problem: str


class InvalidEmissionError(Exception):
    """The text names the argument and its type, but not its content, which may be personal data."""


@dataclass
class ReadBatch:
    emissions: list[Item] = field(default_factory=list)
    problems: list[ItemProblem] = field(default_factory=list)


def read_batch(given: object) -> ReadBatch:
    """Reads a list of emissions from any value. Never raises. An invalid item does not affect the others."""
    read = ReadBatch()
    try:
        if not isinstance(given, Iterable) or isinstance(given, (str, bytes, Mapping)):
            raise InvalidEmissionError("emissions must be an array")
        items = list(islice(given, MAX_EMISSIONS + 1))
        if len(items) > MAX_EMISSIONS:
            raise InvalidEmissionError(f"more than {MAX_EMISSIONS} emissions")
    except InvalidEmissionError as problem:
        read.problems.append({"index": -1, "problem": str(problem)})
        return read
    except Exception:
        read.problems.append({"index": -1, "problem": "emissions could not be read"})
        return read
    for index, item in enumerate(items):
        try:
            read.emissions.append(_read_item(item))
        except InvalidEmissionError as problem:
            read.problems.append({"index": index, "problem": str(problem)})
        except Exception:
            read.problems.append({"index": index, "problem": "could not be read"})
    return read


def read_emission(event: str, appointment_id: object, company_id: object = None) -> Item:
    """
    Reads one emission. Only a deletion has a company: its document may be gone, so the backend cannot look it up.

    Raises InvalidEmissionError.
    """
    item: Item = {"event": event, "appointmentId": _read_id("appointmentId", appointment_id)}
    if event == APPOINTMENT_DELETED:
        item["companyId"] = _read_id("companyId", company_id)
    return item


def in_batches(emissions: list[Item]) -> list[list[Item]]:
    """Splits emissions into requests to the batch route."""
    return [emissions[at : at + MAX_BATCH] for at in range(0, len(emissions), MAX_BATCH)]


def _read_item(given: object) -> Item:
    item = given if isinstance(given, Mapping) else {}
    event = item.get("event")
    if not isinstance(event, str) or event not in APPOINTMENT_EVENTS:
        raise InvalidEmissionError("event is not an appointment event")
    return read_emission(event, item.get("appointment_id"), item.get("company_id"))


def _read_id(name: str, given: object) -> str:
    if given is None or (isinstance(given, str) and given == ""):
        raise InvalidEmissionError(f"no {name} was given")
    try:
        text = str(_id_of(given))
    except Exception:
        raise InvalidEmissionError(f"{name} could not be read") from None
    if _OBJECT_ID.fullmatch(text):
        return text.lower()
    kind = (
        f"a string of {len(given)}" if isinstance(given, str) else f"a value of type {type(given).__name__}"
    )
    raise InvalidEmissionError(f"{name} must be 24 hexadecimal characters, got {kind}")


def _id_of(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    found = given.get("_id")
    return given if found is None else found
