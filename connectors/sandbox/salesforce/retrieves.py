"""Retrieves: the wanted components as a zip of metadata files with their manifest."""

from __future__ import annotations

import base64
import io
import threading
import zipfile
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.components import file_name
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.ids import long_id, make_id
from connectors.sandbox.salesforce.packages import MANIFEST
from connectors.sandbox.salesforce.xml_trees import as_list, document

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.components import Components


class Retrieves:
    """The retrieves of one org. They are done at once; the first look at one finds it done."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._results: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """Begin a retrieve of what `unpackaged` lists."""
        unpackaged = request.get("unpackaged")
        wanted = as_list(unpackaged.get("types") if isinstance(unpackaged, dict) else None)
        files, messages = self._files(wanted)
        files[MANIFEST] = document("Package", {"types": wanted, "version": request.get("apiVersion")})
        with self._lock:
            retrieve_id = make_id("09S", len(self._results) + 1)
            self._results[retrieve_id] = {
                "done": True,
                "fileProperties": [{"fileName": name, "fullName": name} for name in files],
                "id": retrieve_id,
                "messages": messages,
                "status": "Succeeded",
                "success": True,
                "zipFile": base64.b64encode(_zipped(files)).decode(),
            }
        return {"done": False, "id": retrieve_id, "state": "Queued"}

    def result(self, retrieve_id: str, *, with_zip: bool) -> dict[str, Any]:
        """What became of a retrieve. Raises INVALID_CROSS_REFERENCE_KEY for an unknown id."""
        found = self._results.get(long_id(retrieve_id) or "")
        if found is None:
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", f"invalid retrieve id: {retrieve_id}")
        return found if with_zip else found | {"zipFile": None}

    def _files(self, wanted: list[dict[str, Any]]) -> tuple[dict[str, bytes], list[dict[str, str]]]:
        fields: dict[str, dict[str, Any]] = {}
        files: dict[str, bytes] = {}
        messages = []
        for kind, name in self._names(wanted):
            found = self._components.kind(kind).read(name) if self._components.knows(kind) else None
            path = file_name(kind, name)
            if found is None:
                problem = f"Entity of type '{kind}' named '{name}' cannot be found"
                messages.append({"fileName": MANIFEST, "problem": problem})
            elif kind == "CustomField":
                fields.setdefault(path, {})[name] = {"fullName": name.partition(".")[2]} | found
            else:
                files[path] = document(kind, found)
        files |= {
            path: document("CustomObject", {"fields": list(one.values())}) for path, one in fields.items()
        }
        return files, messages

    def _names(self, wanted: list[dict[str, Any]]) -> list[tuple[str, str]]:
        """(type, full name) of all that is wanted; an object stands for its custom fields, `*` for all."""
        names = []
        for entry in wanted:
            kind, members = str(entry.get("name")), [str(one) for one in as_list(entry.get("members"))]
            if kind == "CustomObject":
                every = self._components.kind("CustomField").names()
                names += [
                    ("CustomField", one) for one in every if {one.partition(".")[0], "*"} & set(members)
                ]
            elif "*" in members and self._components.knows(kind):
                names += [(kind, one) for one in self._components.kind(kind).names()]
            else:
                names += [(kind, one) for one in members]
        return names


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(f"unpackaged/{name}", content)
    return buffer.getvalue()
