"""Decisions of the remedy policy, and the policies they were made with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "policies",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("bundle", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("order_customer", sa.String(length=200), nullable=False),
        sa.Column("order_number", sa.String(length=64), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("remedies", sa.JSON(), nullable=False),
        sa.Column("floor_fen", sa.Integer(), nullable=False),
        sa.Column("goodwill_fen", sa.Integer(), nullable=False),
        sa.Column("anger", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(length=48), nullable=False),
        sa.Column("departure", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.Column("accepted_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decisions_case", "decisions", ["case_id"])
    op.create_index("decisions_accepted", "decisions", ["business", "accepted_at"])
    op.create_index(
        "decisions_customer", "decisions", ["business", "order_customer", "accepted_at"]
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("decisions")
    op.drop_table("policies")
