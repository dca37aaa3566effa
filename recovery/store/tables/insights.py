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

# Whole numbers that are added up and counted, and nothing else: NULL means that a case does not
# count for it, so that the sum over the number is a share or a mean. 0 and 1 are no and yes.
MEASURES = (
    *("angry", "anger_opening", "anger_peak", "anger_close", "relief", "neutral"),
    *("closed", "repeat", "recovered"),
    *("apology_seconds", "bot_seconds", "person_seconds", "person_service_seconds"),
    *("heard", "in_time"),
    *("moved", "angry_in_public"),
    *("room_anger_before", "room_anger_after"),  # hundredths of a level
    *("room_messages_before", "room_messages_after"),
    *("offers", "accepted", "floor_fen", "goodwill_fen", "spent_fen", "beyond_fen"),
    *("departures", "unlike", "promises", "late"),
    *("answered", "rating", "satisfied", "survey_answered", "confirmed", "recommend"),
    *("returned_recovered", "returned_others", "later_fen_recovered", "later_fen_others"),
    *("expected_reliability", "perceived_reliability"),
    *("expected_assurance", "perceived_assurance"),
    *("expected_tangibles", "perceived_tangibles"),
    *("expected_empathy", "perceived_empathy"),
    *("expected_responsiveness", "perceived_responsiveness"),
)

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
    Column("tier", String(16), nullable=False),  # "": not known
    Column("failure", String(40), nullable=False),  # "": not known
    Column("cause", String(40), nullable=False),  # confirmed, else proposed; "": none
    Column("cause_confirmed", Boolean, nullable=False),
    Column("day", String(10), nullable=False),  # it was opened, in the zone of the business
    Column("opened_at", String(32), nullable=False),
    Column("outcome", String(24)),
    Column("alike", String(16), nullable=False),  # the same facts; "": the bot has offered nothing
    Column("given", String(16), nullable=False),  # the same remedies
    *(Column(name, Integer) for name in MEASURES),
    Column("look_at", String(32)),  # when time alone changes it; NULL: never
    Column("updated_at", String(32), nullable=False),
    Index("case_facts_day", "business", "day"),
    Index("case_facts_person", "person", "failure", "opened_at"),
    Index("case_facts_look", "look_at"),
    Index("case_facts_alike", "alike"),
)

insight_marks = Table(
    "insight_marks",
    metadata,
    # How often facts of a day have changed: what was worked out of them before is old then.
    Column("business", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("number", Integer, nullable=False),
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
    Index("case_causes_at", "at"),
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
