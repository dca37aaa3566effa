"""Whose account, whose post: staff of one business, and a room's posts found without a scan."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_outbox = sa.table(
    "outbox",
    sa.column("event", sa.JSON()),
    sa.column("customer", sa.String()),
    sa.column("reply_to", sa.String()),
)


def upgrade() -> None:
    """Go forward."""
    op.add_column("staff", sa.Column("business", sa.String(length=32), nullable=True))
    op.add_column("outbox", sa.Column("customer", sa.String(length=32), nullable=True))
    op.add_column("outbox", sa.Column("reply_to", sa.String(length=48), nullable=True))
    op.execute(
        _outbox.update().values(
            customer=_outbox.c.event["customer"].as_string(),
            reply_to=_outbox.c.event["reply_to"].as_string(),
        )
    )
    op.create_index("outbox_customer", "outbox", ["stream", "customer", "seq"])
    op.create_index("outbox_reply", "outbox", ["stream", "reply_to"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("outbox_reply", table_name="outbox")
    op.drop_index("outbox_customer", table_name="outbox")
    with op.batch_alter_table("outbox") as table:
        table.drop_column("reply_to")
        table.drop_column("customer")
    with op.batch_alter_table("staff") as table:
        table.drop_column("business")
