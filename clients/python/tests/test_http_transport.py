from __future__ import annotations

import asyncio
import socket

from conftest import KEY, StartBackend
from servers import ID, Received, accept

from appointment_emissions._http_transport import HttpTransport

STEPS = 30


def test_requests_that_are_cancelled_at_any_step_do_not_break_the_connection_pool(
    start_backend: StartBackend,
) -> None:
    """
    httpcore keeps a connection forever if its request is cancelled at some steps. With some of them it closes every idle
    connection, and with as many as its limit it sends nothing any more.
    """
    used: list[socket.socket] = []

    def reply(connection: socket.socket, request: Received) -> None:
        used.append(connection)
        accept(connection, request)

    backend = start_backend(reply)

    async def main() -> None:
        http = HttpTransport(backend.url, KEY)

        async def post() -> None:
            await http.post("/x", f'{{"appointmentId":"{ID}"}}'.encode(), "key")

        for step in range(STEPS):
            requests = [asyncio.create_task(post()) for _ in range(10)]
            for _ in range(step):
                await asyncio.sleep(0)
            for request in requests:
                request.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
        for _ in range(5):
            await asyncio.wait_for(post(), 5)
        await http.aclose()

    asyncio.run(main())
    assert len(set(used[-5:])) == 1
