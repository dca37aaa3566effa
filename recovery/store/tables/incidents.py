"""What order systems report by themselves, and one cause that concerns many customers."""

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
    Column("place", String(80)),  # where, as the order system or a rule names it
    Column("rule", String(40)),  # by which the bot proposed it
    Column("urgent", Boolean, nullable=False, server_default="0"),  # told at night as well
    Column("source", String(16), nullable=False),  # order_system, staff, bot
    Column("key", String(120)),  # what makes it the same incident
    # proposed, single (one customer so far), open, closed, dismissed
    Column("state", String(10), nullable=False),
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
    Column("identity", String(200)),  # as the host site signs them, where no order was named
    Column("event_id", String(80)),  # by which it was reported
    Column("customer_id", String(32)),  # once known
    Column("case_id", String(32)),
    Column("conversation_id", String(32)),  # where they were written to
    # waiting, told, joined, proposed, left, unreachable
    Column("state", String(12), nullable=False),
    Column("due_at", String(32)),  # when they are written to; NULL: they were
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("offer_id", String(48)),  # what they were offered
    Column("differs", JSON),  # why it is not what the others got: words
    Column("why", String(120)),  # they are not reached, or a person decides
    Column("told_at", String(32)),
    Column("added_by", String(48), nullable=False),
    Column("added_at", String(32), nullable=False),
    Index("incident_members_incident", "incident_id"),
    Index("incident_members_case", "case_id"),
    Index("incident_members_order", "order_number"),
    Index("incident_members_due", "due_at"),
)

incident_messages = Table(
    "incident_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("kind", String(8), nullable=False),  # words, offer
    Column("text", Text, nullable=False),
    Column("wishes", JSON),  # of an offer: added to what the policy gives each; NULL: nothing
    Column("reason", Text),  # why it departs from the policy
    Column("by", String(48), nullable=False),
    Column("at", String(32), nullable=False),
    Index("incident_messages_incident", "incident_id"),
)

incident_tellings = Table(
    "incident_tellings",
    metadata,
    Column("message_id", ForeignKey("incident_messages.id"), primary_key=True),
    Column("member_id", ForeignKey("incident_members.id"), primary_key=True),
    Column("state", String(12), nullable=False),  # waiting, told, skipped, unreachable
    Column("due_at", String(32)),  # NULL: it has ended
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("told_at", String(32)),
    Column("why", String(120)),  # it was skipped
    Index("incident_tellings_due", "due_at"),
)
