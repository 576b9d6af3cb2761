from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import KEY, StartBackend
from servers import ID, TcpServer, absent_url, eventually
from test_faults import hang, silent

import appointment_emissions
from appointment_emissions import AsyncRealtimeAppointments, RealtimeAppointments
from appointment_emissions._environment import Shared

END_WITHIN_S = 20
BLOCKING = f"""
import appointment_emissions as bot, atexit, time
print(bot.emit_appointment_created("{ID}"))
began_at = time.monotonic()
atexit.register(lambda: print("ended" if time.monotonic() - began_at < 1 else "lingered"))
"""
ASYNCIO = f"""
import appointment_emissions.aio as bot, asyncio
async def main():
    print(await bot.emit_appointment_created("{ID}"))
    await bot.close_realtime_appointments()
asyncio.run(main())
print("ended")
"""


def run(source: str, cwd: Path, url: str) -> str:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(appointment_emissions.__file__).parents[1]),
        "BACKEND_API_URL": url,
        "INTERNAL_SERVICE_API_KEY": KEY,
        "LOG_DIR": "",
    }
    command = [sys.executable, "-c", source]
    ended = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=END_WITHIN_S)
    reasons = "Failed to emit socket event"
    assert [line for line in ended.stderr.splitlines() if not line.startswith(reasons)] == []
    return ended.stdout


def test_importing_the_library_has_no_side_effect(tmp_path: Path) -> None:
    source = (
        "import threading, appointment_emissions, appointment_emissions.aio; print(threading.active_count())"
    )
    assert run(source, tmp_path, absent_url()) == "1\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", [BLOCKING, ASYNCIO], ids=["blocking", "asyncio"])
@pytest.mark.parametrize("backend", ["healthy", "absent", "silent"])
def test_the_process_of_a_bot_ends_after_the_call(
    source: str, backend: str, tmp_path: Path, start_backend: StartBackend
) -> None:
    server = TcpServer(silent)
    url = {"healthy": start_backend().url, "absent": absent_url(), "silent": server.url}[backend]
    assert run(source, tmp_path, url) == f"{backend == 'healthy'}\nended\n"
    assert (tmp_path / "logs" / "message-flow.log").read_text().count("\n") == 1
    server.close()


def emit_in_child(bot: RealtimeAppointments, results: multiprocessing.SimpleQueue[bool]) -> None:
    results.put(bot.emit_appointment_created(ID))
    bot.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(start_backend: StartBackend, tmp_path: Path) -> None:
    backend = start_backend()
    bot = RealtimeAppointments(api_key=KEY, backend_url=backend.url, log_dir=str(tmp_path))
    assert bot.emit_appointment_created(ID)
    fork = multiprocessing.get_context("fork")
    results: multiprocessing.SimpleQueue[bool] = fork.SimpleQueue()
    children = [fork.Process(target=emit_in_child, args=(bot, results)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(END_WITHIN_S)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert [results.get() for _ in children] == [True] * 3
    assert bot.emit_appointment_created(ID)
    # The connection of the parent process still works.
    assert backend.connections == 4
    bot.close()
    assert (tmp_path / "message-flow.log").read_text().count("Successfully") == 5


def test_a_forked_process_is_not_delayed_by_calls_in_flight(start_backend: StartBackend) -> None:
    bot = RealtimeAppointments(
        api_key=KEY, backend_url=start_backend(hang).url, deadline_ms=1_000, logger=lambda *_: None
    )
    thread = threading.Thread(target=bot.emit_appointment_created, args=(ID,))
    thread.start()
    eventually("a call in flight", lambda: bot._in_flight == 1)
    started_at = time.monotonic()
    child = multiprocessing.get_context("fork").Process(target=bot.close)
    child.start()
    child.join(END_WITHIN_S)
    assert child.exitcode == 0
    assert time.monotonic() - started_at < 1
    thread.join()
    bot.close()


def test_the_thread_of_an_object_that_is_dropped_without_close_ends(start_backend: StartBackend) -> None:
    bot = RealtimeAppointments(api_key=KEY, backend_url=start_backend().url, logger=lambda *_: None)
    before = set(threading.enumerate())
    assert bot.emit_appointment_created(ID)
    [thread] = [
        thread for thread in set(threading.enumerate()) - before if thread.name == "appointment-emissions"
    ]
    del bot
    gc.collect()
    thread.join(END_WITHIN_S)
    assert not thread.is_alive()


def test_threads_whose_first_calls_overlap_share_an_object() -> None:
    created: list[object] = []

    def create_slowly() -> object:
        created.append(object())
        time.sleep(0.05)
        return created[-1]

    shared = Shared(create_slowly)
    with ThreadPoolExecutor(8) as pool:
        assert len({id(found) for found in pool.map(lambda _: shared.get(), range(8))}) == 1
    assert shared.take() is created[0]
    assert shared.take() is None
    assert shared.get() is created[1]


# Python warns about connections that are dropped instead of closed.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_object_for_asyncio_works_in_one_event_loop_after_the_other_and_keeps_none(
    start_backend: StartBackend,
) -> None:
    bot = AsyncRealtimeAppointments(api_key=KEY, backend_url=start_backend().url, logger=lambda *_: None)
    assert [asyncio.run(bot.emit_appointment_created(ID)) for _ in range(10)] == [True] * 10
    assert len(bot._backends) == 1
    del bot
    gc.collect()


def test_if_the_caller_is_cancelled_the_emission_continues(start_backend: StartBackend) -> None:
    backend = start_backend()
    lines: list[str] = []

    async def main() -> None:
        async with AsyncRealtimeAppointments(
            api_key=KEY, backend_url=backend.url, logger=lambda _, message, __: lines.append(message)
        ) as bot:
            caller = asyncio.create_task(bot.emit_appointment_created(ID))
            await asyncio.sleep(0)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller

    asyncio.run(main())
    assert len(backend.received) == 1
    assert lines == ["Successfully emitted appointment:created socket event"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_call_that_ends_with_its_event_loop_is_logged(start_backend: StartBackend) -> None:
    reasons: list[object] = []
    bot = AsyncRealtimeAppointments(
        api_key=KEY,
        backend_url=start_backend(hang).url,
        logger=lambda _, __, fields: reasons.append((fields["reason"], fields["appointmentId"])),
    )

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bot.emit_appointment_created(ID), 0.05)

    asyncio.run(main())
    assert reasons == [("the event loop ended before the call", ID)]
    gc.collect()
