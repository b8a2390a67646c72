"""Packages of metadata: a zip with a manifest, read into the components that it declares."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.xml_trees import as_list, local_name, parse, tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "package.xml"
_DELETIONS = ("destructiveChangesPre.xml", "destructiveChanges.xml", "destructiveChangesPost.xml")
# Deployed objects hold their parts; each part is a component of its own.
_PARTS_OF_OBJECTS = {
    "businessProcesses": "BusinessProcess",
    "compactLayouts": "CompactLayout",
    "fieldSets": "FieldSet",
    "fields": "CustomField",
    "indexes": "Index",
    "listViews": "ListView",
    "recordTypes": "RecordType",
    "sharingReasons": "SharingReason",
    "validationRules": "ValidationRule",
    "webLinks": "WebLink",
}
_TYPE_OF_FOLDER = {"permissionsets": "PermissionSet"}
_UNPACKED_LIMIT = 400 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One declared component, equal to itself alone; `problem` says why its file could not be read."""

    type_name: str
    full_name: str
    file_name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A package: its manifest (type -> members), the components in its files, and what it removes."""

    manifest: dict[str, frozenset[str]]
    components: tuple[Component, ...]
    deletions: tuple[Component, ...]

    @classmethod
    def read(cls, content: bytes) -> Package:
        """Read a zip. Raises `SalesforceError` if it is none, or has no manifest."""
        files = _files(content)
        if MANIFEST not in files:
            raise SalesforceError("INVALID_ZIP", "No package.xml found")
        manifest = _members(files[MANIFEST])
        deletions = tuple(
            Component(kind, name, deletion)
            for deletion in _DELETIONS
            if deletion in files
            for kind, names in _members(files[deletion]).items()
            for name in sorted(names)
        )
        components = tuple(
            component
            for name, text in sorted(files.items())
            if name != MANIFEST and name not in _DELETIONS
            for component in _components(name, text)
        )
        return cls(manifest, components, deletions)

    def lists(self, component: Component) -> bool:
        """Whether the manifest names the component, its object, or everything of its type."""
        members = self.manifest.get(component.type_name, frozenset())
        parent = component.full_name.partition(".")[0]
        whole = self.manifest.get("CustomObject", frozenset())
        return bool({component.full_name, "*"} & members) or (
            component.file_name.startswith("objects/") and bool({parent, "*"} & whole)
        )

    def missing(self) -> Iterator[Component]:
        """What the manifest names but no file declares."""
        declared = {(one.type_name, one.full_name) for one in self.components}
        objects = {
            one.full_name.partition(".")[0] for one in self.components if one.file_name.startswith("objects/")
        }
        for kind, names in sorted(self.manifest.items()):
            for name in sorted(names - {"*"}):
                if (kind, name) not in declared and not (kind == "CustomObject" and name in objects):
                    named = f"An object '{name}' of type {kind} was named in package.xml"
                    problem = f"{named}, but was not found in zipped directory"
                    yield Component(kind, name, MANIFEST, problem=problem)


def _files(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > _UNPACKED_LIMIT:
                raise SalesforceError(
                    "LIMIT_EXCEEDED", "Maximum size of request reached. Maximum size of request is 400 MB"
                )
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise SalesforceError("INVALID_ZIP", f"The zip file could not be read: {error}") from None
    return _without_top_folder(files)


def _without_top_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """Several packages may be deployed at once, each in its folder; the first with a manifest is taken."""
    if MANIFEST in files:
        return files
    tops = {PurePosixPath(name).parts[0] for name in files if PurePosixPath(name).name == MANIFEST}
    top = f"{min(tops)}/" if tops else ""
    return {name.removeprefix(top): content for name, content in files.items() if name.startswith(top)}


def _members(content: bytes) -> dict[str, frozenset[str]]:
    manifest = tree(parse(content))
    found: dict[str, frozenset[str]] = {}
    for entry in as_list(manifest.get("types") if isinstance(manifest, dict) else None):
        names = frozenset(str(member) for member in as_list(entry.get("members")))
        found[str(entry.get("name"))] = found.get(str(entry.get("name")), frozenset()) | names
    return found


def _components(file_name: str, content: bytes) -> Iterable[Component]:
    path = PurePosixPath(file_name)
    folder, stem = path.parts[0], path.name.partition(".")[0]
    if file_name.endswith("-meta.xml") and folder not in ("objects", *_TYPE_OF_FOLDER):
        # It describes the file beside it.
        return []
    if folder == "objects" and path.suffix == ".object":
        return _parts(file_name, stem, content)
    kind = _TYPE_OF_FOLDER.get(folder)
    if kind is None:
        return [Component(_guessed(content) or folder, stem, file_name)]
    try:
        metadata = tree(parse(content))
    except SalesforceError as error:
        return [Component(kind, stem, file_name, problem=error.message)]
    return [Component(kind, stem, file_name, metadata if isinstance(metadata, dict) else {})]


def _parts(file_name: str, object_name: str, content: bytes) -> list[Component]:
    try:
        metadata = tree(parse(content))
    except SalesforceError as error:
        return [Component("CustomObject", object_name, file_name, problem=error.message)]
    metadata = metadata if isinstance(metadata, dict) else {}
    parts = [
        Component(kind, f"{object_name}.{one.get('fullName')}", file_name, one)
        for key, kind in _PARTS_OF_OBJECTS.items()
        for one in as_list(metadata.get(key))
    ]
    itself = {
        key: value for key, value in metadata.items() if key not in _PARTS_OF_OBJECTS and key != "fullName"
    }
    return [*([Component("CustomObject", object_name, file_name, itself)] if itself else []), *parts]


def _guessed(content: bytes) -> str | None:
    """The type that a file's root element names."""
    try:
        return local_name(parse(content))
    except SalesforceError:
        return None
