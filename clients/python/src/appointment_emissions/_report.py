from __future__ import annotations

import errno
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import _after_fork
from ._attempt_result import Answer, Answered, NotTried, Unanswered, rejected_items
from ._delivery import Delivery
from ._message_flow import Fields, Level, MessageFlow, describe_error, print_error

FAILED = "Failed to emit socket event"
NOT_TRIED_INTERVAL_S = 10
"""While the circuit breaker is open, all calls together write at most one line in this time."""
MAX_LOGGED = 2_000
"""Maximum length of a logged reply, in code points."""
MAX_LOGGED_ITEMS = 20
"""Maximum number of rejected items that a line names."""
MAX_NOTICES = 20
"""Maximum number of reasons that are printed to standard error."""
FRAMES_PER_ERROR = 4

OnFailed = Callable[[str, Fields], None]


@dataclass(frozen=True)
class LoggedCall:
    """The events and fields in the log lines of a call."""

    events: list[str]
    """Several for a batch."""
    fields: Fields


class Report:
    """Logs how each call ended. Operators search for the messages; details are in the fields. The key is never logged."""

    def __init__(self, message_flow: MessageFlow, api_key: str | None, on_failed: OnFailed | None) -> None:
        """`on_failed` is called for each line about a failed call."""
        self._message_flow = message_flow
        self._api_key = api_key
        self._on_failed = on_failed
        self._not_tried_at = float("-inf")
        self._not_tried = 0
        self.reset_after_fork()
        _after_fork.register(self)

    def reset_after_fork(self) -> None:
        self._lock = threading.Lock()

    def failed(self, level: Level, reason: str, fields: Fields) -> None:
        self._message_flow.log(level, FAILED, {"reason": reason, **fields})
        if self._on_failed is not None:
            self._on_failed(reason, fields)

    def failed_with_bug(self, error: Exception) -> None:
        self.failed("error", "a bug in the library", {"stack": self._redact(_stack_of(error))})

    def delivered(self, call: LoggedCall, delivery: Delivery) -> bool:
        """Logs the result of a delivery. Returns True if the emission was accepted."""
        fields = {
            **call.fields,
            "via": "http",
            "attempts": delivery.attempts,
            "tookMs": round(delivery.took_ms),
        }
        result = delivery.result
        if isinstance(result, NotTried):
            self._failed_untried(fields)
        elif isinstance(result, Unanswered):
            reason = "timeout" if result.timed_out else "network error"
            self.failed("error", reason, {**fields, **self._error_of(result.error)})
        elif isinstance(result, Answered) and result.outcome == "accepted":
            for event in call.events:
                message = f"Successfully emitted {event} socket event"
                self._message_flow.log("info", message, {**fields, **_ids_of(result.answer)})
            return True
        else:
            self.failed("error", "HTTP error", {**fields, **self._details_of(result.answer)})
        return False

    def _failed_untried(self, fields: Fields) -> None:
        with self._lock:
            self._not_tried += 1
            if time.monotonic() - self._not_tried_at < NOT_TRIED_INTERVAL_S:
                return
            self._not_tried_at = time.monotonic()
            not_tried, self._not_tried = self._not_tried, 0
        reason = "circuit open: the backend did not reply recently"
        self.failed("error", reason, {**fields, "notTried": not_tried})

    def _details_of(self, answer: Answer) -> Fields:
        rejected = [
            {"index": item["index"], "status": item["status"], "code": self._redact(str(item.get("code")))}
            for item in rejected_items(answer.body)[:MAX_LOGGED_ITEMS]
        ]
        body = self._redact(answer.text)[:MAX_LOGGED]
        return {"status": answer.status, "body": body, "rejected": rejected or None}

    def _error_of(self, error: BaseException) -> Fields:
        return {
            "error": self._redact(describe_error(error)),
            "code": _code_of(error),
            "stack": self._redact(_stack_of(error)),
        }

    def _redact(self, text: str) -> str:
        """A reply may contain the request's headers."""
        return text if self._api_key is None else text.replace(self._api_key, "[key]")


def create_notice(log_dir: str) -> OnFailed:
    """
    Prints each failure reason once. Used if the application gave no logger: its developer may not have seen the log file yet.
    """
    printed: set[str] = set()

    def notice(reason: str, fields: Fields) -> None:
        if reason in printed or len(printed) >= MAX_NOTICES:
            return
        printed.add(reason)
        detail = fields.get("status", fields.get("error"))
        why = reason if detail is None else f"{reason} ({detail})"
        print_error(f"{FAILED}: {why}. Details are in message-flow.log, in the folder {log_dir}.")

    return notice


def _ids_of(answer: Answer) -> Fields:
    return {"emissionId": answer.body.get("emissionId")} if isinstance(answer.body, dict) else {}


def _code_of(error: BaseException) -> str | None:
    """The name of the operating system's error, such as ECONNREFUSED. httpx keeps it only as a cause."""
    codes = (
        errno.errorcode.get(cause.errno or 0) for cause in _causes_of(error) if isinstance(cause, OSError)
    )
    return next((code for code in codes if code is not None), None)


def _causes_of(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        # An ExceptionGroup has one exception for each address of a host.
        waiting += [*getattr(cause, "exceptions", ()), cause.__context__, cause.__cause__]


def _stack_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error, limit=-FRAMES_PER_ERROR))
    except Exception:
        return type(error).__name__
