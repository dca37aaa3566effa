"""One message or event of WeChat, as the rest of the desk understands it."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal[
    "text",
    "image",
    "voice",
    "video",
    "location",
    "link",
    "follow",
    "unfollow",
    "scan",
    "click",
    "credit",
    "job",
    "other",
]
EVENTS = frozenset({"follow", "unfollow", "scan", "click", "credit", "job", "other"})


@dataclass(frozen=True)
class Inbound:
    """What came in.

    Attributes:
        kind: `follow`: subscribed, or came into 微信客服 (enter_session); `credit`: tapped or took
            back subscribe messages; `job`: how a template or subscribe message ended, or, for
            微信客服, that a message could not be delivered; `other`: nothing to do.
        key: The same key of the same account is the same message: MsgId, for events who, when
            (CreateTime) and what.
        openid: Who, at this account; 微信客服: external_userid.
        sent_at: Unix time of WeChat.
        text: Words: typed, of a voice as WeChat heard it, of a place, title and address of a
            link; of a click the key of the menu.
        media: MediaId of a picture, voice, video.
        menu: Id of the item of our menu that was pressed; WeChat may give "0" or nothing.
        scene: Of a QR code, without `qrscene_`.
        more: What only one kind has: `welcome_code`, `credits` ({template: +1 | -1}), `message`
            (msgid that a `job` is about), `status`.
    """

    kind: Kind
    key: str
    openid: str
    sent_at: int
    text: str = ""
    media: str | None = None
    menu: str | None = None
    scene: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        """Whether it is no message of the customer's."""
        return self.kind in EVENTS

    @property
    def opens_a_minute(self) -> bool:
        """Whether it allows three messages within a minute, as WeChat counts."""
        return self.kind in ("follow", "scan", "click")

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON, for storing."""
        return asdict(self)

    @classmethod
    def from_wire(cls, content: dict[str, Any]) -> "Inbound":
        """What `to_wire` made."""
        return cls(**content)
