"""Vector databases: documents to search and ask."""

from __future__ import annotations

import json as json_module
import os
import secrets
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Callable, Union

from ._control import given, json_request, read, read_events
from ._errors import JellyFaaSError
from ._session import Request, Session

DocumentBody = Union[bytes, IO[bytes]]
VECTORS = "/api/v1/vectors"


class VectorDatabase:
    """One vector database by its name; made by client.vectors(name), whether it exists yet or not."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    def create(
        self,
        *,
        kind: str = "sealed",
        resolver: str | None = None,
        metric: str = "cosine",
        model: str | None = None,
        dimensions: int | None = None,
    ) -> dict[str, Any]:
        """kind: "sealed" keeps passages, encrypted; "strict" asks the resolver, a function of yours, for the text.

        dimensions: for vectors that you bring; else the model embeds, the server's default unless given.
        """
        options = {"resolver": resolver, "model": model, "dimensions": dimensions}
        body = {"name": self.name, "kind": kind, "metric": metric, **given(options)}
        return self._json("POST", VECTORS, body)

    def describe(self) -> dict[str, Any]:
        return self._json("GET", self._path())

    def upload(
        self,
        file: DocumentBody,
        *,
        file_name: str | None = None,
        document_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        on_progress: Callable[[dict[str, Any]], None] = lambda progress: None,
    ) -> dict[str, Any]:
        """Sends a document and returns when it can be searched: {"uploadId", "documentId", "passages", ...}.

        file_name: its ending tells the format; an open file brings its own. Kept as a keyed hash alone.
        """
        content = file if isinstance(file, bytes) else file.read()
        name = file_name or os.path.basename(str(getattr(file, "name", "document")))
        # Fields come first: the server reads the file as it arrives.
        fields = given({"documentId": document_id})
        if metadata is not None:
            fields["metadata"] = json_module.dumps(metadata)
        body, content_type = _form(fields, name, content)
        request = Request("POST", {"content-type": content_type}, body)
        upload_id = str(read(self._session, self._path("/documents"), request)["uploadId"])
        return self._watch(upload_id, on_progress)

    def upsert(self, records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """records: {"id", "text" or "vector", "metadata"}; all or none. {"inserted", "updated"}"""
        return self._json("POST", self._path("/records"), {"records": list(records)})

    def delete(
        self, *, ids: Sequence[str] | None = None, filter: Mapping[str, Any] | None = None
    ) -> int:
        """Deletes records by id or by filter; how many there were."""
        what = {"filter": filter} if ids is None else {"ids": list(ids)}
        return int(self._json("POST", self._path("/delete"), what)["deleted"])

    def query(
        self,
        text: str | None = None,
        *,
        vector: Sequence[float] | None = None,
        top_k: int = 10,
        filter: Mapping[str, Any] | None = None,
        min_score: float | None = None,
        mode: str = "hybrid",
        rerank: bool = False,
    ) -> dict[str, Any]:
        """{"hits", "changed"}: the nearest passages, and of strict databases those whose text has changed."""
        body = {"text": text, "vector": vector, "filter": filter, "minScore": min_score}
        return self._json(
            "POST",
            self._path("/query"),
            {**given(body), "topK": top_k, "mode": mode, "rerank": rerank},
        )

    def ask(self, question: str, **options: Any) -> dict[str, Any]:
        """{"answer", "engine", "citations", ...}. Options: retrieval_text, top_k, filter, min_score, rerank, platform.

        engine: "model", "extractive" (no model: passages as they stand) or "none" (nothing relevant was found).
        """
        return self._json("POST", self._path("/ask"), _question(question, **options))

    def ask_stream(self, question: str, **options: Any) -> Iterator[dict[str, Any]]:
        """What is heard while documents are asked, by "type": text, and last answer. Options as of ask."""
        return read_events(
            self._session, self._path("/ask"), "POST", _question(question, **options)
        )

    def documents(self, *, after: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        query = urllib.parse.urlencode(given({"after": after, "limit": limit}))
        found: list[dict[str, Any]] = self._json("GET", self._path(f"/documents?{query}"))["documents"]
        return found

    def delete_document(self, document_id: str) -> None:
        path = self._path(f"/documents/{urllib.parse.quote(document_id, safe='')}")
        read(self._session, path, Request("DELETE"))

    def drop(self) -> dict[str, str]:
        """Destroys the database at once: {"id", "receipt"}, signed by the server: the key of this id is gone."""
        return self._json("DELETE", self._path())

    def _watch(self, upload_id: str, on_progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        progress: dict[str, Any] = {}
        for event in read_events(self._session, f"/api/v1/uploads/{urllib.parse.quote(upload_id)}"):
            progress = {name: value for name, value in event.items() if name != "type"}
            on_progress(progress)
        if progress.get("status") != "completed":
            error = progress.get("error") or {
                "code": "sdk.answer_cut",
                "message": "The upload was not seen to its end.",
            }
            raise JellyFaaSError(error["message"], error_id=error["code"])
        return progress

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return read(self._session, path, json_request(method, body, {}))

    def _path(self, rest: str = "") -> str:
        return f"{VECTORS}/{urllib.parse.quote(self.name, safe='')}{rest}"


def list_vectors(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(session, VECTORS, Request())["databases"]
    return found


def _question(
    question: str,
    *,
    retrieval_text: str | None = None,
    top_k: int | None = None,
    filter: Mapping[str, Any] | None = None,
    min_score: float | None = None,
    rerank: bool = False,
    platform: str | None = None,
) -> dict[str, Any]:
    options = {
        "retrievalText": retrieval_text,
        "topK": top_k,
        "filter": filter,
        "minScore": min_score,
        "platform": platform,
    }
    return {"question": question, "rerank": rerank, **given(options)}


def _form(fields: Mapping[str, str], file_name: str, content: bytes) -> tuple[bytes, str]:
    """multipart/form-data: the fields, then the file."""
    boundary = f"jellyfaas-{secrets.token_hex(16)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    escaped = file_name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{escaped}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"
