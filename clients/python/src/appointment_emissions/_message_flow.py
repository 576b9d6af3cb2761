from __future__ import annotations

import inspect
import json
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, Union

Level = Literal["info", "warn", "error"]
Fields = Mapping[str, object]


class MessageFlowMethods(Protocol):
    """A logger with one method for each level. `warn` is used if there is no `warning`."""

    def info(self, message: str, fields: dict[str, Any], /) -> object: ...
    def warning(self, message: str, fields: dict[str, Any], /) -> object: ...
    def error(self, message: str, fields: dict[str, Any], /) -> object: ...


MessageFlowFunction = Callable[[Level, str, dict[str, Any]], object]

# Python 3.10 cannot evaluate a subscript of LoggerAdapter.
MessageFlowLogger = Union[
    logging.Logger, "logging.LoggerAdapter[Any]", MessageFlowMethods, MessageFlowFunction
]
"""
A logger of the application.

- a `logging.Logger`: the text of a record is the message and the fields as JSON; `record.fields` has the fields
- a function that takes `(level, message, fields)`
- an object whose methods `info`, `warning` (or `warn`) and `error` take `(message, fields)`
"""

_LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


class MessageFlow:
    """The logger of the application behind a method that never raises."""

    def __init__(self, logger: object) -> None:
        self._logger = logger
        self._is_reported = False

    def log(self, level: Level, message: str, fields: Fields) -> None:
        given = {name: value for name, value in fields.items() if value is not None}
        try:
            result = _write_to(self._logger, level, message, given)
            if inspect.iscoroutine(result):
                result.close()
                raise TypeError("it is a coroutine function")
        except Exception as error:
            self._report_loss(error, message, given)

    def _report_loss(self, error: Exception, message: str, fields: Fields) -> None:
        if self._is_reported:
            return
        self._is_reported = True
        reason = f" ({fields['reason']})" if isinstance(fields.get("reason"), str) else ""
        print_error(
            f"The logger failed: {describe_error(error)}. Log lines of emissions are lost; emissions continue. "
            f"The first lost line: {message}{reason}"
        )


def _write_to(logger: Any, level: Level, message: str, fields: dict[str, Any]) -> object:
    if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        logger.log(_LEVELS[level], "%s %s", message, to_json(fields), extra={"fields": fields})
        return None
    names = ("warning", "warn") if level == "warn" else (level,)
    method = next((found for name in names if callable(found := getattr(logger, name, None))), None)
    if method is not None:
        return method(message, fields)
    if callable(logger):
        return logger(level, message, fields)
    raise TypeError(f"it has no method {level}")


def describe_error(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__


def to_json(value: object) -> str:
    """One line of ASCII, so that no character of a reply can distort the log."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, default=str)
    return text.replace("\x7f", "\\u007f")


def print_error(text: str) -> None:
    """Prints a line to standard error, which may be closed or missing."""
    try:
        print(text, file=sys.stderr, flush=True)
    except Exception:
        # There is no other place to report it.
        return
