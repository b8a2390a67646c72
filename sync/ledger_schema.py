"""The ledger's tables. A change here needs a migration in `sync/migrations/versions`; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

# The migration that makes these tables; a database that says so needs none.
REVISION = "0001"

metadata = MetaData()

connection = Table(
    "connection",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("org_id", String(64), nullable=False, comment="a connection never changes its org"),
    Column("org_name", String(255), nullable=False),
    Column("live", Boolean, nullable=False, comment="false: preview, nothing is written but by `apply FILE`"),
)

token = Table(
    "token",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("value", Text, nullable=False, comment="a rotated refresh token; it replaces the configured one"),
)

lease = Table(
    "lease",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("fence", BigInteger, nullable=False, comment="grows with each holder; a stale holder is refused"),
    Column("expires_at", DateTime, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("connection", String(40), nullable=False),
    Column("command", String(40), nullable=False),
    Column("state", String(16), nullable=False, comment="running, done, failed, stopped or parked"),
    Column("started_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
    Column(
        "today", Date, nullable=False, comment="the date in the org's time zone that scores were made for"
    ),
    Column("rules", String(16), nullable=False, comment="digest of the rules"),
    Column("exit_code", Integer),
    Column("last_line", Text),
    Column("report", JSON, comment="counts, timings and API calls, as printed"),
    Index("run_by_connection", "connection", "started_at"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("object", String(40), primary_key=True),
    Column("value", Text, nullable=False, comment="the connector's own text"),
    Column("columns", JSON, nullable=False, comment="what was pulled: more columns need a full pull"),
)

batch = Table(
    "batch",
    metadata,
    Column("run", String(32), ForeignKey("run.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("object", String(40), nullable=False),
    Column(
        "state",
        String(16),
        nullable=False,
        comment="intended, then finished or unconfirmed; abandoned: found open after a crash",
    ),
    Column("records", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
)

# What an operator must see: everything sent and not done, and everything that could not be read or was held back.
item = Table(
    "item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", String(32), ForeignKey("run.id"), nullable=False),
    Column("object", String(40), nullable=False),
    Column("record_id", String(255), nullable=False),
    Column("status", String(16), nullable=False, comment="refused, unknown, stale, set_aside or held_back"),
    Column("code", String(255), nullable=False),
    Column("message", Text, nullable=False),
    Index("item_by_run", "run", "status"),
)

task = Table(
    "task",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("run", String(32), ForeignKey("run.id"), nullable=False),
    Column("rule", String(80), nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("period", String(16), nullable=False),
    Column("owner_id", String(64), nullable=False),
    Column("state", String(16), nullable=False, comment="intended, done, refused or unknown"),
    Column("crm_id", String(64)),
    Column("created_on", Date, nullable=False, comment="in the org's time zone"),
    Index("task_by_record", "connection", "record_id", "rule"),
)
