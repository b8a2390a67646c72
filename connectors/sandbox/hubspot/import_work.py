"""The work of one import: each row finds its record or makes one, each bad cell becomes an error, the rest is saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import HubSpotError
from connectors.sandbox.hubspot.import_requests import BY_ID, Column
from connectors.sandbox.hubspot.import_values import BadCell, Cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from connectors.sandbox.hubspot.import_requests import ImportRequest
    from connectors.sandbox.hubspot.parties import Caller
    from connectors.sandbox.hubspot.portal import Portal

_BATCH = 100


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """What was wrong with a row, or with one cell of it; `column` counts from 1."""

    error_type: str
    message: str
    line: int
    row: Sequence[str]
    column: int | None = None
    value: str | None = None


@dataclass(slots=True)
class Row:
    """One readable row: its record's id (None: to be made), and the values it sets."""

    line: int
    cells: Sequence[str]
    record_id: str | None
    values: dict[str, str]


@dataclass(slots=True)
class ImportWork:
    """Works an import off, batch by batch; `counters` and `errors` grow as it goes."""

    portal: Portal
    caller: Caller
    request: ImportRequest
    stopped: Callable[[], bool]
    counters: Counter[str] = field(default_factory=Counter)
    errors: list[ImportProblem] = field(default_factory=list)
    _readers: list[Cells | None] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _by_key: dict[str, list[str]] = field(default_factory=dict)

    def run(self, share: float = 1.0) -> None:
        """Do the rows, or the first `share` of them."""
        request = self.request
        self.counters["TOTAL_ROWS"] = len(request.rows)
        self._prepare()
        rows = self._readable(request.rows[: int(len(request.rows) * share)])
        for batch in _batches(rows):
            if self.stopped():
                return
            self._save(batch)
            self.counters["ERRORS"] = len(self.errors)
        self.counters["ERRORS"] = len(self.errors)

    def _prepare(self) -> None:
        definitions = {one["name"]: one for one in self.portal.properties(self.request.object_type.name)}
        for place, column in enumerate(self.request.columns, 1):
            known = definitions.get(column.property)
            if column.property and not column.finds and known is None:
                message = f"There is no property {column.property!r}"
                self._note("PROPERTY_DEFINITION_NOT_FOUND", message, 1, [], place, column.property)
            reads = known is not None and column.finds != BY_ID
            self._readers.append(
                Cells.of(self.portal, known, self.request.date_format) if known and reads else None
            )
            self.counters["MAPPED_COLUMNS"] += bool(column.property or column.finds)
        key = self.request.key
        if key is not None:
            self._by_key = self._known_keys(self.request.columns[key])

    def _known_keys(self, column: Column) -> dict[str, list[str]]:
        """Record ids by what the column that finds them holds, in lower case."""
        name = "hs_object_id" if column.finds == BY_ID else column.property
        table = self.portal.table(self.request.object_type.name, [name], {})
        ids: list[str] = table["hs_object_id"].to_pylist()
        if column.finds == BY_ID:
            return {record_id: [record_id] for record_id in ids}
        found: dict[str, list[str]] = {}
        for record_id, key in zip(ids, table[name].to_pylist(), strict=True):
            if key:
                found.setdefault(key.lower(), []).append(record_id)
        return found

    def _readable(self, rows: Sequence[Sequence[str]]) -> Iterator[Row]:
        for line, cells in enumerate(rows, self.request.header_lines + 1):
            row = self._row(line, cells)
            if row is not None:
                yield row

    def _row(self, line: int, cells: Sequence[str]) -> Row | None:
        """The row, or None if it cannot be saved at all."""
        if len(cells) != len(self.request.columns):
            message = f"The row has {len(cells)} cells instead of {len(self.request.columns)}"
            self._note("INCORRECT_NUMBER_OF_COLUMNS", message, line, cells)
            return None
        try:
            record_id = self._record(cells)
        except BadCell as bad:
            key = self.request.key or 0
            self._note(bad.error_type, bad.message, line, cells, key + 1, cells[key])
            return None
        values = self._values(line, cells)
        if record_id is None and not self._may_make(line, cells, values):
            return None
        return Row(line, cells, record_id, values)

    def _record(self, cells: Sequence[str]) -> str | None:
        """The id of the record that a row is about; None for a new one. Raises `BadCell`."""
        place, operation = self.request.key, self.request.operation
        if place is None:
            return None
        column, key = self.request.columns[place], cells[place].strip().lower()
        by_id = column.finds == BY_ID
        if not key and operation != "UPDATE":
            return None
        found = self._by_key.get(key, [])
        if len(found) > 1:
            raise BadCell(
                "MULTIPLE_COMPANIES_WITH_THIS_DOMAIN", f"Several records have {column.property} {key}"
            )
        if not found and (by_id or not key):
            raise BadCell("INVALID_RECORD_ID", f"There is no record with the id {key!r}")
        if not found and operation == "UPDATE":
            raise BadCell("UPDATE_ONLY_IMPORT", f"There is no record to update with {column.property} {key}")
        if found and operation == "CREATE":
            raise BadCell("CREATE_ONLY_IMPORT", f"There is a record already with {column.property} {key}")
        if key in self._seen:
            kind = "DUPLICATE_RECORD_ID" if by_id else "DUPLICATE_ALTERNATE_ID"
            raise BadCell(kind, f"{key} stands in more than one row")
        self._seen.add(key)
        return found[0] if found else None

    def _values(self, line: int, cells: Sequence[str]) -> dict[str, str]:
        """What the row sets: empty cells set nothing, bad ones are left out and noted."""
        values: dict[str, str] = {}
        for place, (column, reader, cell) in enumerate(
            zip(self.request.columns, self._readers, cells, strict=True), 1
        ):
            if reader is None or not cell.strip():
                continue
            try:
                values[column.property] = reader.value(cell)
            except BadCell as bad:
                self._note(bad.error_type, bad.message, line, cells, place, cell)
        return values

    def _may_make(self, line: int, cells: Sequence[str], values: dict[str, str]) -> bool:
        missing = [name for name in self.request.object_type.required if name not in values]
        if missing:
            message = f"A new record needs {', '.join(missing)}"
            self._note("MISSING_REQUIRED_PROPERTY", message, line, cells)
        return not missing

    def _save(self, batch: Sequence[Row]) -> None:
        for row in self._made([row for row in batch if row.record_id is None]):
            self._count(row, "CREATED_OBJECTS")
        for row in self._changed([row for row in batch if row.record_id is not None]):
            self._count(row, "UPDATED_OBJECTS")

    def _count(self, row: Row, counter: str) -> None:
        self.counters[counter] += 1
        self.counters["UNIQUE_OBJECTS_WRITTEN"] += 1
        self.counters["PROPERTY_VALUES_EMITTED"] += len(row.values)

    def _made(self, rows: Sequence[Row]) -> Iterable[Row]:
        inputs = [{"properties": row.values, "objectWriteTraceId": str(row.line)} for row in rows]
        if not inputs:
            return []
        try:
            batch = self.portal.create(self.caller, self._type, inputs, source="IMPORT")
        except HubSpotError as error:
            return self._alone(rows, error, self._made)
        refused = {
            line: entry for entry in batch.errors for line in entry["context"].get("objectWriteTraceId", ())
        }
        for row in rows:
            if str(row.line) in refused:
                self._note("UNKNOWN_BAD_REQUEST", refused[str(row.line)]["message"], row.line, row.cells)
        return [row for row in rows if str(row.line) not in refused]

    def _changed(self, rows: Sequence[Row]) -> Iterable[Row]:
        inputs = [{"id": row.record_id, "properties": row.values} for row in rows]
        if not inputs:
            return []
        try:
            batch = self.portal.update(self.caller, self._type, inputs, source="IMPORT")
        except HubSpotError as error:
            return self._alone(rows, error, self._changed)
        done = {one["id"] for one in batch.results}
        for row in rows:
            if row.record_id not in done:
                message = f"There is no record with the id {row.record_id}"
                self._note("INVALID_RECORD_ID", message, row.line, row.cells)
        return [row for row in rows if row.record_id in done]

    def _alone(
        self, rows: Sequence[Row], error: HubSpotError, save: Callable[[Sequence[Row]], Iterable[Row]]
    ) -> Iterable[Row]:
        """Rows that were refused together are tried one by one; a single one is an error."""
        if len(rows) == 1:
            self._note("UNKNOWN_BAD_REQUEST", error.message, rows[0].line, rows[0].cells)
            return []
        return [saved for row in rows for saved in save([row])]

    @property
    def _type(self) -> str:
        return self.request.object_type.name

    def _note(self, error_type: str, message: str, line: int, row: Sequence[str], *cell: Any) -> None:
        self.errors.append(ImportProblem(error_type, message, line, row, *cell))


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
