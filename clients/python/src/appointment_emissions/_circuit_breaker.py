from __future__ import annotations

import random
import time

from . import _after_fork


class CircuitBreaker:
    """
    Stops attempts to a server that is down for a long time, so that calls fail at once.

    - closed: every attempt gets a pass. `failures_to_open` consecutive failures → open.
    - open: no attempt gets a pass. After the cool-down → half-open.
    - half-open: one attempt, the probe, gets a pass. Its success → closed; its failure → open.
    """

    def __init__(self, failures_to_open: int, cool_down_ms: float) -> None:
        self._failures_to_open = failures_to_open
        self._cool_down_ms = cool_down_ms
        self._failures = 0
        self._open_until: float | None = None
        self.reset_after_fork()
        _after_fork.register(self)

    def reset_after_fork(self) -> None:
        """The probe of the parent process does not end in the child."""
        self._is_probing = False

    def is_ready(self) -> bool:
        """True if `enter` would return a pass now."""
        return self._open_until is None or (not self._is_probing and time.monotonic() >= self._open_until)

    def enter(self) -> Pass | None:
        """Returns None while the circuit is open: do not try."""
        if not self.is_ready():
            return None
        is_probe = self._open_until is not None
        if is_probe:
            self._is_probing = True
        return Pass(self, is_probe)

    def _succeeded(self) -> None:
        self._failures = 0
        self._open_until = None

    def _failed(self, is_probe: bool) -> None:
        self._failures += 1
        # Attempts that started before the circuit opened must not delay the probe.
        if is_probe or (self._open_until is None and self._failures >= self._failures_to_open):
            # Varied by ±25 %, so that many bots do not probe at the same time.
            cool_down_ms = self._cool_down_ms * random.uniform(0.75, 1.25)
            self._open_until = time.monotonic() + cool_down_ms / 1_000


class Pass:
    """Permission for one attempt. Call `ended` exactly once, when the attempt has ended."""

    def __init__(self, breaker: CircuitBreaker, is_probe: bool) -> None:
        self._breaker = breaker
        self._is_probe = is_probe

    def ended(self, *, is_failure: bool) -> None:
        if self._is_probe:
            self._breaker._is_probing = False
        if is_failure:
            self._breaker._failed(self._is_probe)
        else:
            self._breaker._succeeded()
