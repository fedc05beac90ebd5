"""Documents that clients name instead of sending them, and the list of those that an operator allows.

A client names a document by its SHA-256 (automatic persisted queries, as Apollo's clients send them) or by the id that
it has in the operator's list.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from resolvers.errors import BadRequest, Forbidden, OperationError

MOST_KEPT = 500
MOST_CHARACTERS = 32_000  # of a document that is kept; a longer one is sent each time
_HASH_CHARACTERS = 64
_FORMS = 'an object of ids and documents, or {"operations": [{"id": …, "body": …}]}'


class PersistedQueryNotFound(OperationError):
    """The client sends the document once more, with its hash."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class Documents:
    """The documents that this process was sent with a hash, the newest; or those of a list, and no others."""

    def __init__(self, allowed: Mapping[str, str] | None = None) -> None:
        """`allowed`: documents by their ids; None: any may be sent."""
        self._allowed = None if allowed is None else dict(allowed)
        self._texts = frozenset() if allowed is None else frozenset(allowed.values())
        self._kept: OrderedDict[str, str] = OrderedDict()

    @property
    def allowed(self) -> frozenset[str] | None:
        """The only documents that are answered; None: any may be."""
        return None if self._allowed is None else self._texts

    def check(self, document: str) -> None:
        """Raises Forbidden for a document that is not on the list, if there is one."""
        if self._allowed is not None and document not in self._texts:
            raise Forbidden("this document is not on the list of documents that this service answers")

    def find(self, document: str | None, document_id: str | None, persisted: Any) -> str:
        """The document that is meant, by its text, its id, or `extensions.persistedQuery`.

        Raises BadRequest, PersistedQueryNotFound, and Forbidden as `check` does.
        """
        digest = None if persisted is None else _digest_of(persisted)
        if document is not None:
            self.check(document)
            if digest is not None:
                self._keep(digest, document)
            return document
        wanted = digest or document_id
        if wanted is None:
            raise BadRequest("query must be a text")
        if self._allowed is not None:
            found = self._allowed.get(wanted)
            if found is None:
                raise Forbidden("no document of that id is on the list of documents that this service answers")
            return found
        return self._recall(wanted)

    def _keep(self, digest: str, document: str) -> None:
        if len(document) > MOST_CHARACTERS:
            return
        if sha256(document.encode(errors="surrogatepass")).hexdigest() != digest:
            raise BadRequest("extensions.persistedQuery.sha256Hash is not that of the query")
        self._kept[digest] = document
        self._kept.move_to_end(digest)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _recall(self, digest: str) -> str:
        document = self._kept.get(digest)
        if document is None:
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        self._kept.move_to_end(digest)
        return document


def _digest_of(persisted: Any) -> str:
    match persisted:
        case {"version": 1, "sha256Hash": str() as digest} if len(digest) == _HASH_CHARACTERS:
            return digest.lower()
        case _:
            raise BadRequest("extensions.persistedQuery must have version 1 and a sha256Hash of 64 characters")


def read_allowed(path: Path) -> dict[str, str]:
    """The documents of an operator's list by their ids; each can be named by its SHA-256 too.

    The file is what Relay's compiler and GraphQL Code Generator write, or a manifest of Apollo's. Raises ValueError
    naming the fault.
    """
    try:
        listed = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None
    found = dict(_entries(listed))
    if not found:
        raise ValueError(f"holds no document: should be {_FORMS}")
    return {**{sha256(text.encode()).hexdigest(): text for text in found.values()}, **found}


def _entries(listed: Any) -> Iterator[tuple[str, str]]:
    match listed:
        case {"operations": list(operations)}:
            pairs: Any = [(item.get("id"), item.get("body")) if isinstance(item, dict) else item for item in operations]
        case dict():
            pairs = listed.items()
        case _:
            raise ValueError(f"should be {_FORMS}")
    for entry in pairs:
        match entry:
            case (str() as document_id, str() as text) if document_id and text.strip():
                yield document_id, text
            case _:
                raise ValueError(f"should be {_FORMS}")
