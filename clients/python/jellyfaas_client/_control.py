"""Requests to /api/v1 with the token; failed answers raise what they mean."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator, Mapping
from typing import Any

from ._errors import failed_answer
from ._events import answer_events
from ._session import TIMEOUT_SECONDS, Request, Session, broken_off


def read(session: Session, path: str, request: Request) -> Any:
    response = session.send_with_token(f"{session.url}{path}", request)
    if not 200 <= response.status < 300:
        raise failed_answer(response.status, response.body)
    return json_module.loads(response.body) if response.body else None


def json_request(method: str, body: Mapping[str, Any] | None, headers: dict[str, str]) -> Request:
    if body is None:
        return Request(method, headers)
    encoded = json_module.dumps(body).encode()
    return Request(method, {**headers, "content-type": "application/json"}, encoded, TIMEOUT_SECONDS)


def read_events(
    session: Session, path: str, method: str = "GET", body: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    request = json_request(method, body, {"accept": "text/event-stream"})
    with session.open_with_token(f"{session.url}{path}", request) as answer:
        if answer.status != 200:
            with broken_off():
                raise failed_answer(answer.status, answer.stream.read())
        yield from answer_events(answer)


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
