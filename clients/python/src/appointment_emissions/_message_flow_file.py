from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from datetime import datetime, timezone
from typing import Any

from . import _after_fork
from ._message_flow import Level, describe_error, print_error, to_json

MESSAGE_FLOW_FILE = "message-flow.log"


class FileLogger:
    """
    Appends JSON lines to `<log_dir>/message-flow.log`. The first line creates the folder, the file and a thread that writes.

    It never raises and never waits for the disk. While the disk is full, missing or hung, lines are lost: the reason is printed
    to standard error once, and the next written line has the number of lost lines as `linesLost`.
    """

    def __init__(
        self,
        log_dir: str = "logs",
        *,
        max_buffered_bytes: int = 1_000_000,
        reopen_delay_ms: float = 5_000,
        close_within_ms: float = 1_000,
    ) -> None:
        self._appender = _Appender(os.path.join(log_dir, MESSAGE_FLOW_FILE), reopen_delay_ms)
        self._max_buffered_bytes = max_buffered_bytes
        self._close_within_ms = close_within_ms
        self._lines_lost = 0
        self.reset_after_fork()
        _after_fork.register(self)
        self._flush_at_exit = False

    def __call__(self, level: Level, message: str, fields: dict[str, Any]) -> None:
        time_text = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            line = to_json({"time": time_text, "level": level, "message": message, **fields})
        except Exception:
            with self._changed:
                self._lines_lost += 1
            return
        with self._changed:
            if self._waiting_bytes > self._max_buffered_bytes:
                self._lines_lost += 1
                return
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            if self._writer is None:
                self._start_writer()
            self._changed.notify_all()

    def close(self) -> None:
        """Writes the buffered lines, waiting at most a second. Then it closes the file; a later line opens it again."""
        with self._changed:
            is_idle = self._changed.wait_for(
                lambda: not self._waiting and not self._is_writing, self._close_within_ms / 1_000
            )
            if is_idle:
                self._appender.close()

    def reset_after_fork(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[str] = []
        self._waiting_bytes = 0
        self._is_writing = False
        self._writer: threading.Thread | None = None

    def _start_writer(self) -> None:
        self._writer = threading.Thread(target=self._write_forever, name="message-flow", daemon=True)
        self._writer.start()
        if not self._flush_at_exit:
            self._flush_at_exit = True
            atexit.register(self.close)

    def _write_forever(self) -> None:
        newly_lost = 0
        while True:
            with self._changed:
                self._lines_lost += newly_lost
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                self._is_writing = True
                lines, lost = self._waiting, self._lines_lost
                self._waiting, self._waiting_bytes = [], 0
            if lost > 0:
                lines[0] = f'{lines[0][:-1]},"linesLost":{lost}}}'
            is_written = self._appender.append("".join(f"{line}\n" for line in lines).encode())
            newly_lost = -lost if is_written else len(lines)


class _Appender:
    """Opens the file again after a failure, and if the file or its folder was deleted or replaced."""

    def __init__(self, file: str, reopen_delay_ms: float) -> None:
        self._file = file
        self._reopen_delay_ms = reopen_delay_ms
        self._reopen_at = 0.0
        self._fd: int | None = None
        self._is_failing = False
        self._is_torn = False

    def append(self, content: bytes) -> bool:
        """Returns True if all bytes were written. Never raises."""
        if time.monotonic() < self._reopen_at:
            return False
        try:
            self._write_all(content)
            self._is_failing = False
            return True
        except Exception as error:
            self.close()
            self._reopen_at = time.monotonic() + self._reopen_delay_ms / 1_000
            if not self._is_failing:
                print_error(
                    f"{MESSAGE_FLOW_FILE} cannot be written ({describe_error(error)}). Its lines are lost; emissions "
                    "continue. Make the folder writable, free disk space, or set LOG_DIR (option log_dir) to another "
                    "folder."
                )
            self._is_failing = True
            return False

    def _write_all(self, content: bytes) -> None:
        if self._fd is not None and not self._is_still_at(self._fd):
            self.close()
        if self._fd is None:
            self._fd = self._open()
        # The last write may have ended in the middle of a line.
        if self._is_torn:
            os.write(self._fd, b"\n")
        self._is_torn = False
        while content:
            content = content[os.write(self._fd, content) :]
            self._is_torn = len(content) > 0

    def _open(self) -> int:
        # With O_NONBLOCK, opening a FIFO without a reader is an error. Without it, opening would block forever.
        flags = (
            os.O_WRONLY
            | os.O_APPEND
            | os.O_CREAT
            | getattr(os, "O_NONBLOCK", 0)
            | getattr(os, "O_CLOEXEC", 0)
        )
        os.makedirs(os.path.dirname(self._file) or ".", exist_ok=True)
        return os.open(self._file, flags, 0o644)

    def _is_still_at(self, fd: int) -> bool:
        """False if the path now names another file, or no file."""
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self._file))
        except OSError:
            return False

    def close(self) -> None:
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd = None
