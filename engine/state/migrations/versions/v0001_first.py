"""The first schema, as it was released: it never follows engine/state/tables.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite only numbers rows by itself for INTEGER PRIMARY KEY.
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _stacks()
    _resources()
    _events()
    _change_sets()
    _exports()
    _snapshots()
    _checks()
    _processes()


def _stacks() -> None:
    op.create_table(
        "stacks",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("parent_id", sa.String(36)),
        sa.Column("parent_address", sa.String(255)),
        sa.Column("root_id", sa.String(36), nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("dialect", sa.String(8), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("reverting", sa.String(16)),
        sa.Column("cleaning", sa.Boolean, nullable=False),
        sa.Column("options_json", sa.Text, nullable=False),
        sa.Column("parameters_json", sa.Text, nullable=False),
        sa.Column("outputs_json", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger),
        sa.Column("deleted", sa.BigInteger),
        sa.Column("revision", sa.Integer),
        sa.Column("good_revision", sa.Integer),
        sa.Column("operation_id", sa.String(36)),
        sa.Column("client_token", sa.String(128)),
        sa.Column("run_json", sa.Text),
        sa.Column("delegation_json", sa.Text),
        sa.Column("owner", sa.String(64)),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("drift_status", sa.String(16)),
        sa.Column("drift_checked", sa.BigInteger),
        sa.Column("live_name", sa.String(600)),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("live_name"),
    )
    op.create_index("stacks_by_parent", "stacks", ["parent_id"])
    op.create_index("stacks_by_project", "stacks", ["project_id", "created"])
    op.create_index("stacks_by_root", "stacks", ["root_id"])
    op.create_index(
        "stacks_with_work",
        "stacks",
        ["lease_until"],
        sqlite_where=sa.text("run_json IS NOT NULL"),
        postgresql_where=sa.text("run_json IS NOT NULL"),
    )
    op.create_table(
        "revisions",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("source_json", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_revisions_stack_id", "revisions", ["stack_id"])


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("is_group", sa.Boolean, nullable=False),
        sa.Column("grp", sa.String(255)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("physical_id", sa.String(255)),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("properties_json", sa.Text, nullable=False),
        sa.Column("attempted_json", sa.Text),
        sa.Column("shown_json", sa.Text),
        sa.Column("attributes_json", sa.Text, nullable=False),
        sa.Column("metadata_json", sa.Text, nullable=False),
        sa.Column("data_json", sa.Text, nullable=False),
        sa.Column("requires_json", sa.Text, nullable=False),
        sa.Column("deletion_policy", sa.String(32), nullable=False),
        sa.Column("replace_policy", sa.String(32), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer),
        sa.Column("condemned", sa.Boolean, nullable=False),
        sa.Column("external", sa.Boolean, nullable=False),
        sa.Column("skipped", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stack_id", "address", "generation"),
    )
    op.create_index("resources_by_physical_id", "resources", ["physical_id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(255)),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("physical_id", sa.String(255)),
        sa.Column("properties_json", sa.Text),
        sa.Column("is_group", sa.Boolean, nullable=False),
        sa.Column("grp", sa.String(255)),
        sa.Column("client_token", sa.String(128)),
        sa.Column("operation_id", sa.String(36)),
        sa.Column("skipped", sa.Boolean, nullable=False),
        sa.Column("reverting", sa.String(16)),
        sa.Column("cleaning", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("events_by_id", "events", ["id"])
    op.create_index("events_by_stack", "events", ["stack_id", "seq"])
    op.create_table(
        "signals",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("unique_id", sa.String(255)),
        sa.Column("signal_json", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("signals_by_resource", "signals", ["stack_id", "address"])


def _change_sets() -> None:
    op.create_table(
        "change_sets",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("execution_status", sa.String(24), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("no_change", sa.Boolean, nullable=False),
        sa.Column("options_json", sa.Text, nullable=False),
        sa.Column("parameters_json", sa.Text, nullable=False),
        sa.Column("plan_json", sa.Text),
        sa.Column("source_json", sa.Text, nullable=False),
        sa.Column("imports_json", sa.Text),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("client_token", sa.String(128)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stack_id", "name"),
    )


def _exports() -> None:
    op.create_table(
        "exports",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name"),
    )
    op.create_index("ix_exports_stack_id", "exports", ["stack_id"])
    op.create_table(
        "imports",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name", "stack_id"),
    )


def _snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source_json", sa.Text, nullable=False),
        sa.Column("data_json", sa.Text),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_snapshots_stack_id", "snapshots", ["stack_id"])
    op.create_table(
        "copies",
        sa.Column("snapshot_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("saved_json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "address"),
    )


def _checks() -> None:
    op.create_table(
        "drifts",
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("found_json", sa.Text, nullable=False),
        sa.Column("checked", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stack_id", "address"),
    )
    op.create_table(
        "detections",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("drift_status", sa.String(16), nullable=False),
        sa.Column("drifted", sa.Integer, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_detections_stack_id", "detections", ["stack_id"])
    op.create_table(
        "hooks",
        sa.Column("stack_id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("hook", sa.String(16), nullable=False),
        sa.Column("operation_id", sa.String(36)),
        sa.Column("cleared", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("stack_id", "address", "hook"),
    )


def _processes() -> None:
    op.create_table(
        "services",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("binary", sa.String(64), nullable=False),
        sa.Column("report_interval", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "delegations",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("delegation_json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "project_id"),
    )
