"""Request bodies as clients send them: plain, or packed with gzip."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from starlette.requests import Request


async def read_body(request: Request) -> bytes:
    """The whole body, unpacked. Raises `ValueError` where what says gzip is none."""
    body = await request.body()
    if "gzip" not in request.headers.get("content-encoding", ""):
        return body
    try:
        return await run_in_threadpool(gzip.decompress, body)
    except (OSError, EOFError, zlib.error):
        raise ValueError("The body is not valid gzip") from None
