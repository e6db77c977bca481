"""The step-by-step form: version, lookup, query and body, invoke."""

from __future__ import annotations

import json as json_module
from typing import Any

from ._call import CallInput, FileBody, Query, decode_answer, send_call
from ._client import look_up
from ._errors import failed_answer, misuse
from ._session import Request, Response, Session


class Config:
    """The server and the account for Client and AIClient; the token is fetched with the first call."""

    def __init__(self, api_key: str, *, url: str) -> None:
        self.session = Session(url, api_key)

    def validate(self) -> dict[str, str]:
        """Exchanges the key now, to learn early that it is good."""
        return self.session.validate()


class Client:
    """One call, step by step. What was set stays for further calls."""

    def __init__(self, config: Config) -> None:
        self._session = config.session
        self._version: int | None = None
        self._found: dict[str, Any] | None = None
        self._query: Query | None = None
        self._json: Any = None
        self._file: FileBody | None = None

    def set_version(self, version: int) -> Client:
        """For the lookup that follows; the newest unless set."""
        if version < 1:
            raise misuse("A version is a whole number from 1 on.")
        self._version = version
        return self

    def lookup_function(self, name: str) -> Client:
        self._found = look_up(self._session, name, self._version)
        self._query = self._json = self._file = None
        return self

    def get_requirements(self) -> dict[str, Any]:
        """What the function that was looked up takes and answers."""
        requirements: dict[str, Any] = self._lookup()["requirements"]
        return requirements

    def set_function_query_params(self, query: Query) -> Client:
        for param in self.get_requirements()["queryParams"]:
            if param["required"] and param["name"] not in query:
                raise misuse(f'The query parameter "{param["name"]}" is required.')
        self._query = query
        return self

    def set_function_json_body(self, json: Any) -> Client:
        self._expect_body("JSON")
        self._json = json
        return self

    def set_function_file_body(self, file: FileBody) -> Client:
        self._expect_body("FILE")
        # Read once: a call that is repeated sends the same bytes.
        self._file = file if isinstance(file, bytes) else file.read()
        return self

    def invoke(self) -> Any:
        """The decoded answer."""
        response = self.call()
        return decode_answer(response, self.get_requirements()["outputType"])

    def call(self) -> Response:
        """The answer as it came, whatever its status."""
        input_type = self.get_requirements()["inputType"]
        if input_type != "NONE" and self._json is None and self._file is None:
            raise misuse(f"The function takes a {input_type} body; set one.")
        # The required parameters are checked where they are set; here, that they were.
        self.set_function_query_params(self._query or {})
        return send_call(self._session, self._lookup(), CallInput(self._query, self._json, self._file))

    def _expect_body(self, given: str) -> None:
        input_type = self.get_requirements()["inputType"]
        if input_type != given:
            raise misuse(f"The function takes {input_type}, not {given}, as its body.")

    def _lookup(self) -> dict[str, Any]:
        if self._found is None:
            raise misuse("Look a function up first: lookup_function(name).")
        return self._found


class AIClient:
    """Questions, answered by the model alone or with one function that it may call."""

    def __init__(self, config: Config) -> None:
        self._session = config.session
        self._function: str | None = None

    def lookup_function(self, name: str) -> AIClient:
        """Lets the model call this function for the queries that follow. Raises if it does not exist."""
        look_up(self._session, name, None)
        self._function = name
        return self

    def query(self, query: str) -> dict[str, Any]:
        path, body = "query", {"query": query}
        if self._function is not None:
            path, body = "function", {**body, "function": self._function}
        response = self._session.send_with_token(
            f"{self._session.url}/query-service/v1/{path}",
            Request("POST", {"content-type": "application/json"}, json_module.dumps(body).encode()),
        )
        if response.status != 200:
            raise failed_answer(response.status, response.body)
        answer: dict[str, Any] = json_module.loads(response.body)
        return answer
