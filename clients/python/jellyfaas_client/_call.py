"""One call of a function: what is sent and how its answer is decoded."""

from __future__ import annotations

import json as json_module
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Union

from ._errors import JellyFaaSError, failed_answer, misuse
from ._session import TIMEOUT_SECONDS, Request, Response, Session

QueryValue = Union[str, int, float, bool]
Query = Mapping[str, Union[QueryValue, Iterable[QueryValue]]]
FileBody = Union[bytes, IO[bytes]]


@dataclass(frozen=True)
class CallInput:
    query: Query | None = None
    json: Any = None
    file: FileBody | None = None
    method: str | None = None
    headers: Mapping[str, str] | None = None
    timeout_seconds: float = TIMEOUT_SECONDS


def send_call(session: Session, lookup: Mapping[str, Any], call: CallInput) -> Response:
    """The answer as it came, whatever its status."""
    if call.json is not None and call.file is not None:
        raise misuse("A call has one body: give either json or file.")
    body, content_type = None, None
    if call.json is not None:
        body, content_type = json_module.dumps(call.json).encode(), "application/json"
    elif call.file is not None:
        body = call.file if isinstance(call.file, bytes) else call.file.read()
        content_type = "application/octet-stream"
    headers = {"content-type": content_type} if content_type is not None else {}
    headers.update({name.lower(): value for name, value in (call.headers or {}).items()})
    return session.send_with_token(
        str(lookup["dns"]) + _query_string(call.query or {}),
        Request(call.method or lookup["requirements"]["requestType"], headers, body, call.timeout_seconds),
    )


def _query_string(query: Query) -> str:
    pairs = [
        (name, _text(one))
        for name, value in query.items()
        for one in ([value] if isinstance(value, (str, int, float)) else value)
    ]
    return f"?{urllib.parse.urlencode(pairs)}" if pairs else ""


def _text(value: QueryValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def decode_answer(response: Response, declared: str) -> Any:
    """The value of JSON, the text of text/*, else bytes; None when it is empty. A declared FILE is always bytes."""
    if not 200 <= response.status < 300:
        raise failed_answer(response.status, response.body)
    if declared == "FILE":
        return response.body
    if not response.body:
        return None
    content_type = response.headers.get_content_type()
    if declared == "JSON" or content_type == "application/json" or content_type.endswith("+json"):
        try:
            return json_module.loads(response.body)
        except ValueError:
            raise JellyFaaSError(
                "The answer is not JSON.",
                error_id="sdk.answer_not_json",
                status=response.status,
                body=response.body,
            ) from None
    if content_type.startswith("text/"):
        return response.body.decode("utf-8", "replace")
    return response.body
