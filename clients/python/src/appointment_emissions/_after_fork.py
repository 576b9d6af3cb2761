from __future__ import annotations

import os
import weakref
from typing import Protocol


class Resettable(Protocol):
    def reset_after_fork(self) -> None: ...


_objects: weakref.WeakSet[Resettable] = weakref.WeakSet()


def register(resettable: Resettable) -> None:
    """
    Calls `reset_after_fork` in each child process that is forked from this one. The child has no threads, and a lock may be
    held by a thread that it does not have.
    """
    _objects.add(resettable)


def _reset_all() -> None:
    for resettable in list(_objects):
        resettable.reset_after_fork()


# Windows does not fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
