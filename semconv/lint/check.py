"""Looking at profiles: what the reader refuses of them, all of it, and what it takes but cannot be meant.

Law: what the reader refuses has an error; a profile with no error is read. Every finding stands in the file it is about: of
a table laid over another only what its own file says is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from semconv import table
from semconv.errors import ProfileError
from semconv.flaws import flaws
from semconv.lint import detection, reach, rows
from semconv.lint.finding import Finding, Remark
from semconv.lint.reading import Reading, read
from semconv.profile.profile import LAYERS, Profile, Row
from semconv.profile.reader import from_table
from semconv.profile.shared import shared
from semconv.profile.sources import Source, Sources, builtin
from semconv.table import Defect, Path
from semconv.target import load
from semconv.translate import DEFAULT_TARGET


class Linter:
    """Looks at profiles for one target."""

    def __init__(self, target: str) -> None:
        """`target` is the id of a target file. Raises `ProfileError` when there is none."""
        tables = {name: table.parse(table.builtin("tables", name), name) for name in table.builtin_names("tables")}
        self.target = load(target, tables)
        self._metrics = {*self.target.metrics, *load(DEFAULT_TARGET, tables).metrics}
        self.shared = shared(tables, self.target)
        self.builtin = builtin()
        conventions = [
            source
            for source in self.builtin.values()
            if LAYERS[source.content.get("layer", "vendor")] < LAYERS["vendor"]
        ]
        self._common = [from_table(source.content, self.target, self.shared) for source in conventions]

    def files(self, user: Mapping[str, bytes]) -> list[Finding]:
        """Everything there is to say of a user's files, by name to bytes; they are taken to lie in one folder."""
        found: list[Finding] = []
        written = {}
        for file in sorted(user):
            document = self._document(file, user[file], found)
            if document is not None:
                written[file] = document
        sources = Sources(user, written, self.builtin)
        for file in sorted(written):
            try:
                source = sources.source(file)
            except Defect as defect:
                found.append(_placed(file, user[file], Remark(defect.path, defect.code, str(defect))))
                source = Source(file=file, data=user[file], written=written[file], content=written[file], user=True)
            found += self.source(source)
        return sorted(set(found))

    def source(self, source: Source) -> list[Finding]:
        """Everything there is to say of one table and what it is laid over."""
        reading = read(source.content, self.target, self.shared)
        found = list(_told(source, reading.remarks))
        if reading.profile is not None:
            for remark, other in self._judged(reading, reading.profile):
                if reading.written(remark.path)[:2] not in reading.suspect:
                    found += _told(source, [_with_taker(source, reading, remark, other)])
        return found

    def _document(self, file: str, data: bytes, found: list[Finding]) -> dict[str, object] | None:
        """The document of a file, None when there is none; what YAML itself has wrong is told."""
        try:
            table.bounded(data, file)
        except ProfileError as error:
            found.append(Finding(file=file, line=0, column=0, code="too-large", message=error.reason))
            return None
        fatal = False
        for flaw in flaws(data):
            found.append(Finding(file=file, line=flaw.line, column=flaw.column, code=flaw.code, message=flaw.message))
            fatal = fatal or flaw.fatal
        if fatal:
            return None
        try:
            return table.document(data, file)
        except ProfileError as error:
            found.append(Finding(file=file, line=error.line, column=1, code="not-yaml", message=error.reason))
            return None

    def _judged(self, reading: Reading, profile: Profile) -> Iterator[tuple[Remark, Path | None]]:
        """What the reader takes and cannot be meant; beside what cannot be reached, the path of what takes it."""
        tainted = reading.suspect
        entries = [entry for entry in reach.entries(profile) if reading.written(entry.path)[:2] not in tainted]
        yield from reach.unreachable(entries, reading.table, self.target)
        yield from reach.unreachable_elsewhere(profile, reading.table)
        for remark in self._of_rows(entries, reading, profile):
            yield remark, None
        if not any(path[:1] == ("detect",) for path in tainted):
            for remark in detection.detection(profile, self._common):
                yield remark, None
        for remark in detection.namespaces(profile, self.target, reading.table.get("namespaces")):
            yield remark, None

    def _of_rows(self, entries: list[reach.Entry], reading: Reading, profile: Profile) -> Iterator[Remark]:
        yield from rows.keys(entries, reading.table)
        yield from rows.conditions(entries, profile, reading.table, self.target)
        yield from rows.implied(profile, self.target)
        yield from rows.unused_enums(reading.table)
        yield from rows.metrics(profile, reading.table, self._metrics)
        whole = {entry.path: entry.entry for entry in entries if isinstance(entry.entry, Row)}
        for event, path in rows.events(profile, reading.table):
            whole |= {(*path, "attributes", key): row for key, row in event.attributes.items()}
        for path, row in whole.items():
            written = reading.table
            for step in path:
                written = written[step]  # type: ignore[index]  # a path of the table
            for part, place in rows.parts(row, path, written):
                yield from rows.reasons(part, place)
                yield from rows.values(part, place, profile, reading.table.get("enums", {}), self.target)


def _with_taker(source: Source, reading: Reading, remark: Remark, other: Path | None) -> Remark:
    """The remark in the numbers of the table as written, saying where the row stands that takes what this one would."""
    message = remark.message
    if other is not None:
        by, line = source.place(reading.written(other))
        message += f" (line {line})" if by is source else f" ({by.file}:{line})"
    return Remark(reading.written(remark.path), remark.code, message)


def _told(source: Source, remarks: list[Remark]) -> Iterator[Finding]:
    """Remarks at their places, those about the file itself."""
    for remark in remarks:
        by, path = source.origin(remark.path)
        if by is source:
            yield _placed(source.file, source.data, Remark(path, remark.code, remark.message))


def _placed(file: str, data: bytes, remark: Remark) -> Finding:
    line, column = table.position(data, remark.path)
    return Finding(file=file, line=line, column=column, code=remark.code, message=remark.message)
