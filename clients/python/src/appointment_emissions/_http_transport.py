from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property

import httpx

from ._attempt_result import Answer

MAX_BODY_BYTES = 1_000_000
"""Maximum size of a reply. The reply to a batch of 1,000 takes about 120 kB."""
MAX_CONCURRENT = 64
"""Maximum number of requests at the same time. Further ones wait."""
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=4)
"""An idle connection is closed before a server of Node closes it, which is after 5 s by default."""


class ReplyTooLargeError(Exception):
    pass


class HttpTransport:
    """
    Sends requests over HTTP. Use it in one event loop only.

    It ignores proxies and `.netrc` of the environment and follows no redirects, because the API key is meant for one host.
    It has no time limits: the caller cancels.
    """

    def __init__(self, backend_url: str, api_key: str) -> None:
        self._backend_url = backend_url
        self._api_key = api_key
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._pool: _Pool | None = None

    async def post(self, path: str, body: bytes, idempotency_key: str) -> Answer:
        """Sends one request. Raises on a network error."""
        async with self._slots:
            pool = self._pool = self._pool or _Pool(self._create_client())
            request = _Request(f"{self._backend_url}{path}", body, {"idempotency-key": idempotency_key})
            pool.in_flight += 1
            try:
                return await request.send(pool.client)
            except asyncio.CancelledError:
                # httpcore keeps a connection forever if its request is cancelled at some steps. With some of them it closes every
                # idle connection.
                if self._pool is pool:
                    self._pool = None
                raise
            finally:
                pool.in_flight -= 1
                if self._pool is not pool and pool.in_flight == 0:
                    await pool.client.aclose()

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.client.aclose()

    def _create_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={
                "accept": "application/json, application/problem+json",
                # A compressed reply could exceed the memory before its size is known.
                "accept-encoding": "identity",
                "content-type": "application/json",
                "x-api-key": self._api_key,
            },
            verify=self._ssl_context,
            trust_env=False,
            follow_redirects=False,
            timeout=None,
            limits=LIMITS,
        )

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        """Created by the first request, so that an unreadable file of certificates is an error of that request."""
        if not self._backend_url.startswith("https:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # The only part of the environment that is used: SSL_CERT_FILE and SSL_CERT_DIR.
        return httpx.create_ssl_context()


@dataclass
class _Pool:
    """The connections of an httpx client. It is closed when it was replaced and its last request has ended."""

    client: httpx.AsyncClient
    in_flight: int = 0


class _Request:
    """One request, which may be sent twice: the server may have closed the idle connection that is used first."""

    def __init__(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        self._url = url
        self._body = body
        self._headers = headers
        self._is_connecting = False

    async def send(self, client: httpx.AsyncClient) -> Answer:
        while True:
            self._is_connecting = False
            request = client.build_request(
                "POST",
                self._url,
                content=self._body,
                headers=self._headers,
                extensions={"trace": self._trace},
            )
            response = None
            try:
                response = await client.send(request, stream=True)
                return await _read_answer(response)
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                if self._is_connecting or response is not None:
                    raise
            finally:
                if response is not None:
                    await response.aclose()

    async def _trace(self, event: str, _: object) -> None:
        self._is_connecting |= event == "connection.connect_tcp.started"


async def _read_answer(response: httpx.Response) -> Answer:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise ReplyTooLargeError(f"the reply is larger than {MAX_BODY_BYTES} bytes")
    text = content.decode("utf-8", "replace")
    return Answer(
        status=response.status_code,
        body=_parse_json(text),
        text=text,
        retry_after_ms=read_retry_after_ms(response.headers.get("retry-after")),
    )


def _parse_json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def read_retry_after_ms(header: str | None) -> float:
    """Parses `Retry-After`: seconds or an HTTP date. Returns 0 if it is missing or invalid."""
    if header is None:
        return 0
    if re.fullmatch(r"[0-9]{1,9}", header):
        return int(header) * 1_000
    try:
        date = parsedate_to_datetime(header)
        # The parser accepts many forms. Only an HTTP date is the same when it is formatted again.
        is_http_date = format_datetime(date, usegmt=True) == header
        return max(0, (date.timestamp() - time.time()) * 1_000) if is_http_date else 0
    except (ValueError, TypeError, OverflowError):
        return 0
