from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4

from ._attempt_result import ClassifyReply, classify_batch_reply, classify_single_reply
from ._batch import Item

BASE_PATH = "/api/v1/internal/socket"


@dataclass(frozen=True)
class DeliveryRequest:
    """A single emission or a batch. All attempts use the same request."""

    path: str
    body: bytes
    idempotency_key: str
    """An attempt without a reply may have been accepted. With this key its repetition is the same emission."""
    classify: ClassifyReply


def single_request(emission: Item) -> DeliveryRequest:
    ids = {name: value for name, value in emission.items() if name != "event"}
    slug = emission["event"].replace(":", "-")
    return DeliveryRequest(f"{BASE_PATH}/{slug}", _to_json(ids), str(uuid4()), classify_single_reply)


def batch_request(emissions: list[Item]) -> DeliveryRequest:
    body = _to_json({"emissions": emissions})
    return DeliveryRequest(f"{BASE_PATH}/batch", body, str(uuid4()), classify_batch_reply)


def _to_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
