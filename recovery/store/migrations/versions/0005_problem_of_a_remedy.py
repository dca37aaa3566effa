"""What keeps a remedy from being carried out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("fulfilments", sa.Column("problem", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("fulfilments") as table:
        table.drop_column("problem")
