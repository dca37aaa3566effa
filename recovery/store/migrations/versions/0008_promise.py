"""After the remedy: progress, follow-up, persons, incidents, webhooks, insights, practice."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("seen_by", sa.Integer(), nullable=True),
        sa.Column("seen_at", sa.String(length=32), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("business", "kind", "name", "day"),
    )
    op.create_table(
        "case_joins",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("kept_case", sa.String(length=32), nullable=False),
        sa.Column("other_case", sa.String(length=32), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.Column("undone_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_joins_kept", "case_joins", ["kept_case"], unique=False)
    op.create_index("case_joins_other", "case_joins", ["other_case"], unique=False)
    op.create_table(
        "data_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("asked_by", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("data_requests_person", "data_requests", ["person"], unique=False)
    op.create_index("data_requests_state", "data_requests", ["business", "state"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("industry", sa.String(length=16), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=True),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("urgent", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("remedies", sa.JSON(), nullable=True),
        sa.Column("opened_by", sa.String(length=48), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.Column("closed_by", sa.String(length=48), nullable=True),
        sa.Column("closed_at", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("business", "key"),
    )
    op.create_index("incidents_state", "incidents", ["business", "state"], unique=False)
    op.create_table(
        "insight_marks",
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("business", "day"),
    )
    op.create_table(
        "order_events",
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=120), nullable=True),
        sa.Column("incident_id", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("business", "id"),
    )
    op.create_index("order_events_state", "order_events", ["state", "due_at"], unique=False)
    op.create_table(
        "person_joins",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("kept", sa.String(length=32), nullable=False),
        sa.Column("joined", sa.String(length=32), nullable=False),
        sa.Column("customers", sa.JSON(), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=48), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("undone_by", sa.String(length=48), nullable=True),
        sa.Column("undone_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("person_joins_joined", "person_joins", ["joined"], unique=False)
    op.create_index("person_joins_kept", "person_joins", ["kept"], unique=False)
    op.create_table(
        "preferences",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("no_follow_up", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("no_marketing", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("wishes", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("notice_at", sa.String(length=32), nullable=True),
        sa.Column("notice", sa.String(length=16), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "purchases",
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("order_number", sa.String(length=64), nullable=False),
        sa.Column("order_customer", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("ordered_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("business", "order_number"),
    )
    op.create_index(
        "purchases_customer",
        "purchases",
        ["business", "order_customer", "ordered_at"],
        unique=False,
    )
    op.create_table(
        "webhook_received",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("source", "id"),
    )
    op.create_index("webhook_received_at", "webhook_received", ["received_at"], unique=False)
    op.create_index("webhook_received_message", "webhook_received", ["message_id"], unique=False)
    op.create_table(
        "weekly_reports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("week", sa.String(length=10), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("business", "week"),
    )
    op.create_table(
        "drill_scenarios",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_drill_scenarios_business"), "drill_scenarios", ["business"], unique=False
    )
    op.create_table(
        "drills",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("scenario", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("standing", sa.JSON(), nullable=False),
        sa.Column("review", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("drills_staff", "drills", ["staff_id", "started_at"], unique=False)
    op.create_table(
        "incident_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("order_number", sa.String(length=64), server_default="", nullable=False),
        sa.Column("order_customer", sa.String(length=200), nullable=True),
        sa.Column("identity", sa.String(length=200), nullable=True),
        sa.Column("event_id", sa.String(length=80), nullable=True),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("offer_id", sa.String(length=48), nullable=True),
        sa.Column("differs", sa.JSON(), nullable=True),
        sa.Column("why", sa.String(length=120), nullable=True),
        sa.Column("told_at", sa.String(length=32), nullable=True),
        sa.Column("added_by", sa.String(length=48), nullable=False),
        sa.Column("added_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_members_case", "incident_members", ["case_id"], unique=False)
    op.create_index("incident_members_due", "incident_members", ["due_at"], unique=False)
    op.create_index("incident_members_incident", "incident_members", ["incident_id"], unique=False)
    op.create_index("incident_members_order", "incident_members", ["order_number"], unique=False)
    op.create_table(
        "incident_messages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=48), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "incident_messages_incident", "incident_messages", ["incident_id"], unique=False
    )
    op.create_table(
        "join_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.Column("used_at", sa.String(length=32), nullable=True),
        sa.Column("used_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
        ),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index(
        "join_codes_customer", "join_codes", ["customer_id", "created_at"], unique=False
    )
    op.create_table(
        "join_tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("join_tries_customer", "join_tries", ["customer_id", "at"], unique=False)
    op.create_table(
        "webhook_contacts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("public_conversation", sa.String(length=32), nullable=True),
        sa.Column("private_conversation", sa.String(length=32), nullable=True),
        sa.Column("blocked_until", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_index("webhook_contacts_customer", "webhook_contacts", ["customer_id"], unique=False)
    op.create_table(
        "case_causes",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("proposed", sa.String(length=40), nullable=False),
        sa.Column("confirmed", sa.String(length=40), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("action_by", sa.String(length=40), nullable=True),
        sa.Column("action_due", sa.String(length=10), nullable=True),
        sa.Column("action_done_at", sa.String(length=32), nullable=True),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("case_causes_at", "case_causes", ["at"], unique=False)
    op.create_table(
        "case_facts",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("industry", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("cause_confirmed", sa.Boolean(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("alike", sa.String(length=16), nullable=False),
        sa.Column("given", sa.String(length=16), nullable=False),
        sa.Column("angry", sa.Integer(), nullable=True),
        sa.Column("anger_opening", sa.Integer(), nullable=True),
        sa.Column("anger_peak", sa.Integer(), nullable=True),
        sa.Column("anger_close", sa.Integer(), nullable=True),
        sa.Column("relief", sa.Integer(), nullable=True),
        sa.Column("neutral", sa.Integer(), nullable=True),
        sa.Column("closed", sa.Integer(), nullable=True),
        sa.Column("repeat", sa.Integer(), nullable=True),
        sa.Column("recovered", sa.Integer(), nullable=True),
        sa.Column("apology_seconds", sa.Integer(), nullable=True),
        sa.Column("bot_seconds", sa.Integer(), nullable=True),
        sa.Column("person_seconds", sa.Integer(), nullable=True),
        sa.Column("person_service_seconds", sa.Integer(), nullable=True),
        sa.Column("heard", sa.Integer(), nullable=True),
        sa.Column("in_time", sa.Integer(), nullable=True),
        sa.Column("moved", sa.Integer(), nullable=True),
        sa.Column("angry_in_public", sa.Integer(), nullable=True),
        sa.Column("room_anger_before", sa.Integer(), nullable=True),
        sa.Column("room_anger_after", sa.Integer(), nullable=True),
        sa.Column("room_messages_before", sa.Integer(), nullable=True),
        sa.Column("room_messages_after", sa.Integer(), nullable=True),
        sa.Column("offers", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=True),
        sa.Column("floor_fen", sa.Integer(), nullable=True),
        sa.Column("goodwill_fen", sa.Integer(), nullable=True),
        sa.Column("spent_fen", sa.Integer(), nullable=True),
        sa.Column("beyond_fen", sa.Integer(), nullable=True),
        sa.Column("departures", sa.Integer(), nullable=True),
        sa.Column("unlike", sa.Integer(), nullable=True),
        sa.Column("promises", sa.Integer(), nullable=True),
        sa.Column("late", sa.Integer(), nullable=True),
        sa.Column("answered", sa.Integer(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("satisfied", sa.Integer(), nullable=True),
        sa.Column("survey_answered", sa.Integer(), nullable=True),
        sa.Column("confirmed", sa.Integer(), nullable=True),
        sa.Column("recommend", sa.Integer(), nullable=True),
        sa.Column("returned_recovered", sa.Integer(), nullable=True),
        sa.Column("returned_others", sa.Integer(), nullable=True),
        sa.Column("later_fen_recovered", sa.Integer(), nullable=True),
        sa.Column("later_fen_others", sa.Integer(), nullable=True),
        sa.Column("expected_reliability", sa.Integer(), nullable=True),
        sa.Column("perceived_reliability", sa.Integer(), nullable=True),
        sa.Column("expected_assurance", sa.Integer(), nullable=True),
        sa.Column("perceived_assurance", sa.Integer(), nullable=True),
        sa.Column("expected_tangibles", sa.Integer(), nullable=True),
        sa.Column("perceived_tangibles", sa.Integer(), nullable=True),
        sa.Column("expected_empathy", sa.Integer(), nullable=True),
        sa.Column("perceived_empathy", sa.Integer(), nullable=True),
        sa.Column("expected_responsiveness", sa.Integer(), nullable=True),
        sa.Column("perceived_responsiveness", sa.Integer(), nullable=True),
        sa.Column("look_at", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("case_facts_alike", "case_facts", ["alike"], unique=False)
    op.create_index("case_facts_day", "case_facts", ["business", "day"], unique=False)
    op.create_index("case_facts_look", "case_facts", ["look_at"], unique=False)
    op.create_index(
        "case_facts_person", "case_facts", ["person", "failure", "opened_at"], unique=False
    )
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("why", sa.String(length=24), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("asked_at", sa.String(length=32), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rated_at", sa.String(length=32), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("follow_ups_case", "follow_ups", ["case_id", "round"], unique=True)
    op.create_index(
        "follow_ups_conversation", "follow_ups", ["conversation_id", "state"], unique=False
    )
    op.create_index("follow_ups_due", "follow_ups", ["state", "due_at"], unique=False)
    op.create_index("follow_ups_updated", "follow_ups", ["updated_at"], unique=False)
    op.create_table(
        "gestures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("cost_fen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.Column("marketing", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("gestures_case", "gestures", ["case_id"], unique=False)
    op.create_index("gestures_person", "gestures", ["person", "at"], unique=False)
    op.create_table(
        "incident_tellings",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told_at", sa.String(length=32), nullable=True),
        sa.Column("why", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["incident_members.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["incident_messages.id"],
        ),
        sa.PrimaryKeyConstraint("message_id", "member_id"),
    )
    op.create_index("incident_tellings_due", "incident_tellings", ["due_at"], unique=False)
    op.create_table(
        "promises",
        sa.Column("key", sa.String(length=48), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("promised_at", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.Column("look_at", sa.String(length=32), nullable=True),
        sa.Column("told", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("times_late", sa.Integer(), server_default="0", nullable=False),
        sa.Column("extra_offer", sa.String(length=48), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("promises_case", "promises", ["case_id"], unique=False)
    op.create_index("promises_look", "promises", ["look_at"], unique=False)
    op.create_index("promises_stage", "promises", ["stage", "updated_at"], unique=False)
    op.create_index("promises_updated", "promises", ["updated_at"], unique=False)
    op.create_table(
        "surveys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("business", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("sent_at", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.Column("answered_at", sa.String(length=32), nullable=True),
        sa.Column("expected", sa.JSON(), nullable=True),
        sa.Column("perceived", sa.JSON(), nullable=True),
        sa.Column("confirmed", sa.Integer(), nullable=True),
        sa.Column("recommend", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("surveys_sent", "surveys", ["business", "sent_at"], unique=False)
    op.create_table(
        "webhook_sends",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=48), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["webhook_contacts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("contact_id", "event_id"),
    )
    op.create_index("webhook_sends_state", "webhook_sends", ["state", "due_at"], unique=False)
    op.create_index("webhook_sends_stream", "webhook_sends", ["stream"], unique=False)
    op.create_table(
        "webhook_threads",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["webhook_contacts.id"],
        ),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_index("webhook_threads_contact", "webhook_threads", ["contact_id"], unique=False)
    op.add_column("cases", sa.Column("merged_into", sa.String(length=32), nullable=True))
    op.add_column("cases", sa.Column("reopened_at", sa.String(length=32), nullable=True))
    op.create_index("cases_updated", "cases", ["updated_at"], unique=False)
    op.create_index(
        "conversations_awaiting",
        "conversations",
        ["awaiting_since"],
        unique=False,
        sqlite_where=sa.text("awaiting_since IS NOT NULL"),
        postgresql_where=sa.text("awaiting_since IS NOT NULL"),
    )
    op.create_index(
        "conversations_snoozed",
        "conversations",
        ["snoozed_until"],
        unique=False,
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.add_column(
        "customers", sa.Column("person", sa.String(length=32), server_default="", nullable=False)
    )
    op.create_index("customers_person", "customers", ["person"], unique=False)
    op.create_index("fulfilments_case", "fulfilments", ["case_id"], unique=False)
    # Everybody is one person of their own until something proves otherwise.
    op.execute("UPDATE customers SET person = id")


def downgrade() -> None:
    """Go back."""
    op.drop_index("fulfilments_case", table_name="fulfilments")
    op.drop_index("customers_person", table_name="customers")
    op.drop_column("customers", "person")
    op.drop_index(
        "conversations_snoozed",
        table_name="conversations",
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.drop_index(
        "conversations_awaiting",
        table_name="conversations",
        sqlite_where=sa.text("awaiting_since IS NOT NULL"),
        postgresql_where=sa.text("awaiting_since IS NOT NULL"),
    )
    op.drop_index("cases_updated", table_name="cases")
    op.drop_column("cases", "reopened_at")
    op.drop_column("cases", "merged_into")
    op.drop_index("webhook_threads_contact", table_name="webhook_threads")
    op.drop_table("webhook_threads")
    op.drop_index("webhook_sends_stream", table_name="webhook_sends")
    op.drop_index("webhook_sends_state", table_name="webhook_sends")
    op.drop_table("webhook_sends")
    op.drop_index("surveys_sent", table_name="surveys")
    op.drop_table("surveys")
    op.drop_index("promises_updated", table_name="promises")
    op.drop_index("promises_stage", table_name="promises")
    op.drop_index("promises_look", table_name="promises")
    op.drop_index("promises_case", table_name="promises")
    op.drop_table("promises")
    op.drop_index("incident_tellings_due", table_name="incident_tellings")
    op.drop_table("incident_tellings")
    op.drop_index("gestures_person", table_name="gestures")
    op.drop_index("gestures_case", table_name="gestures")
    op.drop_table("gestures")
    op.drop_index("follow_ups_updated", table_name="follow_ups")
    op.drop_index("follow_ups_due", table_name="follow_ups")
    op.drop_index("follow_ups_conversation", table_name="follow_ups")
    op.drop_index("follow_ups_case", table_name="follow_ups")
    op.drop_table("follow_ups")
    op.drop_index("case_facts_person", table_name="case_facts")
    op.drop_index("case_facts_look", table_name="case_facts")
    op.drop_index("case_facts_day", table_name="case_facts")
    op.drop_index("case_facts_alike", table_name="case_facts")
    op.drop_table("case_facts")
    op.drop_index("case_causes_at", table_name="case_causes")
    op.drop_table("case_causes")
    op.drop_index("webhook_contacts_customer", table_name="webhook_contacts")
    op.drop_table("webhook_contacts")
    op.drop_index("join_tries_customer", table_name="join_tries")
    op.drop_table("join_tries")
    op.drop_index("join_codes_customer", table_name="join_codes")
    op.drop_table("join_codes")
    op.drop_index("incident_messages_incident", table_name="incident_messages")
    op.drop_table("incident_messages")
    op.drop_index("incident_members_order", table_name="incident_members")
    op.drop_index("incident_members_incident", table_name="incident_members")
    op.drop_index("incident_members_due", table_name="incident_members")
    op.drop_index("incident_members_case", table_name="incident_members")
    op.drop_table("incident_members")
    op.drop_index("drills_staff", table_name="drills")
    op.drop_table("drills")
    op.drop_index(op.f("ix_drill_scenarios_business"), table_name="drill_scenarios")
    op.drop_table("drill_scenarios")
    op.drop_table("weekly_reports")
    op.drop_index("webhook_received_message", table_name="webhook_received")
    op.drop_index("webhook_received_at", table_name="webhook_received")
    op.drop_table("webhook_received")
    op.drop_index("purchases_customer", table_name="purchases")
    op.drop_table("purchases")
    op.drop_table("preferences")
    op.drop_index("person_joins_kept", table_name="person_joins")
    op.drop_index("person_joins_joined", table_name="person_joins")
    op.drop_table("person_joins")
    op.drop_index("order_events_state", table_name="order_events")
    op.drop_table("order_events")
    op.drop_table("insight_marks")
    op.drop_index("incidents_state", table_name="incidents")
    op.drop_table("incidents")
    op.drop_index("data_requests_state", table_name="data_requests")
    op.drop_index("data_requests_person", table_name="data_requests")
    op.drop_table("data_requests")
    op.drop_index("case_joins_other", table_name="case_joins")
    op.drop_index("case_joins_kept", table_name="case_joins")
    op.drop_table("case_joins")
    op.drop_table("alerts")
