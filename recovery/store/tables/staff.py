"""Who answers: accounts, clocks, notes, canned replies, and what was done by whom."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from recovery.store.tables.base import metadata

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(40), nullable=False, unique=True),
    Column("name", String(40), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(160), nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", String(32)),
    Column("business", String(32)),  # NULL: of the operator, sees all businesses
    Column("created_at", String(32), nullable=False),
    Column("skills", JSON, nullable=False, server_default="[]"),  # industries; none: all
    Column("capacity", Integer, nullable=False, server_default="6"),  # conversations at once
    Column("presence", String(8), nullable=False, server_default="offline"),  # as chosen
    Column("seen_at", String(32)),  # latest sign of life of a page
    Column("totp_secret", String(200)),  # sealed
    Column("totp_confirmed_at", String(32)),
    Column("totp_last", Integer, nullable=False, server_default="0"),  # time step used last
    Column("password_changed_at", String(32)),
    Column("must_change", Boolean, nullable=False, server_default="0"),
    Column("disabled_at", String(32)),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("created_at", String(32)),
    Column("seen_at", String(32)),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("made_at", String(32), nullable=False),
    Index("recovery_codes_staff", "staff_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("staff_id", Integer),  # NULL: the desk itself
    Column("login", String(40), nullable=False),
    Column("act", String(40), nullable=False),
    Column("business", String(32)),
    Column("target", String(64)),
    Column("detail", JSON, nullable=False),
    Column("address", String(64)),
    Index("audit_log_target", "target"),
    Index("audit_log_at", "at"),
)

clocks = Table(
    "clocks",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),  # first_response, next_response, resolution
    Column("state", String(20), nullable=False),  # active, hit, missed, active_with_misses
    Column("target_seconds", Integer, nullable=False),  # of service time
    Column("used_seconds", Integer, nullable=False, server_default="0"),  # before it was stopped
    Column("started_at", String(32)),  # NULL: not running
    Column("due_at", String(32)),  # NULL: not running
    Column("warn_at", String(32)),  # from when it shows red
    Column("missed_at", String(32)),  # when it was last found too late
    Column("stopped_at", String(32)),
    Column("pauses", String(40), nullable=False, server_default=""),  # why it stands, by commas
    Column("hits", Integer, nullable=False, server_default="0"),
    Column("misses", Integer, nullable=False, server_default="0"),
    Column("updated_at", String(32), nullable=False),
    Index("clocks_due", "due_at"),
    Index("clocks_pauses", "pauses"),
    Index("clocks_warn", "warn_at"),
    Index("clocks_stopped", "stopped_at"),
)

clock_misses = Table(
    "clock_misses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # of the clock
    Column("at", String(32), nullable=False),  # when it was found too late
    Index("clock_misses_at", "at"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("staff_id", Integer, nullable=False),
    Column("kind", String(12), nullable=False),  # note, whisper, transfer, handback, request
    Column("text", Text, nullable=False),
    Column("mentions", JSON, nullable=False),  # ids of staff
    Column("at", String(32), nullable=False),
    Index("notes_conversation", "conversation_id", "at"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("kind", String(24), nullable=False),  # mention, whisper, silent, transfer, request, ...
    Column("conversation_id", String(32)),
    Column("text", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("read_at", String(32)),
    Index("notices_staff", "staff_id", "read_at"),
)

labels = Table(
    "labels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business", String(32)),  # NULL: of all
    Column("name", String(20), nullable=False),
    Column("colour", String(12), nullable=False),
    UniqueConstraint("business", "name"),
)

conversation_labels = Table(
    "conversation_labels",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("label_id", ForeignKey("labels.id"), primary_key=True),
    Column("at", String(32), nullable=False),
)

canned_replies = Table(
    "canned_replies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business", String(32)),  # NULL: of all
    Column("industry", String(16)),  # NULL: any
    Column("anger_least", Integer, nullable=False),
    Column("anger_most", Integer, nullable=False),
    Column("title", String(40), nullable=False),
    Column("text", Text, nullable=False),  # with {variables}
    Column("shortcut", String(20)),
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("updated_by", Integer),
    Column("updated_at", String(32), nullable=False),
)
