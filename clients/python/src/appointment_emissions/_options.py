from __future__ import annotations

import math
import re
from dataclasses import dataclass

import httpx

from ._message_flow import Level

DEFAULT_BACKEND_URL = "http://localhost:3001"


@dataclass(frozen=True)
class Problem:
    """Why nothing can be sent with the given settings."""

    level: Level
    reason: str


@dataclass(frozen=True)
class Settings:
    """Valid settings. An invalid number was replaced by its default, because the bot must start with any settings."""

    backend_url: str | None
    """Without a trailing slash. None if the given text is not an http(s) address."""
    api_key: str | None
    """None if no key was given, or if the given key cannot be sent in a header."""
    problem: Problem | None
    log_dir: str
    deadline_ms: float
    attempt_timeout_ms: float
    max_attempts: int
    first_retry_delay_ms: float
    max_retry_delay_ms: float
    failures_to_open: int
    cool_down_ms: float


def to_settings(
    backend_url: object = None,
    api_key: object = None,
    log_dir: object = None,
    deadline_ms: object = None,
    attempt_timeout_ms: object = None,
    max_attempts: object = None,
    first_retry_delay_ms: object = None,
    max_retry_delay_ms: object = None,
    failures_to_open: object = None,
    cool_down_ms: object = None,
) -> Settings:
    url = _read_url(_text(backend_url) or DEFAULT_BACKEND_URL)
    given = _first_key(api_key)
    key = given if given is not None and _is_sendable(given) else None
    return Settings(
        backend_url=url,
        api_key=key,
        problem=_problem_of(given, key, url),
        log_dir=_text(log_dir) or "logs",
        deadline_ms=_positive(deadline_ms, 2_000),
        attempt_timeout_ms=_positive(attempt_timeout_ms, 1_200),
        max_attempts=math.ceil(_positive(max_attempts, 4)),
        first_retry_delay_ms=_positive(first_retry_delay_ms, 100),
        max_retry_delay_ms=_positive(max_retry_delay_ms, 500),
        failures_to_open=math.ceil(_positive(failures_to_open, 5)),
        cool_down_ms=_positive(cool_down_ms, 2_000),
    )


def _text(value: object) -> str | None:
    """Returns None for an empty text too, which `KEY=` in an environment file gives."""
    return (value.strip() or None) if isinstance(value, str) else None


def _first_key(value: object) -> str | None:
    """While keys are rotated, the setting may contain several, separated by commas. The first is the newest."""
    keys = (_text(key) for key in (_text(value) or "").split(","))
    return next((key for key in keys if key is not None), None)


def _is_sendable(key: str) -> bool:
    """Accepts the keys that the API accepts: visible ASCII without quotes around it."""
    return bool(re.fullmatch(r"[\x21-\x7e]+", key)) and not re.fullmatch(r"([\"'`]).*\1", key)


def _problem_of(given: str | None, key: str | None, url: str | None) -> Problem | None:
    if given is None:
        return Problem("warn", "INTERNAL_SERVICE_API_KEY is not set")
    if key is None:
        return Problem(
            "error",
            "INTERNAL_SERVICE_API_KEY is enclosed in quotes, or contains a space or another character that a key "
            "cannot contain",
        )
    return Problem("error", "BACKEND_API_URL is not an http(s) address") if url is None else None


_HOST_AND_PORT = re.compile(r"([\w.-]+|\[[\da-f:.]+\]):\d+([/?#]|$)", re.ASCII | re.IGNORECASE)
_MAX_PORT = 65_535


def _read_url(given: str) -> str | None:
    # A parser would take the host of localhost:3001 for a scheme.
    address = f"http://{given}" if _HOST_AND_PORT.match(given) else given
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        return None
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > _MAX_PORT:
        return None
    return str(url.copy_with(query=None, fragment=None)).rstrip("/")


def _positive(value: object, otherwise: float) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 2**31:
        return value
    return otherwise
