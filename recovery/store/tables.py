"""All tables. Times are ISO 8601 in UTC with microseconds, so that they sort as text."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("business", String(32), nullable=False),
    Column("name", String(40), nullable=False),
    Column("external_id", String(128)),  # signed by the host site
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("business", "external_id"),
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
    Index("cases_customer", "customer_id"),
    Index("cases_opened", "opened_at"),
    Index("cases_closed", "closed_at"),
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

fulfilments = Table(
    "fulfilments",
    metadata,
    Column("key", String(48), primary_key=True),  # <offer>:<place>, also towards the order system
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("order_number", String(64), nullable=False),
    Column("remedy", JSON, nullable=False),
    Column("state", String(8), nullable=False),  # todo, done, refused, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("round", Integer, nullable=False, server_default="0"),  # of tries; a person begins one
    Column("problem", String(200)),  # of the latest try; nothing of the customer
    Column("due_at", String(32), nullable=False),
    Column("receipt", JSON),
    Column("created_at", String(32), nullable=False),
    Index("fulfilments_state", "state", "due_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", String(48), primary_key=True),  # of the offer
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("order_customer", String(200), nullable=False),  # as the order system names them
    Column("order_number", String(64), nullable=False),
    Column("failure", String(40), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("policy", String(64), nullable=False),
    Column("day", String(10), nullable=False),  # of the tables
    Column("facts", JSON, nullable=False),  # recovery.remedy.facts.Facts.to_wire
    Column("rules", JSON, nullable=False),
    Column("remedies", JSON, nullable=False),  # as offered
    Column("floor_fen", Integer, nullable=False),
    Column("goodwill_fen", Integer, nullable=False),
    Column("anger", Integer, nullable=False),  # of the case when it was offered
    Column("decided_by", String(48), nullable=False),  # bot, staff:<id>
    Column("departure", Text),  # why staff gave something else than the policy
    Column("state", String(16), nullable=False),  # open, accepted, refused, replaced
    Column("made_at", String(32), nullable=False),
    Column("accepted_at", String(32)),
    Index("decisions_case", "case_id"),
    Index("decisions_accepted", "business", "accepted_at"),
    Index("decisions_customer", "business", "order_customer", "accepted_at"),
)

policies = Table(
    "policies",
    metadata,
    Column("name", String(64), primary_key=True),  # recovery.remedy.book.Book.name
    Column("bundle", JSON, nullable=False),  # all its tables, so that old decisions replay
    Column("kept_at", String(32), nullable=False),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(40), nullable=False, unique=True),
    Column("name", String(40), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(160), nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", String(32)),
    Column("business", String(32)),  # NULL: of the operator, sees all businesses
    Column("created_at", String(32), nullable=False),
    Column("skills", JSON, nullable=False, server_default="[]"),  # industries; none: all
    Column("capacity", Integer, nullable=False, server_default="6"),  # conversations at once
    Column("presence", String(8), nullable=False, server_default="offline"),  # as chosen
    Column("seen_at", String(32)),  # latest sign of life of a page
    Column("totp_secret", String(200)),  # sealed
    Column("totp_confirmed_at", String(32)),
    Column("totp_last", Integer, nullable=False, server_default="0"),  # time step used last
    Column("password_changed_at", String(32)),
    Column("must_change", Boolean, nullable=False, server_default="0"),
    Column("disabled_at", String(32)),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("created_at", String(32)),
    Column("seen_at", String(32)),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("made_at", String(32), nullable=False),
    Index("recovery_codes_staff", "staff_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("staff_id", Integer),  # NULL: the desk itself
    Column("login", String(40), nullable=False),
    Column("act", String(40), nullable=False),
    Column("business", String(32)),
    Column("target", String(64)),
    Column("detail", JSON, nullable=False),
    Column("address", String(64)),
    Index("audit_log_target", "target"),
    Index("audit_log_at", "at"),
)

clocks = Table(
    "clocks",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),  # first_response, next_response, resolution
    Column("state", String(20), nullable=False),  # active, hit, missed, active_with_misses
    Column("target_seconds", Integer, nullable=False),  # of service time
    Column("used_seconds", Integer, nullable=False, server_default="0"),  # before it was stopped
    Column("started_at", String(32)),  # NULL: not running
    Column("due_at", String(32)),  # NULL: not running
    Column("warn_at", String(32)),  # from when it shows red
    Column("missed_at", String(32)),  # when it was last found too late
    Column("stopped_at", String(32)),
    Column("pauses", String(40), nullable=False, server_default=""),  # why it stands, by commas
    Column("hits", Integer, nullable=False, server_default="0"),
    Column("misses", Integer, nullable=False, server_default="0"),
    Column("updated_at", String(32), nullable=False),
    Index("clocks_due", "due_at"),
    Index("clocks_pauses", "pauses"),
    Index("clocks_warn", "warn_at"),
    Index("clocks_stopped", "stopped_at"),
)

clock_misses = Table(
    "clock_misses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # of the clock
    Column("at", String(32), nullable=False),  # when it was found too late
    Index("clock_misses_at", "at"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("staff_id", Integer, nullable=False),
    Column("kind", String(12), nullable=False),  # note, whisper, transfer, handback, request
    Column("text", Text, nullable=False),
    Column("mentions", JSON, nullable=False),  # ids of staff
    Column("at", String(32), nullable=False),
    Index("notes_conversation", "conversation_id", "at"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("kind", String(24), nullable=False),  # mention, whisper, silent, transfer, request, ...
    Column("conversation_id", String(32)),
    Column("text", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("read_at", String(32)),
    Index("notices_staff", "staff_id", "read_at"),
)

labels = Table(
    "labels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business", String(32)),  # NULL: of all
    Column("name", String(20), nullable=False),
    Column("colour", String(12), nullable=False),
    UniqueConstraint("business", "name"),
)

conversation_labels = Table(
    "conversation_labels",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("label_id", ForeignKey("labels.id"), primary_key=True),
    Column("at", String(32), nullable=False),
)

remedy_requests = Table(
    "remedy_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("business", String(32), nullable=False),
    Column("asked_by", Integer, nullable=False),
    Column("asked_at", String(32), nullable=False),
    Column("content", JSON, nullable=False),  # remedies wished for, and what the policy would give
    Column("needed", String(8), nullable=False),  # authority: agent, manager
    Column("reason", Text, nullable=False),
    Column("state", String(10), nullable=False),  # open, granted, refused, withdrawn
    Column("decided_by", Integer),
    Column("decided_at", String(32)),
    Column("answer", Text),
    Column("offer_id", String(48)),
    Index("remedy_requests_state", "state", "business"),
    Index("remedy_requests_conversation", "conversation_id"),
)

canned_replies = Table(
    "canned_replies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("business", String(32)),  # NULL: of all
    Column("industry", String(16)),  # NULL: any
    Column("anger_least", Integer, nullable=False),
    Column("anger_most", Integer, nullable=False),
    Column("title", String(40), nullable=False),
    Column("text", Text, nullable=False),  # with {variables}
    Column("shortcut", String(20)),
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("updated_by", Integer),
    Column("updated_at", String(32), nullable=False),
)

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
