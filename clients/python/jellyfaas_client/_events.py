"""Answers that come as server-sent events."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator
from typing import Any

from ._errors import JellyFaaSError, error_from
from ._session import Answer, broken_off

# Longer than any line of a server that keeps its own limits.
EVENT_BYTES_MAX = 16 * 1024 * 1024


def answer_events(answer: Answer) -> Iterator[dict[str, Any]]:
    """The events of an answer up to its "done". One that ends without, or with an error, raises."""
    for event in _events(answer):
        if event["type"] == "done":
            return
        if event["type"] == "error":
            raise error_from(event, event["status"])
        yield event
    raise JellyFaaSError("The answer was cut off; ask again.", error_id="sdk.answer_cut")


def _events(answer: Answer) -> Iterator[dict[str, Any]]:
    """The data of server-sent events as this server writes them: JSON on one line."""
    while True:
        with broken_off():
            line = answer.stream.readline(EVENT_BYTES_MAX)
        if not line:
            return
        if line.startswith(b"data:"):
            yield json_module.loads(line[5:])
