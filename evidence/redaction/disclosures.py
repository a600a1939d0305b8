"""What was withheld of one part of a run, so that chosen pieces can be shown later: JSON lines, never in a bundle.

The first line says which run, which policy and, in the file that is kept, the run's key; each further line is one piece with its salt.
Law: every salt follows from the run's key, the piece's place and its body, so that recording again gives the same commitments; equal bodies
at two places have two salts, and so have two bodies that come to one place, such as those of a span that is sent twice.
A file of chosen pieces has no key, from which the other salts would follow.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from evidence.canonical import JsonObject, canonical, parse_object
from evidence.errors import CanonicalError, DisclosureError
from evidence.redaction.commitment import HMAC_SHA256, SALT_BYTES, Commitment, Withheld, commit

SCHEMA_VERSION = "disclosures-v1"
SUFFIX = ".disclosures.ndjson"
LINE_BYTES_MAX = 128 * 1024 * 1024
"""Size of one line: a body of the largest event, escaped."""

_PIECE: Mapping[str, type] = {
    "alg": str, "body": str, "digest": str, "event": str, "form": str, "index": int, "name": str, "pointer": str,
    "reason": str, "salt": str, "size_bytes": int,
}  # fmt: skip
_FORMS = ("text", "otlp", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece that was withheld, and all it takes to prove it."""

    event: str
    """Id of the event that the commitment is in."""
    pointer: str
    """JSON pointer, within the event, of the text or member that holds the commitment."""
    index: int
    """Which of the pieces there it is, from 0."""
    name: str
    """Key of the attribute, or path of the member; empty for none."""
    form: str
    """What the body is: `text`, or the canonical JSON of an `otlp` or plain `json` value."""
    body: str
    salt: bytes
    commitment: Commitment

    def line(self) -> bytes:
        """The piece as a line, without the newline that ends it."""
        return canonical(
            {
                "event": self.event,
                "pointer": self.pointer,
                "index": self.index,
                "name": self.name,
                "form": self.form,
                "body": self.body,
                "salt": self.salt.hex(),
                "reason": self.commitment.reason,
                **self.commitment.to_json(),
            }
        )

    @property
    def place(self) -> tuple[str, str, int]:
        """What tells it from every other piece."""
        return self.event, self.pointer, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file of disclosures is about."""

    run_id: str
    part: int
    policy: JsonObject
    """Id, version and digest."""
    key: bytes | None = None
    """The run's key; None in a file of chosen pieces."""

    def line(self) -> bytes:
        """The header as a line, without the newline that ends it."""
        content = {"schema_version": SCHEMA_VERSION, "run_id": self.run_id, "part": self.part, "policy": self.policy}
        return canonical(content | ({"key": self.key.hex()} if self.key else {}))


class PieceMaker:
    """Commits to the pieces of one item.

    Args:
        key: the run's.
        place: what tells the item from every other of the run, the same when it is recorded again.
    """

    def __init__(self, key: bytes, place: tuple[str | int, ...]) -> None:
        self._key = hmac.new(key, canonical(list(place)), hashlib.sha256).digest()
        self._pieces: list[tuple[Withheld, bytes, Commitment]] = []

    def __call__(self, piece: Withheld) -> Commitment:
        """Commit to one piece."""
        body = hashlib.sha256(piece.body.encode()).hexdigest()
        salt = hmac.new(self._key, canonical([piece.pointer, piece.index, body]), hashlib.sha256).digest()
        commitment = commit(piece.body, salt, piece.reason)
        self._pieces.append((piece, salt, commitment))
        return commitment

    def __len__(self) -> int:
        return len(self._pieces)

    def reasons(self) -> list[str]:
        """Why each piece is withheld."""
        return [piece.reason for piece, _, _ in self._pieces]

    def pieces(self, event: str) -> list[Piece]:
        """The pieces of the event whose data the item became."""
        return [
            Piece(
                event=event,
                pointer=f"/data{piece.pointer}",
                index=piece.index,
                name=piece.name,
                form=piece.form,
                body=piece.body,
                salt=salt,
                commitment=commitment,
            )
            for piece, salt, commitment in self._pieces
        ]


def read(lines: Iterable[bytes], file: str) -> tuple[Header, Iterator[Piece]]:
    """Read a file of disclosures: its header, and its pieces as they come.

    Raises:
        DisclosureError: a line is not what it must be; with file and line. Never with what it holds.
    """
    each = iter(lines)
    first = _object(next(each, b""), f"{file}:1")
    if first.get("schema_version") != SCHEMA_VERSION:
        raise DisclosureError(f"{file}:1: expected schema_version {SCHEMA_VERSION}")
    run_id, part, policy, key = (first.get(name) for name in ("run_id", "part", "policy", "key"))
    if not isinstance(run_id, str) or type(part) is not int or not isinstance(policy, dict):
        raise DisclosureError(f"{file}:1: expected run_id, part and policy")
    if key is not None and (not isinstance(key, str) or _salt(key) is None):
        raise DisclosureError(f"{file}:1: key: expected {2 * SALT_BYTES} hexadecimal characters")
    header = Header(run_id=run_id, part=part, policy=policy, key=_salt(key) if key else None)
    return header, (_piece(line, f"{file}:{number}") for number, line in enumerate(each, 2))


def _piece(line: bytes, where: str) -> Piece:
    members = _object(line, where)
    for name, kind in _PIECE.items():
        if type(members.get(name)) is not kind:
            raise DisclosureError(f"{where}: {name}: expected {kind.__name__}")
    if unknown := members.keys() - _PIECE.keys():
        raise DisclosureError(f"{where}: {len(unknown)} unknown members")
    salt = _salt(members["salt"])
    if salt is None or members["form"] not in _FORMS or members["alg"] != HMAC_SHA256 or members["index"] < 0:
        raise DisclosureError(f"{where}: salt, form, alg or index is not what it must be")
    commitment = Commitment(**{name: members[name] for name in ("alg", "digest", "size_bytes", "reason")})
    plain = {name: members[name] for name in ("event", "pointer", "index", "name", "form", "body")}
    return Piece(**plain, salt=salt, commitment=commitment)


def _salt(text: str) -> bytes | None:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if len(text) == 2 * len(data) == 2 * SALT_BYTES else None


def _object(line: bytes, where: str) -> JsonObject:
    line = line.removesuffix(b"\n")
    if len(line) > LINE_BYTES_MAX:
        raise DisclosureError(f"{where}: expected at most {LINE_BYTES_MAX} bytes")
    try:
        return parse_object(line)
    except CanonicalError:
        raise DisclosureError(f"{where}: expected one canonical JSON object") from None
