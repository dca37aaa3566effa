"""What an erasure does to every column of every table; a column without a word here is a fault.

Rows of the person are removed, or stay for the ledger of money and for figures: then columns with
something of the person in them are written over. What is kept as it is has a reason.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import JSON, Column, String, Table

from recovery.personal_data import bare
from recovery.personal_data.bare import GONE, GONE_NAME, Bare

ID = "a random id of ours: leads to nobody once names and identities are gone"
CODE = "a word of a fixed list"
TIME = "a moment or a day"
LEDGER = "the ledger of money: what was given by which rule"
STAFF = "of staff, not of customers"
BUSINESS = "of the business, its wording or its settings"
OPERATION = "of the desk itself, for no customer"
SHUT = "the hash of a random secret; what it opens is shut"

# In this order: what refers to another table goes first.
REMOVED = (
    *("web_sessions", "said", "proof_tries", "join_tries", "join_codes", "preferences"),
    *("person_joins", "case_joins", "notes", "notices", "conversation_labels", "pictures"),
    *("webhook_sends", "webhook_threads", "webhook_received", "webhook_contacts"),
    *("wechat_sends", "wechat_threads", "wechat_received", "wechat_options", "wechat_scenes"),
    *("wechat_credits", "wechat_contacts", "purchases"),
)
"""Tables of which the rows of the person are removed."""

WRITTEN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "customers": {"name": GONE_NAME, "external_id": None},
        "conversations": {"last_text": GONE},
        "inbox": {"text": GONE, "pressed": None, "picture": None},
        "invitations": {},
        "incident_members": {
            "order_number": "",
            "order_customer": None,
            "identity": None,
            "event_id": None,
            "differs": None,
            "why": None,
        },
        "follow_ups": {"words": None},
        "surveys": {"words": None},
        "fulfilments": {"problem": None},
        "decisions": {"departure": None},
        "remedy_requests": {"reason": "", "answer": None},
        "wechat_comments": {"openid": None, "reply": None},
        "data_requests": {"reason": None},
        "drill_scenarios": {"case_id": None},
        "promises": {},
    }
)
"""What is written over columns of rows that stay."""

PSEUDONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "decisions": ("order_customer", "order_number"),
        "fulfilments": ("order_number",),
    }
)
"""Columns in which a name made up for this erasure takes the place of the true one, so that what
belonged together in the ledger still does."""

BARED: Mapping[str, Mapping[str, Bare]] = MappingProxyType(
    {
        "cases": {"state": bare.case},
        "case_log": {"command": bare.command},
        "inbox": {"understood": bare.understood},
        "outbox": {"event": bare.event},
        "gestures": {"content": bare.gesture},
        "fulfilments": {"remedy": bare.remedy, "receipt": bare.receipt},
        "decisions": {"facts": bare.facts, "remedies": bare.remedies},
        "remedy_requests": {"content": bare.request},
        "surveys": {"expected": bare.numbers, "perceived": bare.numbers},
    }
)
"""JSON of which only what is named in `recovery.personal_data.bare` stays."""

CLEANED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "order_events": ("content",),
        "incidents": ("title", "place", "told"),
        "incident_messages": ("text", "reason"),
        "case_causes": ("action",),
        "weekly_reports": ("content",),
        "drill_scenarios": ("content",),
    }
)
"""Words about many customers: what names this one is taken out of them."""

SCRUBBED: Mapping[str, tuple[str, ...]] = MappingProxyType({"audit_log": ("detail",)})
"""Replaced by a pointer to the act that erased it: the log itself says so (migration 0009)."""

RENAMED: Mapping[str, tuple[str, ...]] = MappingProxyType({"inbox": ("external_id",)})
"""Ids that a channel gave: the id of the row takes their place."""

KEPT: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "customers": {"person": ID},
        "conversations": {"kind": CODE, "room": BUSINESS, "channel": CODE, "reason": CODE},
        "cases": {"stage": CODE, "outcome": CODE, "merged_into": ID},
        "inbox": {"intent": CODE},
        "streams": {"name": ID},
        "outbox": {"stream": ID, "customer": ID, "reply_to": ID},
        "invitations": {"token_hash": SHUT, "private_conversation": ID},
        "drills": {
            name: f"practice, {STAFF}" for name in ("scenario", "lines", "standing", "review")
        },
        "order_events": {"id": BUSINESS, "why": CODE},
        "incidents": {
            **{name: CODE for name in ("industry", "failure", "rule", "source")},
            "key": BUSINESS,
            "remedies": LEDGER,
            "opened_by": STAFF,
            "closed_by": STAFF,
        },
        "incident_members": {"added_by": STAFF, "offer_id": ID},
        "incident_messages": {"wishes": LEDGER, "by": STAFF},
        "incident_tellings": {"why": CODE},
        "case_facts": {
            **{name: CODE for name in ("industry", "channel", "tier", "failure", "cause")},
            **{"person": ID, "outcome": CODE, "alike": ID, "given": ID},
        },
        "case_causes": {"proposed": CODE, "confirmed": CODE, "action_by": STAFF},
        "alerts": {"name": CODE},
        "weekly_reports": {},
        "data_requests": {"person": ID, "asked_by": ID, "result": "counts only"},
        "promises": {"key": ID, "stage": CODE, "told": TIME, "extra_offer": ID},
        "follow_ups": {"why": CODE},
        "surveys": {"token_hash": SHUT},
        "gestures": {"person": ID, "rule": LEDGER},
        "fulfilments": {"key": ID},
        "decisions": {
            **{name: CODE for name in ("failure", "channel", "decided_by")},
            **{"policy": LEDGER, "rules": LEDGER},
        },
        "policies": {"name": BUSINESS, "bundle": BUSINESS},
        "remedy_requests": {"needed": CODE, "offer_id": ID},
        "audit_log": {
            **{"login": STAFF, "act": CODE, "target": ID},
            "address": f"from where, {STAFF}",
        },
        "staff": dict.fromkeys(
            ("login", "name", "role", "password_hash", "skills", "presence", "totp_secret"), STAFF
        ),
        "staff_sessions": {"token_hash": STAFF, "csrf": STAFF},
        "recovery_codes": {"code_hash": STAFF},
        "clocks": {"pauses": CODE},
        "labels": {"name": BUSINESS, "colour": CODE},
        "canned_replies": dict.fromkeys(("industry", "title", "text", "shortcut"), BUSINESS),
        "wechat_tokens": {"account": BUSINESS, "token": OPERATION, "fetching": OPERATION},
        "wechat_comments": {"account": BUSINESS, "article": BUSINESS, "comment": BUSINESS},
        "wechat_cursors": {"account": BUSINESS, "cursor": OPERATION},
    }
)
"""What stays as it is, and why."""

_ALWAYS = {"id": ID, "business": BUSINESS, "state": CODE, "kind": CODE, "owner": CODE}
_MOMENT = re.compile(r"(?:.*_)?(?:at|until|since|day|due|week)")
_NUMBERED = re.compile(
    r"(?:customer|conversation|public_conversation|case|message|incident)(?:_id)?"
)


def is_text(column: Column[Any]) -> bool:
    """Whether a column can hold words."""
    return isinstance(column.type, (String, JSON))


def treatment(table: Table, column: Column[Any]) -> str | None:
    """What an erasure does to a column that can hold words; None where nobody has decided it."""
    name, place = table.name, column.name
    if name in REMOVED:
        return "removed"
    for word, listed in (
        ("written over", WRITTEN),
        ("bared", BARED),
        ("cleaned", CLEANED),
        ("pseudonym", PSEUDONYMS),
        ("scrubbed", SCRUBBED),
        ("renamed", RENAMED),
    ):
        if place in listed.get(name, ()):
            return word
    return why_kept(table, column)


def why_kept(table: Table, column: Column[Any]) -> str | None:
    """Why an erasure leaves a column as it is; None where it does not, or nobody has said."""
    named = KEPT.get(table.name, {}).get(column.name)
    if named is not None:
        return named
    if column.foreign_keys or _NUMBERED.fullmatch(column.name):
        return ID
    if _MOMENT.fullmatch(column.name):
        return TIME
    return _ALWAYS.get(column.name)
