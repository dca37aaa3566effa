"""Customers, what they say and hear, and their cases."""

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
    text,
)

from recovery.store.tables.base import metadata

customers = Table(
    "customers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("name", String(40), nullable=False),
    Column("external_id", String(128)),  # signed by the host site
    Column("person", String(32), nullable=False, server_default=""),  # proved to be one
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("business", "external_id"),
    Index("customers_person", "person"),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("business", String(32), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("created_at", String(32), nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("kind", String(8), nullable=False),  # public, private
    Column("room", String(32)),  # of a public one
    Column("case_id", String(32)),
    Column("channel", String(16), nullable=False, server_default="web"),  # or phone, street, ...
    Column("owner", String(48), nullable=False),  # bot, queue, staff:<id>
    Column("owner_since", String(32)),
    Column("reason", String(32)),  # why it waits for a person
    Column("waiting_since", String(32)),  # in the queue
    Column("awaiting_since", String(32)),  # the customer has no answer of a person since
    Column("front", Boolean, nullable=False, server_default="0"),  # came back to the queue
    Column("last_agent", Integer),  # who had it last
    Column("snoozed_until", String(32)),
    Column("woken_at", String(32)),  # when it was last taken up again
    Column("priority", Integer, nullable=False, server_default="0"),  # by the queue table
    Column("turns", Integer, nullable=False, default=0),  # taken by the bot; names the episode
    Column("created_at", String(32), nullable=False),
    Column("last_at", String(32), nullable=False),
    Column("last_text", Text, nullable=False, default=""),
    Column("seen_by_staff", Integer, nullable=False, default=0),
    UniqueConstraint("customer_id", "room"),
    Index("conversations_owner", "owner", "business"),
    Index("conversations_case", "case_id"),
    Index("conversations_customer", "customer_id"),
    # Partial, so that nobody takes them to look for all the others, which are NULL.
    Index(
        "conversations_snoozed",
        "snoozed_until",
        sqlite_where=text("snoozed_until IS NOT NULL"),
        postgresql_where=text("snoozed_until IS NOT NULL"),
    ),
    Index(
        "conversations_awaiting",
        "awaiting_since",
        sqlite_where=text("awaiting_since IS NOT NULL"),
        postgresql_where=text("awaiting_since IS NOT NULL"),
    ),
)

cases = Table(
    "cases",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", JSON, nullable=False),  # recovery.case.Case.to_state
    Column("opened_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("closed_at", String(32)),
    Column("closed_by", Integer),  # of staff
    Column("outcome", String(24)),  # recovery.outcomes
    Column("merged_into", String(32)),  # goes on in that case
    Column("reopened_at", String(32)),
    Index("cases_customer", "customer_id"),
    Index("cases_opened", "opened_at"),
    Index("cases_closed", "closed_at"),
    Index("cases_updated", "updated_at"),
)

case_log = Table(
    "case_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("message_id", String(40), nullable=False),
    Column("command", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    Index("case_log_case", "case_id"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("external_id", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("intent", String(40)),  # set for quick replies and events: not guessed from the text
    Column("pressed", JSON),
    Column("picture", String(32)),  # what was sent instead of words
    Column("state", String(8), nullable=False),  # new, done
    Column("holding", Boolean, nullable=False, default=False),
    Column("understood", JSON),
    Column("received_at", String(32), nullable=False),
    UniqueConstraint("conversation_id", "external_id"),
    Index("inbox_state", "state", "position"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("case_id", String(32)),
    Column("sha256", String(64), nullable=False),  # of the file as sent; names it on disk
    Column("mime", String(16), nullable=False),  # of the file as sent
    Column("width", Integer, nullable=False),  # pixels, upright
    Column("height", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("staff_id", Integer),  # who sent it; NULL: the customer
    Column("created_at", String(32), nullable=False),
    Index("pictures_conversation", "conversation_id", "created_at"),
)

streams = Table(
    "streams",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("last", Integer, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("id", String(48), nullable=False),
    Column("event", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    # Both stand in the event as well; here they can be looked up.
    Column("customer", String(32)),  # who posted it
    Column("reply_to", String(48)),
    UniqueConstraint("stream", "id"),
    Index("outbox_customer", "stream", "customer", "seq"),
    Index("outbox_reply", "stream", "reply_to"),
)

said = Table(
    "said",
    metadata,
    Column("customer_id", ForeignKey("customers.id"), primary_key=True),
    Column("variant", String(16), primary_key=True),
    Column("at", String(32), nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("public_conversation", ForeignKey("conversations.id"), nullable=False),
    Column("private_conversation", String(32)),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("used_at", String(32)),
    Index("invitations_public", "public_conversation"),
)

proof_tries = Table(
    "proof_tries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business", String(32), nullable=False),
    Column("order_number", String(64), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("correct", Boolean, nullable=False),
    Column("at", String(32), nullable=False),
    Index("proof_tries_order", "business", "order_number", "at"),
    Index("proof_tries_customer", "customer_id", "at"),
)
