"""What customers ask for about their data, and what was done."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from recovery.store.tables.base import metadata

data_requests = Table(
    "data_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("kind", String(8), nullable=False),  # export, erase
    Column("asked_by", String(48), nullable=False),  # customer:<id>, staff:<id>, desk (retention)
    Column("state", String(10), nullable=False),  # open, done, refused
    Column("reason", Text),
    Column("asked_at", String(32), nullable=False),
    Column("due_at", String(32), nullable=False),
    Column("decided_by", Integer),  # of staff
    Column("settled_at", String(32)),
    Column("result", JSON),  # counts only, nothing of the person
    Index("data_requests_state", "business", "state"),
    Index("data_requests_person", "person"),
)
