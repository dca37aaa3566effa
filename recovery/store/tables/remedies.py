"""What was offered, decided and carried out."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from recovery.store.tables.base import metadata

fulfilments = Table(
    "fulfilments",
    metadata,
    Column("key", String(48), primary_key=True),  # <offer>:<place>, also towards the order system
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("order_number", String(64), nullable=False),
    Column("remedy", JSON, nullable=False),
    Column("state", String(8), nullable=False),  # todo, done, refused, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("round", Integer, nullable=False, server_default="0"),  # of tries; a person begins one
    Column("problem", String(200)),  # of the latest try; nothing of the customer
    Column("due_at", String(32), nullable=False),
    Column("receipt", JSON),
    Column("created_at", String(32), nullable=False),
    Index("fulfilments_state", "state", "due_at"),
    Index("fulfilments_case", "case_id"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", String(48), primary_key=True),  # of the offer
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("order_customer", String(200), nullable=False),  # as the order system names them
    Column("order_number", String(64), nullable=False),
    Column("failure", String(40), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("policy", String(64), nullable=False),
    Column("day", String(10), nullable=False),  # of the tables
    Column("facts", JSON, nullable=False),  # recovery.remedy.facts.Facts.to_wire
    Column("rules", JSON, nullable=False),
    Column("remedies", JSON, nullable=False),  # as offered
    Column("floor_fen", Integer, nullable=False),
    Column("goodwill_fen", Integer, nullable=False),
    Column("anger", Integer, nullable=False),  # of the case when it was offered
    Column("decided_by", String(48), nullable=False),  # bot, staff:<id>
    Column("departure", Text),  # why staff gave something else than the policy
    Column("state", String(16), nullable=False),  # open, accepted, refused, replaced
    Column("made_at", String(32), nullable=False),
    Column("accepted_at", String(32)),
    Index("decisions_case", "case_id"),
    Index("decisions_accepted", "business", "accepted_at"),
    Index("decisions_customer", "business", "order_customer", "accepted_at"),
)

policies = Table(
    "policies",
    metadata,
    Column("name", String(64), primary_key=True),  # recovery.remedy.book.Book.name
    Column("bundle", JSON, nullable=False),  # all its tables, so that old decisions replay
    Column("kept_at", String(32), nullable=False),
)

remedy_requests = Table(
    "remedy_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("asked_by", Integer, nullable=False),
    Column("asked_at", String(32), nullable=False),
    Column("content", JSON, nullable=False),  # remedies wished for, and what the policy would give
    Column("needed", String(8), nullable=False),  # authority: agent, manager
    Column("reason", Text, nullable=False),
    Column("state", String(10), nullable=False),  # open, granted, refused, withdrawn
    Column("decided_by", Integer),
    Column("decided_at", String(32)),
    Column("answer", Text),
    Column("offer_id", String(48)),
    Index("remedy_requests_state", "state", "business"),
    Index("remedy_requests_conversation", "conversation_id"),
)
