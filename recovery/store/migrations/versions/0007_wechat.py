"""Customers on WeChat: who they are, what came in, what goes out, tokens, comments."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "wechat_contacts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("following", sa.Boolean(), nullable=False, server_default="1"),
        sa.Column("wrote_at", sa.String(length=32), nullable=True),
        sa.Column("acted_at", sa.String(length=32), nullable=True),
        sa.Column("sent_since_wrote", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("sent_since_acted", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("blocked_until", sa.String(length=32), nullable=True),
        sa.Column("blocked_by", sa.Integer(), nullable=True),
        sa.Column("told_later_at", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "openid"),
    )
    op.create_index("wechat_contacts_conversation", "wechat_contacts", ["conversation_id"])
    op.create_index("wechat_contacts_customer", "wechat_contacts", ["customer_id"])
    op.create_table(
        "wechat_threads",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("bound_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.ForeignKeyConstraint(["contact_id"], ["wechat_contacts.id"]),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    op.create_index("wechat_threads_contact", "wechat_threads", ["contact_id"])
    op.create_table(
        "wechat_received",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("passive", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("account", "key"),
    )
    op.create_index("wechat_received_at", "wechat_received", ["received_at"])
    op.create_index("wechat_received_state", "wechat_received", ["state", "position"])
    op.create_table(
        "wechat_sends",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("event_id", sa.String(length=48), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("weight", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("via", sa.String(length=10), nullable=True),
        sa.Column("batch", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["wechat_contacts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("contact_id", "event_id", "part"),
    )
    op.create_index("wechat_sends_contact", "wechat_sends", ["contact_id", "state"])
    op.create_index("wechat_sends_conversation", "wechat_sends", ["conversation_id", "state"])
    op.create_index("wechat_sends_state", "wechat_sends", ["state", "due_at"])
    op.create_table(
        "wechat_options",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["wechat_contacts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("wechat_options_contact", "wechat_options", ["contact_id", "created_at"])
    op.create_table(
        "wechat_tokens",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.String(length=32), nullable=True),
        sa.Column("fetched_at", sa.String(length=32), nullable=True),
        sa.Column("forced_at", sa.String(length=32), nullable=True),
        sa.Column("forced_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fetching", sa.String(length=32), nullable=True),
        sa.Column("fetching_until", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "wechat_scenes",
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("invitation_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.Column("used_at", sa.String(length=32), nullable=True),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.PrimaryKeyConstraint("secret_hash"),
    )
    op.create_index("wechat_scenes_conversation", "wechat_scenes", ["conversation_id"])
    op.create_table(
        "wechat_comments",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("article", sa.String(length=32), nullable=False),
        sa.Column("comment", sa.String(length=32), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("error", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.Column("taken_up_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("account", "article", "comment"),
    )
    op.create_index("wechat_comments_state", "wechat_comments", ["state"])
    op.create_index("wechat_comments_writer", "wechat_comments", ["account", "openid"])
    op.create_table(
        "wechat_credits",
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["wechat_contacts.id"]),
        sa.PrimaryKeyConstraint("contact_id", "template"),
    )
    op.create_table(
        "wechat_cursors",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("wechat_cursors")
    op.drop_table("wechat_credits")
    op.drop_table("wechat_comments")
    op.drop_table("wechat_scenes")
    op.drop_table("wechat_tokens")
    op.drop_table("wechat_options")
    op.drop_table("wechat_sends")
    op.drop_table("wechat_received")
    op.drop_table("wechat_threads")
    op.drop_table("wechat_contacts")
