"""One person behind several customers: what proves it, what they wish, what was joined."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from recovery.store.tables.base import metadata

preferences = Table(
    "preferences",
    metadata,
    Column("person", String(32), primary_key=True),  # customers.person
    Column("no_follow_up", Boolean, nullable=False, server_default="0"),  # never ask again
    Column("no_marketing", Boolean, nullable=False, server_default="0"),  # recommend nothing
    Column("wishes", JSON, nullable=False, server_default="[]"),  # [{"text", "at", "by"}]
    Column("notice_at", String(32)),  # when the notice about personal data was shown
    Column("notice", String(16)),  # which text of it
    Column("updated_at", String(32), nullable=False),
)

join_codes = Table(
    "join_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),  # who asked for it
    Column("kind", String(8), nullable=False),  # code: typed elsewhere; link: opened elsewhere
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("used_at", String(32)),
    Column("used_by", String(32)),  # customer
    Index("join_codes_customer", "customer_id", "created_at"),
)

join_tries = Table(
    "join_tries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),  # who typed it
    Column("correct", Boolean, nullable=False),
    Column("at", String(32), nullable=False),
    Index("join_tries_customer", "customer_id", "at"),
)

person_joins = Table(
    "person_joins",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("kept", String(32), nullable=False),  # person that stands
    Column("joined", String(32), nullable=False),  # person that went into it
    Column("customers", JSON, nullable=False),  # ids that were moved
    Column("how", String(16), nullable=False),  # code, link, wechat, identity
    Column("by", String(48), nullable=False),  # customer:<id>, staff:<id>
    Column("at", String(32), nullable=False),
    Column("undone_by", String(48)),
    Column("undone_at", String(32)),
    Index("person_joins_kept", "kept"),
    Index("person_joins_joined", "joined"),
)

case_joins = Table(
    "case_joins",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("kind", String(8), nullable=False),  # merge, split
    Column("kept_case", String(32), nullable=False),
    Column("other_case", String(32), nullable=False),  # merged away, or split off
    Column("before", JSON, nullable=False),  # what undoing needs
    Column("reason", Text, nullable=False),
    Column("by", Integer, nullable=False),  # of staff
    Column("at", String(32), nullable=False),
    Column("undone_by", Integer),
    Column("undone_at", String(32)),
    Index("case_joins_kept", "kept_case"),
    Index("case_joins_other", "other_case"),
)
