from __future__ import annotations

import json as json_module
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Union

from ._call import CallInput, FileBody, Query, decode_answer, send_call
from ._errors import failed_answer
from ._events import answer_events
from ._session import TIMEOUT_SECONDS, Answer, Request, Response, Session, broken_off, error_id_of
from ._sql import SqlDatabase, ask_sql, ask_sql_stream, list_sql
from ._vectors import VectorDatabase, list_vectors

# How long a function's address is taken for known.
LOOKUP_AGE_SECONDS = 60.0
LOOKUPS_MAX = 1000

Functions = Union[Sequence[str], Literal["library"]]


def look_up(session: Session, name: str, version: int | None) -> dict[str, Any]:
    query = {"id": name, **({} if version is None else {"version": str(version)})}
    found: dict[str, Any] = session.get_with_key(f"/auth-service/v1/lookup?{urllib.parse.urlencode(query)}")
    return found


class JellyFaaS:
    """Everything in one call each; made by jellyfaas(). May be shared by threads. Raises JellyFaaSError."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lookups: dict[tuple[str, int | None], tuple[dict[str, Any], float]] = {}

    def validate(self) -> dict[str, str]:
        """Exchanges the API key for a token now: {"token", "expiry"}. Otherwise the first call does."""
        return self._session.validate()

    def lookup(self, name: str, *, version: int | None = None) -> dict[str, Any]:
        """Where a function is called ("dns") and what it takes ("requirements"); kept for a minute."""
        found, until = self._lookups.get((name, version), ({}, 0.0))
        if until > time.monotonic():
            return found
        found = look_up(self._session, name, version)
        if len(self._lookups) >= LOOKUPS_MAX:
            self._lookups.clear()
        self._lookups[(name, version)] = (found, time.monotonic() + LOOKUP_AGE_SECONDS)
        return found

    def invoke(
        self,
        name: str,
        *,
        query: Query | None = None,
        json: Any = None,
        file: FileBody | None = None,
        version: int | None = None,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Any:
        """Calls a function and decodes its answer: the value of JSON, the text of text/*, else bytes."""
        call = CallInput(query, json, file, method, headers, timeout_seconds)
        response = self.call(name, call, version=version)
        declared = self.lookup(name, version=version)["requirements"]["outputType"]
        return decode_answer(response, declared)

    def call(self, name: str, call: CallInput = CallInput(), *, version: int | None = None) -> Response:
        """Calls a function; its answer as it came, whatever the status."""
        response = send_call(self._session, self.lookup(name, version=version), call)
        # A version that was deleted since the lookup: the newest is another one now.
        if response.status == 404 and error_id_of(response.body) == "deployment.not_found":
            self._lookups.clear()
            return send_call(self._session, self.lookup(name, version=version), call)
        return response

    def ask(
        self,
        question: str,
        *,
        functions: Functions = (),
        sources: Sequence[str] = (),
        history: Sequence[Mapping[str, str]] = (),
        platform: str | None = None,
        response_schema: Mapping[str, Any] | None = None,
        trace: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        """{"answer", "finish", "platform", "model", "retention"} and, if asked for, "trace".

        functions: shortnames that the model may call, or "library" for any of your own.
        sources: outside MCP servers of the account whose approved tools the model may call, too.
        history: earlier turns, {"role", "content"}; the platform remembers none.
        response_schema: JSON Schema; "answer" is then JSON text of it.
        """
        body = _query(question, functions, sources, history, platform, response_schema, trace)
        with self._post(body, "application/json", timeout_seconds) as answer, broken_off():
            result: dict[str, Any] = json_module.loads(answer.stream.read())
            return result

    def ask_stream(
        self,
        question: str,
        *,
        functions: Functions = (),
        sources: Sequence[str] = (),
        history: Sequence[Mapping[str, str]] = (),
        platform: str | None = None,
        response_schema: Mapping[str, Any] | None = None,
        trace: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Iterator[dict[str, Any]]:
        """What is heard while a question is answered, by "type": text, with trace tool-call, tool-result,
        tool-refused and tools-withheld, and last answer.

        Closing the iterator cancels the question.
        """
        body = _query(question, functions, sources, history, platform, response_schema, trace)
        with self._post(body, "text/event-stream", timeout_seconds) as answer:
            yield from answer_events(answer)

    def vectors(self, name: str) -> VectorDatabase:
        """A vector database: documents to search and ask. Nothing is sent before one of its methods is called."""
        return VectorDatabase(self._session, name)

    def list_vectors(self) -> list[dict[str, Any]]:
        return list_vectors(self._session)

    def sql(self, name: str) -> SqlDatabase:
        """An SQL database of yours. Nothing is sent before one of its methods is called."""
        return SqlDatabase(self._session, name)

    def list_sql(self) -> list[dict[str, Any]]:
        return list_sql(self._session)

    def ask_sql(self, question: str, **options: Any) -> dict[str, Any]:
        """Asks any database in words: {"answer", "sql", "columns", ...} and, if asked for, "trace".

        database: one of yours; or connection, of another: Go's MySQL form, mysql:// or postgres://.
        tables: what may be read; all of your own database unless given.
        rows: "none": no value reaches the model, which writes words with gaps. Default: "all", "none" for outside models.
        explain_only: write the statement and do not run it. trace: tell statements, refusals and rows. platform.
        """
        return ask_sql(self._session, question, **options)

    def ask_sql_stream(self, question: str, **options: Any) -> Iterator[dict[str, Any]]:
        """What is heard meanwhile, by "type": text, with trace statement, refused and result, and last answer."""
        return ask_sql_stream(self._session, question, **options)

    @contextmanager
    def _post(self, body: Mapping[str, Any], accept: str, timeout_seconds: float) -> Iterator[Answer]:
        headers = {"accept": accept, "content-type": "application/json"}
        request = Request("POST", headers, json_module.dumps(body).encode(), timeout_seconds)
        with self._session.open_with_token(f"{self._session.url}/api/v1/ai/query", request) as answer:
            if answer.status != 200:
                with broken_off():
                    raise failed_answer(answer.status, answer.stream.read())
            yield answer


def _query(
    question: str,
    functions: Functions,
    sources: Sequence[str],
    history: Sequence[Mapping[str, str]],
    platform: str | None,
    response_schema: Mapping[str, Any] | None,
    trace: bool,
) -> dict[str, Any]:
    messages = [*history, {"role": "user", "content": question}]
    body: dict[str, Any] = {"messages": messages, "trace": trace}
    body["functions"] = functions if isinstance(functions, str) else list(functions)
    if sources:
        body["sources"] = list(sources)
    if platform is not None:
        body["platform"] = platform
    if response_schema is not None:
        body["responseSchema"] = response_schema
    return body


def jellyfaas(*, url: str, api_key: str) -> JellyFaaS:
    """One account on one server. Keep it: it holds the token."""
    return JellyFaaS(Session(url, api_key))
