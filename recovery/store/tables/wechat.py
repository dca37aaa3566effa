"""What comes from WeChat and goes to it."""

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
)

from recovery.store.tables.base import metadata

wechat_contacts = Table(
    "wechat_contacts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(32), nullable=False),  # of the settings
    Column("openid", String(64), nullable=False),  # 微信客服: external_userid
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("conversation_id", String(32)),  # where its words go now
    Column("following", Boolean, nullable=False, server_default="1"),
    Column("wrote_at", String(32)),  # latest message: five answers within 48 hours
    Column("acted_at", String(32)),  # latest follow, scan, click on a menu: three within a minute
    Column("sent_since_wrote", Integer, nullable=False, server_default="0"),
    Column("sent_since_acted", Integer, nullable=False, server_default="0"),
    Column("blocked_until", String(32)),  # WeChat takes nothing before; NULL: it does
    Column("blocked_by", Integer),  # its error code
    Column("told_later_at", String(32)),  # a template told of what waits, since the latest message
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("account", "openid"),
    Index("wechat_contacts_customer", "customer_id"),
    Index("wechat_contacts_conversation", "conversation_id"),
)

wechat_threads = Table(
    "wechat_threads",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("contact_id", ForeignKey("wechat_contacts.id"), nullable=False),
    Column("planned", Integer, nullable=False),  # number in the stream up to which sends were made
    Column("bound_at", String(32), nullable=False),
    Index("wechat_threads_contact", "contact_id"),
)

wechat_received = Table(
    "wechat_received",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("key", String(128), primary_key=True),  # MsgId, or who, when and what of an event
    Column("position", Integer, nullable=False),  # order of arrival of what waits
    Column("contact_id", String(32)),
    Column("content", JSON, nullable=False),  # desk.channels.wechat.incoming.inbound.Inbound
    Column("state", String(8), nullable=False),  # new, done, failed
    Column("message_id", String(40)),  # of the inbox
    Column("passive", Text),  # what was given as the passive reply; NULL: nothing
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("received_at", String(32), nullable=False),
    Index("wechat_received_state", "state", "position"),
    Index("wechat_received_at", "received_at"),
)

wechat_sends = Table(
    "wechat_sends",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("wechat_contacts.id"), nullable=False),
    Column("conversation_id", String(32)),
    Column("event_id", String(48), nullable=False),  # of the stream
    Column("part", Integer, nullable=False),  # a long text has several
    Column("kind", String(8), nullable=False),  # text, menu, image
    Column("weight", String(8), nullable=False),  # say, notice
    Column("content", JSON, nullable=False),
    Column("state", String(8), nullable=False),  # todo, held, sending, sent, unknown, failed
    Column("via", String(10)),  # passive, custom, template, subscribe, kf
    Column("batch", String(32)),  # rows that went as one message
    Column("error", Integer),  # of WeChat
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", String(32), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("settled_at", String(32)),
    UniqueConstraint("contact_id", "event_id", "part"),
    Index("wechat_sends_state", "state", "due_at"),
    Index("wechat_sends_contact", "contact_id", "state"),
    Index("wechat_sends_conversation", "conversation_id", "state"),
)

wechat_options = Table(
    "wechat_options",
    metadata,
    Column("id", String(16), primary_key=True),  # of the item of a menu
    Column("contact_id", ForeignKey("wechat_contacts.id"), nullable=False),
    Column("conversation_id", String(32), nullable=False),
    Column("number", Integer, nullable=False),  # as the customer may type it, from 1
    Column("title", String(80), nullable=False),
    Column("token", Text, nullable=False),  # the signed quick reply
    Column("current", Boolean, nullable=False),  # nothing else was shown since
    Column("created_at", String(32), nullable=False),
    Index("wechat_options_contact", "contact_id", "created_at"),
)

wechat_tokens = Table(
    "wechat_tokens",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("token", Text),  # sealed
    Column("expires_at", String(32)),
    Column("fetched_at", String(32)),
    Column("forced_at", String(32)),  # when a new one was last asked for by force
    Column("forced_count", Integer, nullable=False, server_default="0"),  # on that day in Shanghai
    Column("fetching", String(32)),  # who asks for one just now
    Column("fetching_until", String(32)),
)

wechat_scenes = Table(
    "wechat_scenes",
    metadata,
    Column("secret_hash", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),  # scan: web to WeChat; link: WeChat to web
    Column("account", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("conversation_id", String(32), nullable=False),  # public or private, of that customer
    Column("invitation_id", String(32)),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("used_at", String(32)),
    Column("contact_id", String(32)),  # who used it, or asked for it
    Index("wechat_scenes_conversation", "conversation_id"),
)

wechat_comments = Table(
    "wechat_comments",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("article", String(32), primary_key=True),
    Column("comment", String(32), primary_key=True),  # user_comment_id
    Column("openid", String(64)),  # absent for identities that are none of WeChat's
    Column("conversation_id", String(32)),
    Column("message_id", String(40)),
    Column("state", String(8), nullable=False),  # new, sending, done, skipped, unknown, failed
    Column("reply", Text),
    Column("error", Integer),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", String(32), nullable=False),
    Column("settled_at", String(32)),
    Column("taken_up_at", String(32)),  # the writer has written in private
    Index("wechat_comments_state", "state"),
    Index("wechat_comments_writer", "account", "openid"),
)

wechat_credits = Table(
    "wechat_credits",
    metadata,
    Column("contact_id", ForeignKey("wechat_contacts.id"), primary_key=True),
    Column("template", String(64), primary_key=True),
    Column("left", Integer, nullable=False),
)

wechat_cursors = Table(
    "wechat_cursors",
    metadata,
    Column("account", String(32), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("updated_at", String(32), nullable=False),
)
