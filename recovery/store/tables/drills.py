"""Practice of staff: never in the figures."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table

from recovery.store.tables.base import metadata

drills = Table(
    "drills",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("scenario", String(48), nullable=False),
    Column("state", String(8), nullable=False),  # running, ended, left
    Column("lines", JSON, nullable=False),  # [{"by", "text", "at", "anger"}]
    Column("standing", JSON, nullable=False),  # of the simulated customer
    Column("review", JSON),
    Column("started_at", String(32), nullable=False),
    Column("due_at", String(32), nullable=False),
    Column("ended_at", String(32)),
    Index("drills_staff", "staff_id", "started_at"),
)

drill_scenarios = Table(
    "drill_scenarios",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False, index=True),
    # Without personal data, read by a manager before it was kept.
    Column("content", JSON, nullable=False),
    # What it was made from; no foreign key, since the case may be erased before it.
    Column("case_id", String(32)),
    Column("made_by", ForeignKey("staff.id"), nullable=False),
    Column("made_at", String(32), nullable=False),
)
