"""What was promised until when, what customers were told of it, what they said afterwards."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from recovery.store.tables.base import metadata

promises = Table(
    "promises",
    metadata,
    Column("key", String(48), primary_key=True),  # of the fulfilment
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("stage", String(12), nullable=False),  # accepted, sent_on, done, late, given_up
    Column("promised_at", String(32), nullable=False),
    Column("due_at", String(32), nullable=False),  # when it has to be done, as the customer knows
    Column("look_at", String(32)),  # when it is looked at next; NULL: it has ended
    Column("told", JSON, nullable=False, server_default="{}"),  # stage: when it was told
    Column("times_late", Integer, nullable=False, server_default="0"),
    Column("extra_offer", String(48)),  # what was added because it is late: id of the decision
    Column("updated_at", String(32), nullable=False),
    Index("promises_look", "look_at"),
    Index("promises_case", "case_id"),
    Index("promises_stage", "stage", "updated_at"),
    Index("promises_updated", "updated_at"),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("round", Integer, nullable=False),  # 1; 2: asked once more
    Column("state", String(12), nullable=False),  # waiting, asked, answered, ended, cancelled
    Column("why", String(24)),  # of ended and cancelled: wrote_first, silent, refused, reopened, ..
    Column("due_at", String(32)),  # when it is asked, or given up; NULL: it has ended
    Column("asked_at", String(32)),
    Column("rating", Integer),  # 1..5
    Column("rated_at", String(32)),
    Column("words", Text),  # answer to the open question
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Index("follow_ups_due", "state", "due_at"),
    Index("follow_ups_case", "case_id", "round", unique=True),
    Index("follow_ups_conversation", "conversation_id", "state"),
    Index("follow_ups_updated", "updated_at"),
)

surveys = Table(
    "surveys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("business", String(32), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False, unique=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("answered_at", String(32)),
    Column("expected", JSON),  # {"reliability": 1..7, "assurance", ..}: RATER
    Column("perceived", JSON),  # the same dimensions
    Column("confirmed", Integer),  # 1..5: much worse .. much better than expected
    Column("recommend", Integer),  # 0..10
    Column("words", Text),
    Index("surveys_sent", "business", "sent_at"),
)

gestures = Table(
    "gestures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("person", String(32), nullable=False),
    Column("kind", String(16), nullable=False),  # gesture, recommendation
    Column("rule", String(64), nullable=False),
    Column("content", JSON, nullable=False),  # what, and why in words
    Column("cost_fen", Integer, nullable=False, server_default="0"),
    Column("state", String(12), nullable=False),  # offered, taken, declined, done
    Column("at", String(32), nullable=False),
    Column("settled_at", String(32)),
    Column("marketing", Boolean, nullable=False, server_default="0"),
    Index("gestures_person", "person", "at"),
    Index("gestures_case", "case_id"),
)
