"""What request bodies must look like, as the CRM reads them: strict in shape, lenient between texts and numbers.

Where a text belongs, numbers and booleans are taken as their text; lists and objects are not. Unknown keys are let
through, and a key that is null counts as absent, but for the values of properties, where null has a meaning.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel


class _Body(BaseModel):
    """What all parts of bodies share."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


Text = Annotated[str, BeforeValidator(_text)]
Whole = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Values = dict[str, Text | None]


class Reference(_Body):
    """One record."""

    id: Text


class LinkType(_Body):
    """A kind of association."""

    association_category: Text
    association_type_id: Whole


class NewLink(_Body):
    """An association of a record that is being made."""

    to: Reference
    types: list[LinkType]


class Input(_Body):
    """A record to read or write."""

    id: Text | None = None
    id_property: Text | None = None
    properties: Values | None = None
    associations: list[NewLink] | None = None
    object_write_trace_id: Text | None = None


class Reading(_Body):
    """What to tell of the records of a batch."""

    properties: list[Text] | None = None
    properties_with_history: list[Text] | None = None
    id_property: Text | None = None


class Inputs(Reading):
    """A batch of records."""

    inputs: list[Input]


class Change(_Body):
    """New values of one record."""

    properties: Values


class Merge(_Body):
    """Two records that become one."""

    primary_object_id: Text
    object_id_to_merge: Text


class Filter(_Body):
    """One condition of a search."""

    property_name: Text | None = None
    operator: Text | None = None
    value: Text | None = None
    values: list[Text] | None = None
    high_value: Text | None = None


class FilterGroup(_Body):
    """Conditions that hold together."""

    filters: list[Filter] | None = None


class Sort(_Body):
    """The order of what a search finds."""

    property_name: Text | None = None
    direction: Text | None = None


class Search(_Body):
    """A search."""

    filter_groups: list[FilterGroup] | None = None
    filters: list[Filter] | None = None
    sorts: list[str | Sort] | None = None
    query: Text | None = None
    properties: list[Text] | None = None
    limit: Whole | None = None
    after: Text | None = None


class ViewFilter(Filter):
    """A condition of a view; older texts call the property so."""

    property: Text | None = None


class ViewGroup(_Body):
    """Conditions of a view that hold together."""

    filters: list[ViewFilter] | None = None


class ViewSort(Sort):
    """The order of a view."""

    property: Text | None = None
    order: Text | None = None


class View(_Body):
    """What an export takes of all records."""

    filter_groups: list[ViewGroup] | None = None
    filters: list[ViewFilter] | None = None
    query: Text | None = None
    sorts: list[str | ViewSort] | ViewSort | str | None = None


class Export(_Body):
    """An export: one value or several where the documentation's own texts differ."""

    export_type: Text | None = None
    export_name: Text | None = None
    format: Text | None = None
    language: Text | None = None
    object_type: Text | None = None
    object_properties: list[Text] | None = None
    associated_object_type: list[Text] | Text | None = None
    export_internal_values_options: list[Text] | Text | None = None
    public_crm_search_request: View | None = None
    list_id: Text | None = None


class Link(_Body):
    """An association of two records: by numbers, by v3's name, or of the default kind."""

    start: Reference = Field(alias="from")
    to: Reference
    types: list[LinkType] | None = None
    type: Text | None = None


class Unlink(_Body):
    """Associations of one record to take away."""

    start: Reference = Field(alias="from")
    to: list[Reference]


class Pages(_Body):
    """A record whose associations are read, from a place on."""

    id: Text
    after: Text | None = None


class Option(_Body):
    """One value of an enumeration."""

    label: Text | None = None
    value: Text | None = None
    description: Text | None = None
    display_order: Whole | None = None
    hidden: bool | None = None


class Definition(_Body):
    """A property or a group of them."""

    name: Text | None = None
    label: Text | None = None
    group_name: Text | None = None
    type: Text | None = None
    field_type: Text | None = None
    description: Text | None = None
    options: list[Option] | None = None
    display_order: Whole | None = None
    hidden: bool | None = None
    form_field: bool | None = None
    has_unique_value: bool | None = None
    calculation_formula: Text | None = None
    number_display_hint: Text | None = None
    text_display_hint: Text | None = None
    date_display_hint: Text | None = None
    referenced_object_type: Text | None = None


class Stage(_Body):
    """A stage of a pipeline."""

    label: Text | None = None
    display_order: Whole | None = None
    metadata: dict[str, Text] | None = None


class Pipeline(_Body):
    """A pipeline with its stages."""

    label: Text | None = None
    display_order: Whole | None = None
    stages: list[Stage] | None = None


class Label(_Body):
    """A label of associations."""

    label: Text | None = None
    name: Text | None = None
    inverse_label: Text | None = None


class Relabel(_Body):
    """Another text for a label of associations."""

    association_type_id: Whole
    label: Text
    inverse_label: Text | None = None


class Named(_Body):
    """Something told by its name."""

    name: Text


class LinkInputs(_Body):
    """Associations to make, or labels to take away."""

    inputs: list[Link]


class UnlinkInputs(_Body):
    """Associations to take away."""

    inputs: list[Unlink]


class PageInputs(_Body):
    """Records whose associations are read."""

    inputs: list[Pages]


class DefinitionInputs(_Body):
    """Properties to make."""

    inputs: list[Definition]


class NameInputs(_Body):
    """Properties to read or archive."""

    archived: bool | None = None
    inputs: list[Named]


Shape = TypeAdapter[Any]

INPUTS, RECORD, CHANGE = Shape(Inputs), Shape(Input), Shape(Change)
MERGE, SEARCH, EXPORT = Shape(Merge), Shape(Search), Shape(Export)
LINKS, UNLINKS, LINKED = Shape(LinkInputs), Shape(UnlinkInputs), Shape(PageInputs)
TYPES, LABEL, RELABEL = Shape(list[LinkType]), Shape(Label), Shape(Relabel)
DEFINITION, DEFINITIONS, NAMES = Shape(Definition), Shape(DefinitionInputs), Shape(NameInputs)
PIPELINE, STAGE = Shape(Pipeline), Shape(Stage)


def shaped(content: Any, shape: Shape) -> Any:
    """The content in the shape. Raises `ValueError` with the first thing that is wrong, as the CRM tells it."""
    try:
        # As they came, apart from texts: names of the wire, and nothing that was not sent.
        sent = shape.dump_python(shape.validate_python(content), by_alias=True, exclude_unset=True)
        return _without_nulls(sent)
    except ValidationError as error:
        problems = error.errors()
        missing = [str(one["loc"][-1]) for one in problems if one["type"] == "missing"]
        if missing:
            raise ValueError(f"Some required fields were not set: [{', '.join(missing)}]") from None
        first = problems[0]
        raise ValueError(f"Cannot deserialize value at {_place(first['loc'])}: {first['msg']}") from None


def _without_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            name: value if name == "properties" else _without_nulls(value)
            for name, value in content.items()
            if value is not None
        }
    return [_without_nulls(one) for one in content] if isinstance(content, list) else content


def _place(location: tuple[int | str, ...]) -> str:
    """Where in the body, as `inputs[0].id`."""
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return place.removeprefix(".") or "its top"
