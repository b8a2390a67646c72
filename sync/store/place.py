"""Where the copies of one connection lie: a folder, or a prefix of an object store, the same to all who use it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

# The object store's own files, by the client that reads its tables: one set of credentials, of retries, of errors.
# The public class around it cannot write: pyarrow hands it buffers, and it takes bytes alone.
from deltalake._internal import DeltaFileSystemHandler
from deltalake.exceptions import TableNotFoundError

from config.problems import ConfigProblem, Problem
from sync.store.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from config.sections.secret import Secret
    from config.sections.storage import Storage

_LOG = "_delta_log"


def _open() -> None:
    """Nobody else writes there."""


# A store that is away is asked again for so long; a run then ends, and the next one goes on.
RETRY = "45s"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or a prefix, and what lies under it: Delta tables, and small files that are there whole or not at all.

    It holds no credentials, only where they are found: they are read at each use, wherever that is. Before anything is
    changed, `fence` is asked: it raises where this process may write no more. A table stays open for as long as the
    place is used, and is brought up to date at each look: to open one reads its whole log.
    """

    address: str
    storage: Storage | None = None
    fence: Callable[[], None] = field(default=_open, compare=False, repr=False)
    _tables: dict[str, DeltaTable] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, location: str | os.PathLike[str] | Place) -> Place:
        """A place, as it is, or by its path."""
        return location if isinstance(location, Place) else cls(os.fspath(location))

    @classmethod
    def of_connection(cls, storage: Storage | None, state: Path, name: str) -> Place:
        """Where the settings have a connection's copies lie. Raises `ConfigProblem` if a shared folder is not there."""
        place = cls(str(state) if storage is None else storage.url.rstrip("/"), storage)
        if storage is not None and place.folder is not None and not place.folder.is_dir():
            # Never made: where a share is not mounted, everything would be read anew beside it.
            raise ConfigProblem(
                Problem(
                    "is no folder", where=f"storage: {storage.url}", fix="mount the share, or make the folder"
                )
            )
        return place / name

    def __truediv__(self, name: str) -> Self:
        """What lies under it by this name."""
        return replace(self, address=f"{self.address}/{name}")

    def __reduce__(self) -> tuple[type[Self], tuple[str, Storage | None]]:
        """To other processes goes where it is; the right to write stays here."""
        return type(self), (self.address, self.storage)

    def __str__(self) -> str:
        """The address, as people know it."""
        return self.address

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rpartition("/")[2]

    @property
    def folder(self) -> Path | None:
        """The folder that it is; None in an object store."""
        return None if "://" in self.address else Path(self.address)

    def below(self, other: Place) -> str:
        """Its address from another one on, which it lies under."""
        return self.address.removeprefix(f"{other.address}/")

    # Tables.

    def table(self) -> DeltaTable | None:
        """The Delta table that lies here; None if there is none."""
        if self.folder is not None and not (self.folder / _LOG).is_dir():
            self._tables.pop(self.address, None)
            return None
        table = self._tables.get(self.address)
        if table is not None:
            table.update_incremental()
            return table
        table = self._opened()
        if table is not None:
            self._tables[self.address] = table
        return table

    def existing_table(self) -> DeltaTable:
        """The Delta table that lies here, as it must."""
        table = self.table()
        if table is None:
            raise TableNotFoundError(self.address)
        return table

    def write_table(self, rows: pa.Table | pa.RecordBatchReader, **how: Any) -> None:
        """Write rows to the Delta table here in one commit, as `write_deltalake`.

        The table is opened before the fence is asked: what others commit from then on is not in this view of it, and
        what would replace it is refused. So it does not matter how long we sleep in between.
        """
        # Into which a stream is written is shut until that ends, and whoever feeds the stream may look at the table.
        table = self.table() if isinstance(rows, pa.Table) else self._opened()
        self.fence()
        if table is None:
            write_deltalake(self.address, rows, storage_options=self._options(), **how)
        else:
            write_deltalake(table, rows, **how)

    def tables(self) -> Iterator[Place]:
        """All Delta tables here and below."""
        names = self.names()
        if _LOG in names:
            yield self
            return
        for name in names:
            yield from (self / name).tables()

    # Small files.

    def read(self) -> bytes:
        """The content of the file here. Raises `FileNotFoundError`."""
        if self.folder is not None:
            return self.folder.read_bytes()
        parent, name = self._split()
        content: bytes = parent.open_input_file(name).read()
        return content

    def write(self, content: bytes) -> None:
        """Put a file here, private and whole: a crash leaves the old one, never a torn one."""
        self.fence()
        if self.folder is not None:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.folder, content)
        else:
            write_object(*self._split(), content)

    def exists(self) -> bool:
        """Whether a file is here, or anything below."""
        if self.folder is not None:
            return self.folder.exists()
        above, _, name = self.address.rpartition("/")
        return name in Place(above, self.storage).names()

    def names(self) -> list[str]:
        """The names of what lies here, in order; none where nothing does."""
        if self.folder is not None:
            return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        found = self._handler(self.address).get_file_info_selector("", allow_not_found=True, recursive=False)
        return sorted(one.base_name for one in found)

    def remove(self) -> None:
        """Take away the file here, or all that lies below, if there is any."""
        self.fence()
        for address in [one for one in self._tables if f"{one}/".startswith(f"{self.address}/")]:
            del self._tables[address]
        if self.folder is None:
            parent, name = self._split()
            parent.delete_dir(name)
            parent.delete_file(name)
        elif self.folder.is_dir():
            shutil.rmtree(self.folder)
        else:
            self.folder.unlink(missing_ok=True)

    def _opened(self) -> DeltaTable | None:
        try:
            return DeltaTable(self.address, storage_options=self._options())
        except TableNotFoundError:
            return None

    # The object store.

    def _split(self) -> tuple[Any, str]:
        above, _, name = self.address.rpartition("/")
        return self._handler(above), name

    def _handler(self, address: str) -> Any:
        # Its stubs lack what its files can do.
        return DeltaFileSystemHandler(address, self._options())

    def _options(self) -> dict[str, str] | None:
        return None if self.folder is not None or self.storage is None else options_of(self.storage)


def write_object(parent: Any, name: str, content: bytes) -> None:
    """Put a small file into an object store: it appears whole once all of it has arrived."""
    file = parent.open_output_stream(name)
    file.write(content)
    file.close()


def options_of(storage: Storage) -> dict[str, str]:
    """How the client of an object store is told of the settings. Raises `ConfigProblem` if a secret is not there.

    What could weaken TLS by an environment variable is said outright.
    """
    plain = storage.endpoint is not None and storage.endpoint.startswith("http://")
    told: Mapping[str, str | None] = {
        "aws_endpoint": storage.endpoint,
        "aws_region": storage.region,
        "aws_access_key_id": _read(storage.access_key, "access_key"),
        "aws_secret_access_key": _read(storage.secret_key, "secret_key"),
        "aws_allow_http": "true" if plain else "false",
        "allow_invalid_certificates": "false",
        # A commit is a file that must not be there yet.
        "aws_conditional_put": "etag",
        "retry_timeout": RETRY,
    }
    return {name: value for name, value in told.items() if value is not None}


def _read(secret: Secret | None, name: str) -> str | None:
    try:
        return None if secret is None else secret.read().get_secret_value()
    except ValueError as error:
        raise ConfigProblem(
            Problem(str(error), where=f"storage.{name}", fix="set it, or name another place")
        ) from None
