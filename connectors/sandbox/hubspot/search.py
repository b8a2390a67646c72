"""Search: filters, words and sorts over the living records of a type, as the index knows them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.filters import (
    OPERATORS,
    PASS_WITHOUT_VALUE,
    Filter,
    comparable,
    contains,
    parse_filter,
)
from connectors.sandbox.hubspot.parties import SearchResult
from connectors.sandbox.hubspot.records import LIVING, number_of
from connectors.sandbox.hubspot.stamps import wire_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connectors.sandbox.hubspot.definitions import Property
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.reading import Reader
    from connectors.sandbox.hubspot.state import State
    from connectors.sandbox.hubspot.unindexed import Before

MAX_GROUPS, MAX_FILTERS, MAX_FILTERS_IN_ALL = 5, 6, 18
MAX_PAGE, MAX_RESULTS, MAX_QUERY = 200, 10_000, 3_000
_ASSOCIATIONS = "associations."
_ENDLESS = 2**63


class _Remembered(dict[Any, Any]):
    """What a function tells of a value, asked once for each: few different values are many rows'."""

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, value: Any) -> Any:
        self[value] = self._ask(value)
        return self[value]


@dataclass(frozen=True, slots=True)
class Sort:
    """The one rule by which results are sorted."""

    name: str
    descending: bool


@dataclass(slots=True)
class Query:
    """A search body, checked."""

    groups: list[list[Filter]] = field(default_factory=list)
    linked: list[dict[str, int]] = field(default_factory=list)
    words: str = ""
    sort: Sort | None = None
    limit: int = 10
    start: int = 0


class Searcher:
    """Searches one portal. The caller holds the lock."""

    def __init__(self, state: State, reader: Reader) -> None:
        self._state, self._reader = state, reader

    def search(self, one: ObjectType, body: Mapping[str, Any]) -> SearchResult:
        """One page of what matches."""
        query = self._parse(one, body)
        lagging = self._state.unindexed[one.name].at(self._state.now())
        rows = self._matching(one, query, lagging)
        rows = self._sorted(one, query, rows)
        page = rows[query.start : query.start + query.limit]
        tell = self._reader.view(one, [str(name) for name in _list(body, "properties")])
        results = [tell(row) for row in page]
        for told, row in zip(results, page, strict=True):
            if row in lagging:
                _as_before(one, told, lagging[row], self._state.records(one).columns)
        end = query.start + query.limit
        return SearchResult(len(rows), results, str(end) if end < len(rows) else None)

    def rows(self, one: ObjectType, body: Mapping[str, Any]) -> list[int]:
        """All rows that match, in order: what an export takes, which has no pages."""
        query = self._parse(one, {**body, "limit": None, "after": None})
        lagging = self._state.unindexed[one.name].at(self._state.now())
        return self._sorted(one, query, self._matching(one, query, lagging))

    # What is asked.

    def _parse(self, one: ObjectType, body: Mapping[str, Any]) -> Query:
        groups, loose = _objects(body, "filterGroups"), _objects(body, "filters")
        if loose:
            groups = [*groups, {"filters": loose}]
        filters = [_objects(group, "filters") for group in groups]
        _check_counts(filters)
        query = Query(
            words=str(body.get("query") or ""),
            sort=self._sort(one, _list(body, "sorts")),
            limit=_whole(body.get("limit"), 10, "limit"),
            start=_whole(body.get("after"), 0, "after"),
        )
        _check_window(query)
        for group in filters:
            plain = [
                each for each in group if not str(each.get("propertyName", "")).startswith(_ASSOCIATIONS)
            ]
            query.groups.append([parse_filter(self._property(one, each), each) for each in plain])
            query.linked.append(dict(self._link(each) for each in group if each not in plain))
        return query

    def _property(self, one: ObjectType, body: Mapping[str, Any]) -> Property:
        name = str(body.get("propertyName", ""))
        found = self._state.schema.find(one.name, name)
        if found is None:
            raise invalid(
                "There was a problem with the request.",
                errors=[
                    {
                        "message": f"Property {name} does not exist on {one.singular.upper()}",
                        "in": "propertyName",
                    }
                ],
            )
        return found

    def _link(self, body: Mapping[str, Any]) -> tuple[str, int]:
        """The pseudo-property `associations.{type}`, which can only equal an id."""
        other = self._state.schema.find_type(str(body["propertyName"]).removeprefix(_ASSOCIATIONS))
        value = number_of(str(body.get("value", "")))
        if body.get("operator") != "EQ" or value is None or other.type_id.startswith("2-"):
            raise invalid(
                f"{body['propertyName']} can only be compared with EQ and the id of a standard record"
            )
        return other.name, value

    def _sort(self, one: ObjectType, sorts: Sequence[Any]) -> Sort | None:
        if len(sorts) > 1:
            raise invalid("Only one sort is supported per search request")
        if not sorts:
            return None
        rule = sorts[0]
        if not isinstance(rule, dict):
            rule = str(rule)
            name, down = rule.removeprefix("-"), rule.startswith("-")
        else:
            name = str(rule.get("propertyName") or "")
            down = str(rule.get("direction") or rule.get("order") or "").upper() in {"DESCENDING", "DESC"}
        return Sort(self._property(one, {"propertyName": name}).name, down)

    # What is found.

    def _matching(self, one: ObjectType, query: Query, lagging: Mapping[int, Before]) -> list[int]:
        living = self._state.records(one).living()
        if lagging:
            living = [row for row in living if row not in lagging or lagging[row].values is not None]
        found: list[int] | None = None
        for group, linked in zip(query.groups, query.linked, strict=True):
            rows = self._group(one, group, linked, living, lagging)
            found = rows if found is None else sorted({*found, *rows})
        rows = list(living) if found is None else found
        return self._with_words(one, query.words, rows, lagging) if query.words else rows

    def _group(
        self,
        one: ObjectType,
        group: Sequence[Filter],
        linked: Mapping[str, int],
        living: Sequence[int],
        lagging: Mapping[int, Before],
    ) -> list[int]:
        """Rows that pass all filters of a group: the ones by id and stamp first, as they are quick."""
        rows: Sequence[int] = self._linked(one, linked) if linked else living
        quick = {"hs_object_id": 0, one.modified_property: 1}
        for each in sorted(group, key=lambda each: quick.get(each.name, 2)):
            rows = self._passing(one, each, rows, lagging)
        return list(rows)

    def _linked(self, one: ObjectType, linked: Mapping[str, int]) -> list[int]:
        records = self._state.records(one)
        sets = [set(self._state.links.of(end, one.name, record_id)) for end, record_id in linked.items()]
        rows = [records.row_of(record_id) for record_id in sorted(set.intersection(*sets))]
        return [row for row in rows if records.state[row] == LIVING]

    def _passing(
        self, one: ObjectType, each: Filter, rows: Sequence[int], lagging: Mapping[int, Before]
    ) -> Sequence[int]:
        numbers, bounds = self._numbers(one, each.name), _range(each)
        if numbers is None or (lagging and each.name == one.modified_property):
            return self._judged(one, each, rows, lagging)
        if bounds is None:
            test = OPERATORS[each.operator]
            return [row for row in rows if test(each, numbers[row])]
        low, high = bounds
        if each.name == "hs_object_id" and isinstance(rows, range):
            # Ids ascend with the rows.
            return rows[bisect_left(numbers, low) : bisect_right(numbers, high)]
        if isinstance(rows, range):
            within = zip(rows, numbers[rows.start : rows.stop], strict=True)
            return [row for row, value in within if low <= value <= high]
        return [row for row in rows if low <= numbers[row] <= high]

    def _judged(
        self, one: ObjectType, each: Filter, rows: Sequence[int], lagging: Mapping[int, Before]
    ) -> list[int]:
        """Rows whose text passes; equal texts are judged once."""
        found = self._property(one, {"propertyName": each.name})
        test, without = OPERATORS[each.operator], each.operator in PASS_WITHOUT_VALUE

        def judge(text: str | None) -> bool:
            key = None if text is None else comparable(found, text)
            return without if key is None else test(each, key)

        verdicts = _Remembered(judge)
        get = self._text(one, each.name, lagging)
        return [row for row in rows if verdicts[get(row)]]

    def _numbers(self, one: ObjectType, name: str) -> Sequence[int] | None:
        """System values that are kept as numbers."""
        records = self._state.records(one)
        if name == "hs_object_id":
            return records.ids
        if name == one.modified_property:
            return records.modified
        return records.created if name in {one.created_property, "hs_createdate"} else None

    def _key(self, one: ObjectType, name: str, lagging: Mapping[int, Before]) -> Callable[[int], Any]:
        """A row's value in the form in which it is compared; None if there is none."""
        found = self._property(one, {"propertyName": name})
        get = self._text(one, name, lagging)
        forms = _Remembered(lambda text: None if text is None else comparable(found, text))
        return lambda row: forms[get(row)]

    def _text(self, one: ObjectType, name: str, lagging: Mapping[int, Before]) -> Callable[[int], str | None]:
        get, columns = self._reader.getter(one, name), self._state.records(one).columns
        if not lagging:
            stored = self._reader.computed.getter(one.name, name) is None
            column = columns.get(name)
            return column.__getitem__ if stored and column is not None else get

        def text(row: int) -> str | None:
            before = lagging.get(row)
            if before is None or before.values is None:
                return get(row)
            if name == one.modified_property:
                return wire_stamp(before.modified)
            # A column that is younger than what was kept had no value then.
            return before.values.get(name) if name in columns else get(row)

        return text

    def _with_words(
        self, one: ObjectType, words: str, rows: Iterable[int], lagging: Mapping[int, Before]
    ) -> list[int]:
        """Rows of which some searchable property has all the words, or words that begin so."""
        known = [name for name in one.searchable if self._state.schema.find(one.name, name) is not None]
        getters = [self._text(one, name, lagging) for name in known]
        wanted = words.lower().split()
        pattern = " ".join(f"{word}*" for word in wanted)

        def has_them(text: str | None) -> bool:
            # A word that is nowhere in the text begins none of its words: much quicker than to take it apart.
            lower = (text or "").lower()
            return all(word.strip("*") in lower for word in wanted) and contains(lower, pattern)

        verdicts = _Remembered(has_them)
        return [row for row in rows if any(verdicts[get(row)] for get in getters)]

    def _sorted(self, one: ObjectType, query: Query, rows: list[int]) -> list[int]:
        """By the rule, else oldest first; rows without a value come last; ties by id."""
        if query.sort is None:
            return sorted(rows, key=self._state.records(one).created.__getitem__)
        down = query.sort.descending
        if query.sort.name == "hs_object_id":
            return rows[::-1] if down else rows
        key = self._numbers_key(one, query.sort.name)
        valued = [(value, row) for row in rows if (value := key(row)) is not None]
        held = {row for _, row in valued}
        valued.sort(key=lambda pair: pair[0], reverse=down)
        return [*(row for _, row in valued), *(row for row in rows if row not in held)]

    def _numbers_key(self, one: ObjectType, name: str) -> Callable[[int], Any]:
        numbers = self._numbers(one, name)
        lagging = self._state.unindexed[one.name].at(self._state.now())
        if numbers is not None and not lagging:
            return numbers.__getitem__
        return self._key(one, name, lagging)


def _range(each: Filter) -> tuple[int, int] | None:
    """A comparison of whole numbers as bounds, which are quicker than a call for each row."""
    ends = [one for one in (each.value, each.high) if one is not None]
    if not ends or any(isinstance(one, str) or not float(one).is_integer() for one in ends):
        return None
    value, high = int(ends[0]), int(ends[-1])
    return {
        "EQ": (value, value),
        "GTE": (value, _ENDLESS),
        "GT": (value + 1, _ENDLESS),
        "LTE": (-_ENDLESS, value),
        "LT": (-_ENDLESS, value - 1),
        "BETWEEN": (value, high),
    }.get(each.operator)


def _as_before(
    one: ObjectType, told: dict[str, Any], before: Before, columns: Mapping[str, Sequence[str | None]]
) -> None:
    """Let a result tell what the index still has."""
    kept = before.values or {}
    for name in columns.keys() & told["properties"].keys():
        told["properties"][name] = kept.get(name)
    told["properties"][one.modified_property] = told["updatedAt"] = wire_stamp(before.modified)


def _check_counts(filters: Sequence[Sequence[Any]]) -> None:
    if len(filters) > MAX_GROUPS:
        raise invalid(f"The maximum number of filter groups is {MAX_GROUPS}, but {len(filters)} were given")
    longest = max((len(group) for group in filters), default=0)
    if longest > MAX_FILTERS:
        raise invalid(f"The maximum number of filters in a group is {MAX_FILTERS}, but {longest} were given")
    total = sum(len(group) for group in filters)
    if total > MAX_FILTERS_IN_ALL:
        raise invalid(f"The maximum number of filters is {MAX_FILTERS_IN_ALL}, but {total} were given")


def _check_window(query: Query) -> None:
    if not 1 <= query.limit <= MAX_PAGE:
        raise invalid(f"The page size must be between 1 and {MAX_PAGE}, not {query.limit}")
    if query.start + query.limit > MAX_RESULTS:
        raise invalid(
            f"A search cannot be paged past {MAX_RESULTS} results: "
            f"after ({query.start}) and limit ({query.limit}) go beyond them"
        )
    if len(query.words) > MAX_QUERY:
        raise invalid(f"The query must not be longer than {MAX_QUERY} characters")


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name) or []
    if not isinstance(found, list):
        raise invalid(f"Invalid input JSON: {name} must be a list")
    return found


def _objects(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = _list(body, name)
    if not all(isinstance(each, dict) for each in found):
        raise invalid(f"Invalid input JSON: {name} must be a list of objects")
    return found


def _whole(value: Any, default: int, name: str) -> int:
    if value is None or value == "":
        return default
    try:
        found = int(value)
    except (TypeError, ValueError):
        found = -1
    if found < 0:
        raise invalid(f"Invalid input JSON: {name} must be a whole number, not {value}")
    return found
