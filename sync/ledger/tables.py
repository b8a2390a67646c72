"""The ledger's tables. A change here needs a migration in `sync/ledger/migrations`; a test compares the two."""

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
REVISION = "0003"

metadata = MetaData()

connection = Table(
    "connection",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("org_id", String(64), nullable=False, comment="a connection never changes its org"),
    Column("org_name", String(255), nullable=False),
    Column("live", Boolean, nullable=False, comment="false: preview, nothing is written but by `apply FILE`"),
    Column("paused_at", DateTime, comment="null: not paused"),
    Column("paused_by", String(255)),
    Column("pause_reason", Text),
    Column("timezone", String(64), comment="the org's, as last seen: schedules are read in it"),
    Column(
        "zones", JSON, comment="time zones of the owners, as last seen: their tasks are made in the morning"
    ),
    Column("pulled_at", DateTime, comment="what was changed in the CRM until then is in the local copy"),
    Column("api_left", Integer, comment="API calls that the org had left of its day, as last told"),
    Column("api_limit", Integer, comment="of how many"),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String(40), nullable=False),
    Column("rules", String(16), nullable=False, comment="digest of the rules approved; the last row counts"),
    Column("by", String(255), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("how", Text, nullable=False, comment="the command, or the plan applied"),
    Index("approval_by_connection", "connection", "id"),
)

# Fields that an undo took back: not written until the rules change or an admin resumes.
hold = Table(
    "hold",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("object", String(40), primary_key=True),
    Column("field", String(80), primary_key=True, comment="canonical name; of tasks *"),
    Column("run", String(32), nullable=False, comment="the undo"),
    Column("rules", String(16), nullable=False, comment="digest of the rules it holds against"),
    Column("since", DateTime, nullable=False),
)

# Refused records wait here until the record or what is wanted of it changes.
quarantine = Table(
    "quarantine",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("object", String(40), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, comment="of the record as it was and the values refused"),
    Column("run", String(32), nullable=False, comment="the run in which it was refused"),
    Column("code", String(255), nullable=False),
    Column("message", Text, nullable=False),
    Column("fix", Text, nullable=False, server_default="", comment="what a person can do about it"),
    Column("since", DateTime, nullable=False),
)

# Values of our fields that somebody else changed after us.
edit = Table(
    "edit",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("object", String(40), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("field", String(80), primary_key=True),
    Column("seen_on", Date, nullable=False, comment="the day on which a run first saw it"),
    Column("until", Date, comment="respected until this day; null: rewritten at once"),
    Column("value", String(16), nullable=False, comment="digest of theirs; another one: changed again"),
)

merge = Table(
    "merge",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("object", String(40), primary_key=True),
    Column("loser", String(64), primary_key=True),
    Column("winner", String(64), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("inherited", JSON, comment="what the loser hands on: a person's override"),
)

# Records deleted in the CRM, erased here too after a while.
gone = Table(
    "gone",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("object", String(40), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("at", DateTime, nullable=False),
)

# Records that must not come back, known by a digest alone.
forgotten = Table(
    "forgotten",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("digest", String(64), primary_key=True, comment="SHA-256 of object and id"),
    Column("at", DateTime, nullable=False),
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

# Workers, to be seen by each other: one that falls silent is dead, and what it had begun is taken over.
worker = Table(
    "worker",
    metadata,
    Column("id", String(64), primary_key=True, comment="of one start of one process"),
    Column("holder", String(255), nullable=False, comment="machine and process, as in leases"),
    Column("version", String(40), nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("seen_at", DateTime, nullable=False),
)

# Scheduled work: what was due last, who took it, and how it ended. Only one worker can move `due_at` forward.
fire = Table(
    "fire",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("job", String(16), primary_key=True),
    Column("zone", String(64), primary_key=True, comment="of the owners whose tasks are made; else empty"),
    Column("due_at", DateTime, nullable=False, comment="the moment by the schedule, without jitter"),
    Column("worker", String(64), nullable=False),
    Column("taken_at", DateTime, nullable=False),
    Column("ended_at", DateTime, comment="null: under way, or its worker died"),
    Column("exit_code", Integer),
    Column("run", String(32), comment="the run it became, if it came so far"),
)

# What people were told, so that the same trouble is not told every quarter of an hour, and its end is told once.
notice = Table(
    "notice",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, comment="of what was told: another one is news"),
    Column("at", DateTime, nullable=False, comment="since when it lasts"),
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
    Column("of", String(32), comment="the run that it undoes, retries or resumes"),
    Column("options", JSON, comment="what it was asked to do, to be resumed"),
    Column("calls", Integer, nullable=False, server_default="0", comment="API calls so far"),
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
    Column("status", String(16), nullable=False, comment="see `ItemStatus`"),
    Column("code", String(255), nullable=False),
    Column("message", Text, nullable=False),
    Column("fix", Text, nullable=False, server_default="", comment="what a person can do about it"),
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
    Column("object", String(40), comment="of the record: account or opportunity"),
    Column("account_id", String(64)),
    Column(
        "content",
        String(64),
        comment="digest of what we last wrote into it; two while we change it; empty: a person touched it",
    ),
    Column(
        "gist", String(64), comment="digest of the same without its figures: another one is worth a change"
    ),
    Column("due", Date, comment="as we last wrote it"),
    Column("ended_on", Date, comment="when it was closed or deleted, by whomever"),
    Column("ended", String(16), comment="how: done, closed, deleted, lapsed or undone"),
    Index("task_by_record", "connection", "record_id", "rule"),
)
