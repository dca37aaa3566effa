"""What order systems report by themselves, and one cause that concerns many customers."""

from sqlalchemy import (
    JSON,
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

order_events = Table(
    "order_events",
    metadata,
    Column("business", String(32), primary_key=True),
    Column("id", String(80), primary_key=True),  # as the order system names it
    Column("position", Integer, nullable=False),
    Column("kind", String(40), nullable=False),  # late, cancelled, out_of_stock, lift_down, ...
    Column("content", JSON, nullable=False),  # as it came, checked
    Column("state", String(8), nullable=False),  # new, done, skipped, failed
    Column("why", String(120)),  # it was skipped or failed
    Column("incident_id", String(32)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("received_at", String(32), nullable=False),
    Column("due_at", String(32), nullable=False),
    Column("settled_at", String(32)),
    Index("order_events_state", "state", "due_at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("industry", String(16), nullable=False),
    Column("failure", String(40), nullable=False),
    Column("title", String(80), nullable=False),
    Column("source", String(16), nullable=False),  # order_system, staff, bot
    Column("key", String(120)),  # what makes it the same incident
    Column("state", String(10), nullable=False),  # proposed, open, closed, dismissed
    Column("told", Text),  # what customers were last told together
    Column("remedies", JSON),  # of the incident, so that all are treated alike
    Column("opened_by", String(48), nullable=False),  # desk, bot, staff:<id>
    Column("opened_at", String(32), nullable=False),
    Column("closed_by", String(48)),
    Column("closed_at", String(32)),
    Column("updated_at", String(32), nullable=False),
    UniqueConstraint("business", "key"),
    Index("incidents_state", "business", "state"),
)

incident_members = Table(
    "incident_members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("order_number", String(64), nullable=False, server_default=""),
    Column("order_customer", String(200)),  # as the order system names them
    Column("customer_id", String(32)),  # once known
    Column("case_id", String(32)),
    Column(
        "state", String(12), nullable=False
    ),  # waiting, told, joined, proposed, left, unreachable
    Column("told_at", String(32)),
    Column("added_by", String(48), nullable=False),
    Column("added_at", String(32), nullable=False),
    Index("incident_members_incident", "incident_id"),
    Index("incident_members_case", "case_id"),
    Index("incident_members_order", "order_number"),
)

incident_messages = Table(
    "incident_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", String(48), nullable=False),
    Column("at", String(32), nullable=False),
    Index("incident_messages_incident", "incident_id"),
)
