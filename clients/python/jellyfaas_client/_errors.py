from __future__ import annotations

import json


class JellyFaaSError(Exception):
    """The one error of this package.

    error_id: the server's stable code ("auth.invalid_token", ...) or one of our own ("sdk....").
    status: HTTP status; 0 when there was no answer.
    body: what was answered, at most 64 KiB; not part of the message.
    """

    def __init__(self, message: str, *, error_id: str, status: int = 0, body: bytes = b"") -> None:
        super().__init__(message)
        self.error_id = error_id
        self.status = status
        self.body = body


BODY_BYTES_MAX = 64 * 1024


def failed_answer(status: int, body: bytes) -> JellyFaaSError:
    """The error that a failed answer means; both error shapes of the server are understood."""
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    return error_from(parsed, status, body)


def error_from(parsed: object, status: int, body: bytes = b"") -> JellyFaaSError:
    fields = parsed if isinstance(parsed, dict) else {}
    message = fields.get("errorMessage") or fields.get("detail")
    error_id = fields.get("errorId") or fields.get("code")
    return JellyFaaSError(
        str(message or f"The server answered with status {status}."),
        error_id=str(error_id or f"http.{status}"),
        status=status,
        body=body[:BODY_BYTES_MAX],
    )


def misuse(message: str) -> JellyFaaSError:
    return JellyFaaSError(message, error_id="sdk.misuse")
