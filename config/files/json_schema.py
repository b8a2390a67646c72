"""JSON Schemas of the files that people write, so that editors complete, explain and check while they type.

`python -m config.files.json_schema` writes them anew; a test keeps them equal to the models.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.examples.rule_tests import RuleTests
from config.language.vocabulary import NAMES, TEMPLATE_NAMES
from config.rules import Rules
from config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

# The file that people write → its model; NAME.yaml has its schema in NAME.schema.json.
MODELS: Mapping[str, type[BaseModel]] = {
    "foretag.yaml": Settings,
    "rules.yaml": Rules,
    "rules.test.yaml": RuleTests,
}
_LONGEST_DEFAULT = 120  # a longer one helps nobody who hovers over a key

Node = dict[str, Any]


def schema_name(file: str) -> str:
    """What the schema of a file is called."""
    return file.removesuffix(".yaml") + ".schema.json"


def schema_text(file: str) -> str:
    """The JSON Schema (draft 7, which every editor reads) of one of the files in `MODELS`."""
    model = MODELS[file]
    schema = model.model_json_schema(ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs", {})
    if model is Rules:
        definitions["Condition"] = {"type": "string", "description": _conditions(), "examples": _EXAMPLES}
    for node in (schema, *definitions.values()):
        _refine(node, definitions)
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": file}
    return json.dumps(head | schema | {"definitions": definitions}, indent=1, ensure_ascii=False) + "\n"


def shipped_schema(file: str) -> str:
    """The schema as it is shipped: what `foretag init` puts beside a file."""
    return files("config").joinpath(schema_name(file)).read_text(encoding="utf-8")


def _refine(node: Any, definitions: Mapping[str, Node]) -> None:
    """In place: without what tells people nothing, and with what the model alone cannot say."""
    if isinstance(node, list):
        for inner in node:
            _refine(inner, definitions)
    if not isinstance(node, dict):
        return
    for name, inner in node.get("properties", {}).items():
        inner.pop("title", None)
        _explain(name, inner, definitions)
    for key, inner in node.items():
        if key not in ("default", "examples", "enum", "const"):
            _refine(list(inner.values()) if key == "properties" else inner, definitions)
    default = node.get("default", "")
    if default is None or len(json.dumps(default)) > _LONGEST_DEFAULT:
        node.pop("default")
    if "title" in node and "properties" in node:
        node.pop("title")
    if "$ref" in node and len(node) > 1:
        # Beside a reference, draft 7 ignores everything.
        node["allOf"] = [{"$ref": node.pop("$ref")}]


def _explain(name: str, node: Node, definitions: Mapping[str, Node]) -> None:
    """Give a key its section's description, and conditions and templates the names that they may use."""
    reference = node.get("$ref", "").rpartition("/")[2]
    if reference in definitions and "description" in definitions[reference]:
        node.setdefault("description", definitions[reference]["description"])
    if name == "when":
        node.clear()
        node["$ref"] = "#/definitions/Condition"
    if name in ("subject", "description") and node.get("type") == "string":
        known = "\n".join(
            f"{on}: {', '.join(f'{{{one}}}' for one in names)}" for on, names in TEMPLATE_NAMES.items()
        )
        node["description"] = f"{node.get('description', 'a text')}\n\nMay name\n{known}"


_EXAMPLES = ['segment == "Prioritize" and quiet', 'days_to_close <= 30 and stage in ["Negotiation"]']


def _conditions() -> str:
    """How conditions are written, and every name that they may use."""
    names = "\n".join(
        f"{on}: {', '.join(name for name in known if not name.startswith('account_'))}"
        for on, known in NAMES.items()
    )
    return (
        'Compare names with == != < <= > >= or in ["…", "…"]; join with and, or, not. An unknown input makes'
        f" a condition not hold. Of an opportunity's account: account_NAME.\n{names}"
    )


def write_all(folder: Path) -> None:
    """Write every schema into a folder."""
    for file in MODELS:
        (folder / schema_name(file)).write_text(schema_text(file), encoding="utf-8")


if __name__ == "__main__":
    write_all(Path(__file__).parents[1])
