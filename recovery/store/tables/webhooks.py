"""The generic channel: who writes there, what came in, what goes out."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from recovery.store.tables.base import metadata

webhook_contacts = Table(
    "webhook_contacts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("source", String(32), nullable=False),  # of the settings
    Column("external_id", String(128), nullable=False),  # of the writer, as the source names them
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("public_conversation", String(32)),
    Column("private_conversation", String(32)),
    Column("blocked_until", String(32)),  # the source takes nothing for them before
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("source", "external_id"),
    Index("webhook_contacts_customer", "customer_id"),
)

webhook_received = Table(
    "webhook_received",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("id", String(128), primary_key=True),  # of the message, as the source names it
    Column("contact_id", String(32)),
    Column("message_id", String(40)),  # of the inbox
    Column("digest", String(64), nullable=False),  # of the body: the same id with others is refused
    Column("answer", JSON),  # given again when it comes twice
    Column("received_at", String(32), nullable=False),
    Index("webhook_received_at", "received_at"),
    Index("webhook_received_message", "message_id"),
)

webhook_threads = Table(
    "webhook_threads",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("contact_id", ForeignKey("webhook_contacts.id")),  # NULL: of a room, all who post there
    Column("planned", Integer, nullable=False),  # number in the stream up to which sends were made
    Index("webhook_threads_contact", "contact_id"),
)

webhook_sends = Table(
    "webhook_sends",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("webhook_contacts.id"), nullable=False),
    Column("stream", String(64), nullable=False),
    Column("event_id", String(48), nullable=False),
    Column("body", JSON, nullable=False),  # as it is signed and sent
    Column("state", String(8), nullable=False),  # todo, sending, sent, failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("status", Integer),  # of the latest answer; NULL: none came
    Column("problem", String(200)),
    Column("due_at", String(32), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("settled_at", String(32)),
    UniqueConstraint("contact_id", "event_id"),
    Index("webhook_sends_state", "state", "due_at"),
    Index("webhook_sends_stream", "stream"),
)
