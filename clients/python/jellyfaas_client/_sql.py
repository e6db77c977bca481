"""SQL databases of the account, and questions in words to any database."""

from __future__ import annotations

import base64
import json as json_module
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Union

from ._control import given, json_request, read, read_events
from ._errors import JellyFaaSError, error_from, failed_answer
from ._session import Request, Session, broken_off

Params = Union[Sequence[Any], Mapping[str, Any]]
SQL = "/api/v1/sql"
# Numbers of JSON are doubles to other clients: larger integers travel as text.
SAFE_INTEGER_MAX = 2**53 - 1


class SqlDatabase:
    """One SQL database by its name; made by client.sql(name), whether it exists yet or not.

    Rows are dicts by column; of two columns with one name the last counts. Blobs are bytes.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    def create(self) -> dict[str, Any]:
        return self._json("POST", SQL, {"name": self.name})

    def describe(self) -> dict[str, Any]:
        return self._json("GET", self._path())

    def query(
        self,
        sql: str,
        params: Params | None = None,
        *,
        read_only: bool = False,
        rows_max: int | None = None,
        timeout_ms: int | None = None,
    ) -> dict[str, Any]:
        """{"columns", "rows", "changes", "lastRowId", "truncated"}"""
        body = {**_statement(sql, params), **_bounds(read_only, rows_max, timeout_ms)}
        return _result(self._json("POST", self._path("/query"), body))

    def batch(
        self,
        statements: Sequence[str | tuple[str, Params]],
        *,
        read_only: bool = False,
        rows_max: int | None = None,
        timeout_ms: int | None = None,
    ) -> list[dict[str, Any]]:
        """All statements, each SQL or (SQL, parameters), in one transaction: all of them, or none."""
        listed = [_statement(one, None) if isinstance(one, str) else _statement(*one) for one in statements]
        body = {"statements": listed, **_bounds(read_only, rows_max, timeout_ms)}
        return [_result(one) for one in self._json("POST", self._path("/batch"), body)["results"]]

    def stream(self, sql: str, params: Params | None = None) -> Iterator[dict[str, Any]]:
        """Rows of one reading statement as they come. Closing the iterator ends the statement."""
        request = json_request("POST", _statement(sql, params), {"accept": "application/x-ndjson"})
        with self._session.open_with_token(f"{self._session.url}{self._path('/query')}", request) as answer:
            if answer.status != 200:
                with broken_off():
                    raise failed_answer(answer.status, answer.stream.read())
            yield from _rows(answer.stream)

    def schema(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._json("GET", self._path("/schema"))["tables"]
        return found

    def migrate(self, migrations: Sequence[tuple[str, str]]) -> list[str]:
        """Applies those of (id, SQL) that were not applied yet, in order; their ids."""
        listed = [{"id": id, "sql": sql} for id, sql in migrations]
        applied: list[str] = self._json("POST", self._path("/migrations"), {"migrations": listed})["applied"]
        return applied

    def import_(self, content: str | bytes, *, table: str | None = None) -> int:
        """SQL text, or CSV into table, whose first line names the columns; how many statements or rows."""
        media_type = "application/sql" if table is None else "text/csv"
        encoded = content.encode() if isinstance(content, str) else content
        query = "" if table is None else f"?{urllib.parse.urlencode({'table': table})}"
        request = Request("POST", {"content-type": media_type}, encoded)
        answer = read(self._session, self._path(f"/import{query}"), request)
        return int(answer["statements"] if table is None else answer["rows"])

    def export(self, *, table: str | None = None) -> str:
        """Everything as SQL text, or one table as CSV."""
        query = "" if table is None else f"?{urllib.parse.urlencode({'format': 'csv', 'table': table})}"
        path = f"{self._session.url}{self._path(f'/export{query}')}"
        response = self._session.send_with_token(path, Request())
        if response.status != 200:
            raise failed_answer(response.status, response.body)
        return response.body.decode()

    def ask(self, question: str, **options: Any) -> dict[str, Any]:
        """{"answer", "sql", "columns", ...}. Options: tables, platform, rows, explain_only, trace."""
        return ask_sql(self._session, question, database=self.name, **options)

    def ask_stream(self, question: str, **options: Any) -> Iterator[dict[str, Any]]:
        """What is heard while the database is asked, by "type": text, and last answer. Options as of ask."""
        return ask_sql_stream(self._session, question, database=self.name, **options)

    def drop(self) -> dict[str, str]:
        """Destroys the database at once: {"id", "receipt"}, signed by the server: the key of this id is gone."""
        return self._json("DELETE", self._path())

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return read(self._session, path, json_request(method, body, {}))

    def _path(self, rest: str = "") -> str:
        return f"{SQL}/{urllib.parse.quote(self.name, safe='')}{rest}"


def list_sql(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(session, SQL, Request())["databases"]
    return found


def ask_sql(session: Session, question: str, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = read(
        session, f"{SQL}/ask", json_request("POST", _question(question, **options), {})
    )
    return answer


def ask_sql_stream(session: Session, question: str, **options: Any) -> Iterator[dict[str, Any]]:
    return read_events(session, f"{SQL}/ask", "POST", _question(question, **options))


def _question(
    question: str,
    *,
    database: str | None = None,
    connection: str | None = None,
    tables: Sequence[str] = (),
    platform: str | None = None,
    rows: str | None = None,
    explain_only: bool = False,
    trace: bool = False,
) -> dict[str, Any]:
    options = {"database": database, "connection": connection, "platform": platform, "rows": rows}
    asked = {"question": question, "tables": list(tables), "explainOnly": explain_only, "trace": trace}
    return {**asked, **given(options)}


def _statement(sql: str, params: Params | None) -> dict[str, Any]:
    if params is None:
        return {"sql": sql}
    if isinstance(params, Mapping):
        return {"sql": sql, "params": {name: _wire(value) for name, value in params.items()}}
    return {"sql": sql, "params": [_wire(value) for value in params]}


def _bounds(read_only: bool, rows_max: int | None, timeout_ms: int | None) -> dict[str, Any]:
    return {"readOnly": read_only, **given({"rowsMax": rows_max, "timeoutMs": timeout_ms})}


def _wire(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, int) and abs(value) > SAFE_INTEGER_MAX:
        return {"int": str(value)}
    return value


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return int(value["int"]) if "int" in value else base64.b64decode(value["base64"])


def _row(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in zip(columns, values)}


def _result(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "rows": [_row(result["columns"], values) for values in result["rows"]]}


def _rows(lines: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Rows of an answer in lines up to its end. One that ends without, or with an error, raises."""
    columns: list[str] = []
    while True:
        with broken_off():
            text = lines.readline()
        if not text:
            raise JellyFaaSError("The answer was cut off; ask again.", error_id="sdk.answer_cut")
        line = json_module.loads(text)
        if isinstance(line, list):
            yield _row(columns, line)
        elif "columns" in line:
            columns = line["columns"]
        elif "error" in line:
            raise error_from(line["error"], line["error"]["status"])
        else:
            return
