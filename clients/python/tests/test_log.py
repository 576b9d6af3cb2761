from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, StartBackend
from servers import ID, absent_url, eventually, send_json, status

from appointment_emissions import RealtimeAppointments
from appointment_emissions._message_flow_file import FileLogger

SUCCESS = "Successfully emitted appointment:created socket event"


def emit(**options: Any) -> bool:
    with RealtimeAppointments(api_key=KEY, max_attempts=1, **options) as bot:
        return bot.emit_appointment_created(ID)


def read_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "message-flow.log").read_text().splitlines()]


class Methods:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, message: str, fields: dict[str, Any]) -> None:
        self.lines.append(("info", message, fields))

    def warning(self, message: str, fields: dict[str, Any]) -> None:
        self.lines.append(("warning", message, fields))

    def error(self, message: str, fields: dict[str, Any]) -> None:
        self.lines.append(("error", message, fields))


class WarnMethods(Methods):
    warning = None  # type: ignore[assignment]

    def warn(self, message: str, fields: dict[str, Any]) -> None:
        self.lines.append(("warn", message, fields))


def test_a_logger_can_be_an_object_with_methods(start_backend: StartBackend) -> None:
    logger = Methods()
    assert emit(backend_url=start_backend().url, logger=logger)
    assert not emit(backend_url=start_backend(status(404)).url, logger=logger)
    assert not emit(backend_url="ftp://x", logger=logger)
    assert [(level, message) for level, message, _ in logger.lines] == [
        ("info", SUCCESS),
        ("error", "Failed to emit socket event"),
        ("error", "Failed to emit socket event"),
    ]


@pytest.mark.parametrize(("logger", "level"), [(Methods(), "warning"), (WarnMethods(), "warn")])
def test_warnings_go_to_warning_or_to_warn(logger: Methods, level: str) -> None:
    RealtimeAppointments(logger=logger).emit_appointment_created(ID)
    assert [given for given, *_ in logger.lines] == [level]


def test_a_logger_of_the_standard_library_gets_message_and_fields(
    start_backend: StartBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "flow")
    for logger in (logging.getLogger("flow"), logging.LoggerAdapter(logging.getLogger("flow"), {})):
        caplog.clear()
        assert emit(backend_url=start_backend().url, logger=logger)
        [record] = [record for record in caplog.records if record.name == "flow"]
        assert record.levelno == logging.INFO
        assert record.getMessage().startswith(f'{SUCCESS} {{"event":"appointment:created"')


async def asynchronous(*_: object) -> None:
    """A logger must not be a coroutine function."""


def raising(*_: object) -> None:
    raise RuntimeError("disk full")


@pytest.mark.parametrize(
    ("logger", "why"),
    [
        (raising, "disk full"),
        (asynchronous, "it is a coroutine function"),
        (object(), "it has no method info"),
        (lambda: None, "takes 0 positional arguments"),
    ],
)
def test_a_logger_that_fails_is_reported_once_and_emissions_continue(
    logger: Any, why: str, start_backend: StartBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    with RealtimeAppointments(api_key=KEY, backend_url=start_backend().url, logger=logger) as bot:
        assert [bot.emit_appointment_created(ID) for _ in range(3)] == [True] * 3
    printed = capsys.readouterr().err
    assert printed.count("The logger failed") == 1
    assert why in printed
    assert SUCCESS in printed


def test_without_a_logger_json_lines_are_appended_to_a_file_and_a_reason_is_printed_once(
    start_backend: StartBackend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a" / "logs"
    assert emit(backend_url=start_backend().url, log_dir=str(folder))
    with RealtimeAppointments(
        api_key=KEY, backend_url=start_backend(status(401)).url, log_dir=str(folder)
    ) as bot:
        assert [bot.emit_appointment_created(ID) for _ in range(2)] == [False, False]
    lines = read_lines(folder)
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", SUCCESS),
        ("error", "Failed to emit socket event"),
        ("error", "Failed to emit socket event"),
    ]
    assert list(lines[0]) == [
        *("time", "level", "message", "event", "appointmentId", "via", "attempts", "tookMs", "emissionId")
    ]
    assert capsys.readouterr().err == (
        "Failed to emit socket event: HTTP error (401). Details are in message-flow.log, in the folder "
        f"{folder}.\n"
    )


def test_a_long_reply_is_cut_after_the_key_was_removed_so_that_no_part_of_it_is_logged(
    start_backend: StartBackend,
) -> None:
    bodies: list[object] = []
    backend = start_backend(lambda connection, _: send_json(connection, 400, "x" * 1_990 + KEY + "y" * 5_000))
    assert not emit(backend_url=backend.url, logger=lambda _, __, fields: bodies.append(fields["body"]))
    assert bodies == [f'"{"x" * 1_990}[key]yyyy']


def test_a_line_cannot_be_distorted_by_a_reply(start_backend: StartBackend, tmp_path: Path) -> None:
    logger = FileLogger(str(tmp_path))
    logger("error", "line", {"body": "\n\r\u2028\u202e\x7f\x1b[0m\ud800"})
    logger.close()
    [line] = (tmp_path / "message-flow.log").read_bytes().splitlines()
    assert all(0x20 <= byte < 0x7F for byte in line)


def test_a_file_that_was_moved_is_created_again(tmp_path: Path) -> None:
    logger = FileLogger(str(tmp_path))
    for name in ("first", "second"):
        logger("info", name, {})
        logger.close()
        os.rename(tmp_path / "message-flow.log", tmp_path / name)
    assert (tmp_path / "second").read_text().count("\n") == 1


def test_while_the_file_cannot_be_written_lines_are_lost_and_then_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.write_text("not a folder")
    logger = FileLogger(str(folder), reopen_delay_ms=0)
    for _ in range(3):
        logger("info", "lost", {})
        logger.close()
    folder.unlink()
    logger("info", "kept", {})
    logger.close()
    logger("info", "kept", {})
    logger.close()
    assert [line.get("linesLost") for line in read_lines(folder)] == [3, None]
    assert capsys.readouterr().err.count("message-flow.log cannot be written") == 1


def test_a_hung_disk_neither_delays_a_call_nor_fills_the_memory(tmp_path: Path) -> None:
    # A pipe whose reader does not read is the slowest disk.
    os.mkfifo(tmp_path / "message-flow.log")
    reader = os.open(tmp_path / "message-flow.log", os.O_RDONLY | os.O_NONBLOCK)
    logger = FileLogger(str(tmp_path), max_buffered_bytes=10_000, close_within_ms=50, reopen_delay_ms=0)

    def write() -> None:
        for _ in range(2_000):
            logger("info", "x" * 100, {})

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert logger._waiting_bytes < 12_000
    logger.close()
    os.close(reader)


def test_two_processes_do_not_tear_the_lines_of_each_other(tmp_path: Path) -> None:
    source = (
        "from appointment_emissions._message_flow_file import FileLogger\n"
        "import sys\n"
        "log = FileLogger(sys.argv[1])\n"
        "for count in range(500): log('info', 'x' * 200, {'count': count})\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", source, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(30) for process in processes] == [0, 0]
    # The lines are written although nothing closed the log.
    assert len(read_lines(tmp_path)) == 1_000


def test_the_log_is_written_without_a_close(start_backend: StartBackend, tmp_path: Path) -> None:
    bot = RealtimeAppointments(api_key=KEY, backend_url=absent_url(), log_dir=str(tmp_path))
    assert bot.emit_appointment_created(ID) is False
    eventually(
        "the line", lambda: (tmp_path / "message-flow.log").exists() and len(read_lines(tmp_path)) == 1
    )
    bot.close()
