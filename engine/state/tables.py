"""The schema. Times are microseconds since the epoch (UTC); `*_json` columns hold JSON text, sealed when secret."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# SQLite only numbers rows by itself for INTEGER PRIMARY KEY.
_Serial = BigInteger().with_variant(Integer, "sqlite")

stacks = Table(
    "stacks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("user_name", String(255), nullable=False),
    Column("parent_id", String(36)),
    Column("parent_address", String(255)),
    Column("root_id", String(36), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("dialect", String(8), nullable=False),
    Column("description", Text, nullable=False),
    Column("action", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("reverting", String(16)),
    Column("cleaning", Boolean, nullable=False),
    Column("options_json", Text, nullable=False),
    Column("parameters_json", Text, nullable=False),
    Column("outputs_json", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger),
    Column("deleted", BigInteger),
    Column("revision", Integer),
    Column("good_revision", Integer),
    Column("operation_id", String(36)),
    Column("client_token", String(128)),
    Column("run_json", Text),  # what is running or to be run; NULL when nothing is
    Column("delegation_json", Text),
    Column("owner", String(64)),
    Column("epoch", Integer, nullable=False),
    Column("lease_until", BigInteger),
    Column("version", Integer, nullable=False),
    Column("drift_status", String(16)),
    Column("drift_checked", BigInteger),
    # A name is free again once its stack is deleted; NULL never clashes.
    Column("live_name", String(600), unique=True),
)
Index("stacks_by_project", stacks.c.project_id, stacks.c.created)
Index("stacks_by_parent", stacks.c.parent_id)
Index("stacks_by_root", stacks.c.root_id)
Index("stacks_with_work", stacks.c.lease_until, sqlite_where=stacks.c.run_json.isnot(None),
      postgresql_where=stacks.c.run_json.isnot(None))  # fmt: skip

revisions = Table(
    "revisions",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("stack_id", String(36), nullable=False, index=True),
    Column("source_json", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

resources = Table(
    "resources",
    metadata,
    Column("stack_id", String(36), primary_key=True),
    Column("address", String(255), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("type", String(255), nullable=False),
    Column("is_group", Boolean, nullable=False),
    Column("grp", String(255)),
    Column("action", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("physical_id", String(255)),
    Column("token", String(64), nullable=False),
    Column("properties_json", Text, nullable=False),
    Column("attempted_json", Text),
    Column("shown_json", Text),  # properties with hidden parameters masked, when that differs
    Column("attributes_json", Text, nullable=False),
    Column("metadata_json", Text, nullable=False),
    Column("data_json", Text, nullable=False),
    Column("requires_json", Text, nullable=False),
    Column("deletion_policy", String(32), nullable=False),
    Column("replace_policy", String(32), nullable=False),
    Column("description", Text, nullable=False),
    Column("revision", Integer),
    Column("condemned", Boolean, nullable=False),
    Column("external", Boolean, nullable=False),
    Column("skipped", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
)
Index("resources_by_physical_id", resources.c.physical_id)

events = Table(
    "events",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False),
    Column("stack_id", String(36), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("address", String(255)),
    Column("type", String(255), nullable=False),
    Column("action", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("physical_id", String(255)),
    Column("properties_json", Text),
    Column("is_group", Boolean, nullable=False),
    Column("grp", String(255)),
    Column("client_token", String(128)),
    Column("operation_id", String(36)),
    Column("skipped", Boolean, nullable=False),
    Column("reverting", String(16)),
    Column("cleaning", Boolean, nullable=False),
)
Index("events_by_stack", events.c.stack_id, events.c.seq)
Index("events_by_id", events.c.id)

change_sets = Table(
    "change_sets",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("stack_id", String(36), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("status", String(24), nullable=False),
    Column("execution_status", String(24), nullable=False),
    Column("description", Text, nullable=False),
    Column("failure", Text),
    Column("no_change", Boolean, nullable=False),
    Column("options_json", Text, nullable=False),
    Column("parameters_json", Text, nullable=False),
    Column("plan_json", Text),
    Column("source_json", Text, nullable=False),
    Column("imports_json", Text),
    Column("base", Integer, nullable=False),
    Column("client_token", String(128)),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("stack_id", "name"),
)

exports = Table(
    "exports",
    metadata,
    Column("project_id", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    Column("stack_id", String(36), nullable=False, index=True),
)

imports = Table(
    "imports",
    metadata,
    Column("project_id", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("stack_id", String(36), primary_key=True),
)

signals = Table(
    "signals",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("stack_id", String(36), nullable=False),
    Column("address", String(255), nullable=False),
    Column("unique_id", String(255)),
    Column("signal_json", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)
Index("signals_by_resource", signals.c.stack_id, signals.c.address)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("stack_id", String(36), nullable=False, index=True),
    Column("name", String(255)),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("source_json", Text, nullable=False),
    Column("data_json", Text),  # what is shown of it; NULL until it is complete
    Column("created", BigInteger, nullable=False),
)

# What a snapshot has of single objects, written before each copy is made.
copies = Table(
    "copies",
    metadata,
    Column("snapshot_id", String(36), primary_key=True),
    Column("address", String(255), primary_key=True),
    Column("type", String(255), nullable=False),
    Column("token", String(64), nullable=False),
    Column("saved_json", Text, nullable=False),
)

# Where live objects differed when they were last looked at.
drifts = Table(
    "drifts",
    metadata,
    Column("stack_id", String(36), primary_key=True),
    Column("address", String(255), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("found_json", Text, nullable=False),
    Column("checked", BigInteger, nullable=False),
)

detections = Table(
    "detections",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("stack_id", String(36), nullable=False, index=True),
    Column("project_id", String(64), nullable=False),
    Column("status", String(24), nullable=False),
    Column("reason", Text, nullable=False),
    Column("drift_status", String(16), nullable=False),
    Column("drifted", Integer, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
)

# Breakpoints that a run has come to; of the operation that is named.
hooks = Table(
    "hooks",
    metadata,
    Column("stack_id", String(36), primary_key=True),
    Column("address", String(255), primary_key=True),
    Column("hook", String(16), primary_key=True),
    Column("operation_id", String(36)),
    Column("cleared", Boolean, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("binary", String(64), nullable=False),
    Column("report_interval", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
)

delegations = Table(
    "delegations",
    metadata,
    Column("user_id", String(64), primary_key=True),
    Column("project_id", String(64), primary_key=True),
    Column("delegation_json", Text, nullable=False),
)
