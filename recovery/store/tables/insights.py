"""What cases taught: one row of figures a case, causes, alerts, weekly reports."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from recovery.store.tables.base import metadata

case_facts = Table(
    "case_facts",
    metadata,
    # Derived from the other tables, and made again from them when the version changes.
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("business", String(32), nullable=False),
    Column("industry", String(16), nullable=False),
    Column("channel", String(16), nullable=False),  # where it began
    Column("person", String(32), nullable=False),
    Column("tier", String(16)),
    Column("failure", String(40), nullable=False),  # "" : not known
    Column("cause", String(40), nullable=False),  # confirmed, else proposed; "": none
    Column("cause_confirmed", Boolean, nullable=False),
    Column("day", String(10), nullable=False),  # it was opened, in the zone of the business
    Column("opened_at", String(32), nullable=False),
    Column("closed_at", String(32)),
    Column("outcome", String(24)),
    Column("anger_opening", Integer),
    Column("anger_peak", Integer),
    Column("anger_close", Integer),  # as it is now, where it is not closed
    Column("apology_seconds", Float),  # first angry message to first apology
    Column("bot_seconds", Float),  # to the first answer of anybody
    Column("person_seconds", Float),  # to the first answer of a person
    Column("person_service_seconds", Float),  # the same in business hours
    Column("invited", Boolean, nullable=False),
    Column("moved", Boolean, nullable=False),  # to private
    Column("angry_in_public_after", Boolean, nullable=False),  # within 7 days
    Column("offers", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("floor_fen", Integer, nullable=False),  # accepted
    Column("goodwill_fen", Integer, nullable=False),  # accepted
    Column("beyond_fen", Integer, nullable=False),  # accepted, above the policy
    Column("departures", Integer, nullable=False),
    Column("late", Integer, nullable=False),  # promises that were missed
    Column("repeat", Boolean, nullable=False),  # same person and failure in the 30 days before
    Column("rating", Integer),  # 1..5
    Column("asked", Boolean, nullable=False),  # how it went
    Column("recovered", Boolean),  # NULL: not known yet
    Column("returned", Boolean),  # the person came back within 90 days; NULL: not known yet
    Column("room_before", Float),  # mean anger of others in the room in the hour before the move
    Column("room_after", Float),
    Column("room_messages_before", Integer),
    Column("room_messages_after", Integer),
    Column("updated_at", String(32), nullable=False),
    Index("case_facts_day", "business", "day"),
    Index("case_facts_person", "person", "failure", "opened_at"),
)

case_causes = Table(
    "case_causes",
    metadata,
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("proposed", String(40), nullable=False),
    Column("confirmed", String(40)),
    Column("action", Text),  # what is done so that it does not happen again
    Column("action_by", String(40)),  # who does it
    Column("action_due", String(10)),  # day
    Column("action_done_at", String(32)),
    Column("by", Integer),  # of staff
    Column("at", String(32), nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("kind", String(16), nullable=False),  # cause, failure
    Column("name", String(40), nullable=False),  # of what rises
    Column("day", String(10), nullable=False),
    Column("count", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("state", String(8), nullable=False),  # open, seen
    Column("seen_by", Integer),
    Column("seen_at", String(32)),
    Column("at", String(32), nullable=False),
    UniqueConstraint("business", "kind", "name", "day"),
)

weekly_reports = Table(
    "weekly_reports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("week", String(10), nullable=False),  # its Monday
    Column("content", JSON, nullable=False),
    Column("made_at", String(32), nullable=False),
    UniqueConstraint("business", "week"),
)

purchases = Table(
    "purchases",
    metadata,
    # What an order system says of a customer's later orders, for return and repurchase.
    Column("business", String(32), primary_key=True),
    Column("order_number", String(64), primary_key=True),
    Column("order_customer", String(200), nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("ordered_at", String(32), nullable=False),
    Index("purchases_customer", "business", "order_customer", "ordered_at"),
)
