from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypedDict, TypeVar

from . import _after_fork

T = TypeVar("T")


class EnvironmentOptions(TypedDict):
    backend_url: str | None
    api_key: str | None
    log_dir: str | None


def from_environment() -> EnvironmentOptions:
    """The settings of the functions without an object."""
    return {
        "backend_url": os.environ.get("BACKEND_API_URL"),
        "api_key": os.environ.get("INTERNAL_SERVICE_API_KEY"),
        "log_dir": os.environ.get("LOG_DIR"),
    }


class Shared(Generic[T]):
    """The object of the functions without an object. The first call creates it, also if several threads call at once."""

    def __init__(self, create: Callable[[], T]) -> None:
        self._create = create
        self._created: T | None = None
        self.reset_after_fork()
        _after_fork.register(self)

    def get(self) -> T:
        with self._lock:
            if self._created is None:
                self._created = self._create()
            return self._created

    def take(self) -> T | None:
        """Returns the object, if there is one, and forgets it."""
        with self._lock:
            taken, self._created = self._created, None
            return taken

    def reset_after_fork(self) -> None:
        self._lock = threading.Lock()
