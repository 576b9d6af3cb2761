from __future__ import annotations

import os
from typing import TypedDict


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
