"""XML to plain trees and back: dicts by element name, lists where one repeats, texts, None if empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

METADATA_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
TYPE_KEY = "@type"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
# What Python clients write for None into their templates.
_NOTHING = frozenset({"", "None", "null"})


def parse(content: bytes | str) -> Element:
    """The root element. Raises `SalesforceError` for what is not well-formed, or has entities."""
    try:
        root: Element = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise SalesforceError("INVALID_XML", f"Error parsing file: {error}") from None
    return root


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def tree(element: Element) -> Any:
    """The element's content: a dict if it has children or an xsi:type, else its text."""
    content: dict[str, Any] = {}
    kind = element.get(_XSI + "type")
    if kind:
        content[TYPE_KEY] = kind.rpartition(":")[2]
    for child in element:
        name, value = local_name(child), tree(child)
        content[name] = [*as_list(content[name]), value] if name in content else value
    if content:
        return content
    text = (element.text or "").strip()
    return None if text in _NOTHING else text


def find(element: Element, name: str) -> Element | None:
    """The first descendant of this local name."""
    return next((one for one in element.iter() if local_name(one) == name), None)


def as_list(value: Any) -> list[Any]:
    """One value, several, or none, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_true(value: Any) -> bool:
    """A boolean, however a client writes it: true, True, "1"."""
    return str(value).strip().lower() in ("true", "1")


def render(name: str, value: Any) -> str:
    """An element with the tree as its content; a list makes several elements, None makes none."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(render(name, one) for one in value)
    if not isinstance(value, dict):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f"<{name}>{escape(text)}</{name}>"
    kind = f" xsi:type={quoteattr(value[TYPE_KEY])}" if TYPE_KEY in value else ""
    inner = "".join(render(key, one) for key, one in value.items() if key != TYPE_KEY)
    return f"<{name}{kind}>{inner}</{name}>"


def document(name: str, content: dict[str, Any]) -> bytes:
    """A metadata file: one root element in Salesforce's metadata namespace."""
    inner = "".join(render(key, value) for key, value in content.items())
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<{name} xmlns="{METADATA_NAMESPACE}">{inner}</{name}>\n'.encode()
