"""The desk of staff: owners, clocks, notes, labels, requests, canned replies, audit log."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from recovery.coach.canned import starters
from recovery.store.database import stamp

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SQLITE = """CREATE TRIGGER audit_log_stands_{verb} BEFORE {verb} ON audit_log {when}
    BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END"""
_POSTGRESQL = """CREATE TRIGGER audit_log_stands_{verb} BEFORE {verb} ON audit_log
    FOR EACH {each} EXECUTE FUNCTION audit_log_stands()"""
_REFUSE = {
    "sqlite": (
        _SQLITE.format(verb="UPDATE", when=""),
        _SQLITE.format(verb="DELETE", when=""),
        # A row is replaced without its being deleted, as the triggers see it.
        _SQLITE.format(
            verb="INSERT", when="WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)"
        ),
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_log_stands() RETURNS trigger AS $$
        BEGIN RAISE EXCEPTION 'the audit log is only appended to'; END $$ LANGUAGE plpgsql""",
        _POSTGRESQL.format(verb="UPDATE", each="ROW"),
        _POSTGRESQL.format(verb="DELETE", each="ROW"),
        _POSTGRESQL.format(verb="TRUNCATE", each="STATEMENT"),
    ),
}


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=True),
        sa.Column("target", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_log_at", "audit_log", ["at"], unique=False)
    op.create_index("audit_log_target", "audit_log", ["target"], unique=False)
    canned_replies = op.create_table(
        "canned_replies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=True),
        sa.Column("industry", sa.String(length=16), nullable=True),
        sa.Column("anger_least", sa.Integer(), nullable=False),
        sa.Column("anger_most", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("shortcut", sa.String(length=20), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("colour", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("business", "name"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("read_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notices_staff", "notices", ["staff_id", "read_at"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index("recovery_codes_staff", "recovery_codes", ["staff_id"], unique=False)
    op.create_table(
        "clocks",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("target_seconds", sa.Integer(), nullable=False),
        sa.Column("used_seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("warn_at", sa.String(length=32), nullable=True),
        sa.Column("missed_at", sa.String(length=32), nullable=True),
        sa.Column("stopped_at", sa.String(length=32), nullable=True),
        sa.Column("pauses", sa.String(length=40), server_default="", nullable=False),
        sa.Column("hits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("misses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id", "kind"),
    )
    op.create_index("clocks_due", "clocks", ["due_at"], unique=False)
    op.create_index("clocks_pauses", "clocks", ["pauses"], unique=False)
    op.create_index("clocks_warn", "clocks", ["warn_at"], unique=False)
    op.create_index("clocks_stopped", "clocks", ["stopped_at"], unique=False)
    op.create_table(
        "clock_misses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("clock_misses_at", "clock_misses", ["at"], unique=False)
    op.create_table(
        "conversation_labels",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["label_id"],
            ["labels.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id", "label_id"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notes_conversation", "notes", ["conversation_id", "at"], unique=False)
    op.create_table(
        "remedy_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("needed", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.String(length=48), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "remedy_requests_conversation", "remedy_requests", ["conversation_id"], unique=False
    )
    op.create_index("remedy_requests_state", "remedy_requests", ["state", "business"], unique=False)
    op.add_column("cases", sa.Column("closed_at", sa.String(length=32), nullable=True))
    op.add_column("cases", sa.Column("closed_by", sa.Integer(), nullable=True))
    op.add_column("cases", sa.Column("outcome", sa.String(length=24), nullable=True))
    # The last change of a closed case was its closing, or came soon after it.
    op.execute("UPDATE cases SET closed_at = updated_at WHERE stage = 'closed'")
    op.create_index("cases_opened", "cases", ["opened_at"], unique=False)
    op.create_index("cases_closed", "cases", ["closed_at"], unique=False)
    op.add_column(
        "conversations",
        sa.Column("channel", sa.String(length=16), server_default="web", nullable=False),
    )
    op.add_column("conversations", sa.Column("owner_since", sa.String(length=32), nullable=True))
    op.add_column("conversations", sa.Column("awaiting_since", sa.String(length=32), nullable=True))
    op.add_column(
        "conversations", sa.Column("front", sa.Boolean(), server_default="0", nullable=False)
    )
    op.add_column("conversations", sa.Column("last_agent", sa.Integer(), nullable=True))
    op.add_column("conversations", sa.Column("snoozed_until", sa.String(length=32), nullable=True))
    op.add_column("conversations", sa.Column("woken_at", sa.String(length=32), nullable=True))
    op.add_column(
        "fulfilments", sa.Column("round", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "conversations", sa.Column("priority", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("pictures", sa.Column("staff_id", sa.Integer(), nullable=True))
    op.add_column("staff", sa.Column("skills", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("staff", sa.Column("capacity", sa.Integer(), server_default="6", nullable=False))
    op.add_column(
        "staff",
        sa.Column("presence", sa.String(length=8), server_default="offline", nullable=False),
    )
    op.add_column("staff", sa.Column("seen_at", sa.String(length=32), nullable=True))
    op.add_column("staff", sa.Column("totp_secret", sa.String(length=200), nullable=True))
    op.add_column("staff", sa.Column("totp_confirmed_at", sa.String(length=32), nullable=True))
    op.add_column("staff", sa.Column("totp_last", sa.Integer(), server_default="0", nullable=False))
    op.add_column("staff", sa.Column("password_changed_at", sa.String(length=32), nullable=True))
    op.add_column(
        "staff", sa.Column("must_change", sa.Boolean(), server_default="0", nullable=False)
    )
    op.add_column("staff", sa.Column("disabled_at", sa.String(length=32), nullable=True))
    op.add_column("staff_sessions", sa.Column("created_at", sa.String(length=32), nullable=True))
    op.add_column("staff_sessions", sa.Column("seen_at", sa.String(length=32), nullable=True))
    for statement in _REFUSE[op.get_bind().dialect.name]:
        op.execute(statement)
    begun = stamp(datetime.now(UTC))
    op.bulk_insert(canned_replies, [{**vars(one), "updated_at": begun} for one in starters()])


def downgrade() -> None:
    """Go back."""
    op.drop_column("staff_sessions", "seen_at")
    op.drop_column("staff_sessions", "created_at")
    op.drop_column("staff", "disabled_at")
    op.drop_column("staff", "must_change")
    op.drop_column("staff", "password_changed_at")
    op.drop_column("staff", "totp_last")
    op.drop_column("staff", "totp_confirmed_at")
    op.drop_column("staff", "totp_secret")
    op.drop_column("staff", "seen_at")
    op.drop_column("staff", "presence")
    op.drop_column("staff", "capacity")
    op.drop_column("staff", "skills")
    op.drop_column("pictures", "staff_id")
    op.drop_column("conversations", "priority")
    op.drop_column("fulfilments", "round")
    op.drop_column("conversations", "woken_at")
    op.drop_column("conversations", "snoozed_until")
    op.drop_column("conversations", "last_agent")
    op.drop_column("conversations", "front")
    op.drop_column("conversations", "awaiting_since")
    op.drop_column("conversations", "owner_since")
    op.drop_column("conversations", "channel")
    op.drop_index("cases_closed", table_name="cases")
    op.drop_index("cases_opened", table_name="cases")
    op.drop_column("cases", "outcome")
    op.drop_column("cases", "closed_by")
    op.drop_column("cases", "closed_at")
    op.drop_index("remedy_requests_state", table_name="remedy_requests")
    op.drop_index("remedy_requests_conversation", table_name="remedy_requests")
    op.drop_table("remedy_requests")
    op.drop_index("notes_conversation", table_name="notes")
    op.drop_table("notes")
    op.drop_table("conversation_labels")
    op.drop_index("clock_misses_at", table_name="clock_misses")
    op.drop_table("clock_misses")
    op.drop_index("clocks_stopped", table_name="clocks")
    op.drop_index("clocks_warn", table_name="clocks")
    op.drop_index("clocks_pauses", table_name="clocks")
    op.drop_index("clocks_due", table_name="clocks")
    op.drop_table("clocks")
    op.drop_index("recovery_codes_staff", table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_index("notices_staff", table_name="notices")
    op.drop_table("notices")
    op.drop_table("labels")
    op.drop_table("canned_replies")
    op.drop_index("audit_log_target", table_name="audit_log")
    op.drop_index("audit_log_at", table_name="audit_log")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS audit_log_stands()")
