"""HTTP under one account: the token is fetched once, shared, and renewed when it ends."""

from __future__ import annotations

import http.client
import io
import ipaddress
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import IO, Any

from ._errors import JellyFaaSError, failed_answer

# A function may take 900 seconds before its first byte.
TIMEOUT_SECONDS = 960.0
# A token that expires on the way would cost a second request.
EXPIRY_MARGIN_SECONDS = 30.0


@dataclass(frozen=True)
class Response:
    """An answer as it came."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One whose body is still to be read."""

    status: int
    headers: Message
    stream: IO[bytes]


@dataclass(frozen=True)
class Request:
    method: str = "GET"
    headers: dict[str, str] | None = None
    body: bytes | None = None
    timeout_seconds: float = TIMEOUT_SECONDS


@dataclass(frozen=True)
class _Token:
    value: str
    usable_until: float


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry key and token to wherever it points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)
_direct_opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def _opener_for(url: str) -> urllib.request.OpenerDirector:
    """A proxy that the environment names would get, in the clear, what does not leave this machine otherwise."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return _direct_opener if is_here else _opener


class Session:
    def __init__(self, url: str, api_key: str) -> None:
        self.url = url.rstrip("/")
        self._api_key = api_key
        self._lock = threading.Lock()
        self._known: _Token | None = None

    def get_with_key(self, path: str) -> Any:
        """The JSON of a GET of the control plane with the API key."""
        request = Request(headers={"x-jf-apikey": self._api_key}, timeout_seconds=30.0)
        with self._open(f"{self.url}{path}", request) as answer:
            with broken_off():
                body = answer.stream.read()
        if answer.status != 200:
            raise failed_answer(answer.status, body)
        return json.loads(body)

    def validate(self) -> dict[str, str]:
        key: dict[str, str] = self.get_with_key("/auth-service/v1/validate")
        expiry = datetime.fromisoformat(key["expiry"].replace("Z", "+00:00"))
        self._known = _Token(key["token"], expiry.timestamp() - EXPIRY_MARGIN_SECONDS)
        return key

    def send_with_token(self, url: str, request: Request) -> Response:
        with self.open_with_token(url, request) as answer, broken_off():
            return Response(answer.status, answer.headers, answer.stream.read())

    @contextmanager
    def open_with_token(self, url: str, request: Request) -> Iterator[Answer]:
        """Any request with the token, once more with a new one if the server no longer takes it."""
        token = self._token()
        with self._open(url, _with_token(request, token)) as answer:
            if answer.status != 403:
                yield answer
                return
            with broken_off():
                body = answer.stream.read()
        if error_id_of(body) != "auth.invalid_token":
            yield Answer(403, answer.headers, io.BytesIO(body))
            return
        with self._open(url, _with_token(request, self._token(refused=token))) as answer:
            yield answer

    def _token(self, refused: str | None = None) -> str:
        with self._lock:
            known = self._known
            if known is None or known.value == refused or known.usable_until <= time.time():
                return self.validate()["token"]
            return known.value

    @contextmanager
    def _open(self, url: str, request: Request) -> Iterator[Answer]:
        outgoing = urllib.request.Request(
            url, data=request.body, headers=request.headers or {}, method=request.method
        )
        try:
            answer = _opener_for(url).open(outgoing, timeout=request.timeout_seconds)
        except urllib.error.HTTPError as error:
            # An answer all the same: urllib raises for every status that is not 2xx.
            answer = error
        except (OSError, http.client.HTTPException):
            # Without its cause, whose text may hold the URL and so the query.
            raise JellyFaaSError(
                f"The server at {self.url} cannot be reached.", error_id="sdk.unreachable"
            ) from None
        with answer:
            yield Answer(answer.status, answer.headers, answer)


@contextmanager
def broken_off() -> Iterator[None]:
    """Turns a connection that ends in the middle of an answer into an error of ours."""
    try:
        yield
    except (OSError, http.client.HTTPException):
        raise JellyFaaSError("The answer broke off before its end.", error_id="sdk.answer_cut") from None


def _with_token(request: Request, token: str) -> Request:
    headers = {**(request.headers or {}), "jfwt": token}
    return Request(request.method, headers, request.body, request.timeout_seconds)


def error_id_of(body: bytes) -> object:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    return (parsed.get("errorId") or parsed.get("code")) if isinstance(parsed, dict) else None
