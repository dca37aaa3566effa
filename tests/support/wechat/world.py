"""What the double knows: accounts, tokens, customers, what they have seen."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.wechat import rules
from tests.support.wechat.rules import RefusedError
from tests.support.wechat.sealing import new_key

RIGHTS = frozenset({"custom", "msgmenu", "qrcode", "template", "subscribe", "comment"})
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Seen:
    """One thing that a customer sees.

    Attributes:
        kind: text, menu, image, template, subscribe, unavailable.
        text: Words; of a menu its head and tail, of a template its fields in order.
        items: Of a menu: (id, words).
        via: passive, custom, template, subscribe, kf, event (answer to a kf event), wechat.
        at: When.
        account: Id.
        image: Of a picture.
        data: Of a template: field to words, beside `template` and `url`.
        id: Of the message where the interface gives or takes one.
    """

    kind: str
    text: str
    items: tuple[tuple[str, str], ...]
    via: str
    at: datetime
    account: str
    image: bytes | None = None
    data: dict[str, str] = field(default_factory=dict)
    id: str = ""


@dataclass
class Token:
    """An access token that was given out.

    Attributes:
        refused: With what it is refused although it has not expired.
        stuck: Whether the usual mode gives it out nevertheless.
    """

    value: str
    expires: datetime
    refused: int = 0
    stuck: bool = False


@dataclass
class Tokens:
    """The tokens of one account."""

    given: list[Token] = field(default_factory=list)
    forced: list[datetime] = field(default_factory=list)
    fetched: int = 0

    def fetch(self, now: datetime, force: bool = False) -> Token:
        """As stable_token: the same one until five minutes before its end.

        Raises:
            RefusedError: By force too often.
        """
        self.fetched += 1
        last = self.given[-1] if self.given else None
        if force:
            day = [one for one in self.forced if now - one < timedelta(days=1)]
            if len(day) >= rules.FORCED_A_DAY:
                raise RefusedError(45009)
            if day and now - day[-1] < rules.FORCED_APART:
                raise RefusedError(45011)
            self.forced.append(now)
            for one in self.given:
                one.refused = one.refused or 40001
        elif last and (not last.refused or last.stuck):
            if now < last.expires - rules.TOKEN_OVERLAP:
                return last
        value = secrets.token_urlsafe(rules.TOKEN_LETTERS)[: rules.TOKEN_LETTERS]
        self.given.append(Token(value, now + rules.TOKEN_LIFE))
        return self.given[-1]

    def check(self, value: str, now: datetime) -> bool:
        """Whether a token is of this account.

        Raises:
            RefusedError: It is, and is not good any more.
        """
        for one in self.given:
            if secrets.compare_digest(one.value.encode(), value.encode()):
                if one.refused:
                    raise RefusedError(one.refused)
                if now >= one.expires:
                    raise RefusedError(42001)
                return True
        return False


@dataclass
class Customer:
    """One openid at one account, or one external_userid."""

    openid: str
    following: bool = True
    wrote_at: datetime | None = None
    since_wrote: int = 0
    acted_at: datetime | None = None
    since_acted: int = 0
    exchanged_at: datetime | None = None
    typing_until: datetime | None = None
    credits: dict[str, int] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    # 微信客服
    state: int = rules.NEW
    servicer: str = ""
    session_at: datetime | None = None
    losses: list[int] = field(default_factory=list)

    def wrote(self, now: datetime) -> None:
        """A message: five may be sent to this customer."""
        self.wrote_at, self.since_wrote, self.exchanged_at = now, 0, now

    def acted(self, now: datetime) -> None:
        """A follow, scan or click: three may be sent within a minute."""
        self.acted_at, self.since_acted, self.exchanged_at = now, 0, now

    def spend(self, now: datetime) -> None:
        """Send one message to this customer.

        Raises:
            RefusedError: No window is open, or all of it is used up.
        """
        message = self.wrote_at is not None and now - self.wrote_at < rules.MESSAGE_WINDOW
        act = self.acted_at is not None and now - self.acted_at < rules.ACT_WINDOW
        if not self.following or not (message or act):
            raise RefusedError(45015)
        if not (
            (message and self.since_wrote < rules.PER_MESSAGE)
            or (act and self.since_acted < rules.PER_ACT)
        ):
            raise RefusedError(45047)
        self.since_wrote += 1
        self.since_acted += 1
        self.exchanged_at, self.typing_until = now, None


@dataclass
class Comment:
    """One comment under an article. `reply` is None until there is one."""

    id: int
    openid: str | None
    content: str
    at: datetime
    reply: str | None = None
    deleted: bool = False


@dataclass
class Account:
    """One account at WeChat, an Official Account or one of 微信客服.

    Attributes:
        app_id: AppID; 微信客服: CorpID.
        original: ToUserName of what comes from customers; 微信客服: open_kfid.
        keys: EncodingAESKey, the present one first.
        key: Which of them is used, by its place.
        rights: What the account may do, see RIGHTS.
        templates: Of template messages: id to content, like `{{thing1.DATA}}`.
        subscriptions: Of subscribe messages, the same.
        menu_ids: Whether an item of a menu comes back with its id; else with "0".
        ends: With which status template and subscribe messages end, told to the desk at once;
            None: nothing is told.
        address: Of the callback, where it is not /wechat/<id> of the desk.
    """

    id: str
    kind: str
    mode: str
    app_id: str = field(default_factory=lambda: f"wx{secrets.token_hex(8)}")
    original: str = field(default_factory=lambda: f"gh_{secrets.token_hex(6)}")
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    token: str = field(default_factory=lambda: secrets.token_hex(12))
    keys: tuple[str, ...] = field(default_factory=lambda: (new_key(), new_key()))
    key: int = 0
    rights: set[str] = field(default_factory=lambda: set(RIGHTS))
    templates: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, str] = field(default_factory=dict)
    menu_ids: bool = True
    ends: str | None = "success"
    address: str | None = None
    tokens: Tokens = field(default_factory=Tokens)
    customers: dict[str, Customer] = field(default_factory=dict)
    articles: dict[tuple[str, int], list[Comment]] = field(default_factory=dict)
    scenes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    media: dict[str, tuple[bytes, str, datetime]] = field(default_factory=dict)
    # 微信客服
    log: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    sync_tokens: dict[str, datetime] = field(default_factory=dict)
    welcomes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    ways: dict[str, str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    servicers: set[str] = field(default_factory=set)

    def customer(self, openid: str) -> Customer:
        """A customer, who follows the account from now on if not known."""
        return self.customers.setdefault(openid, Customer(openid))

    def known(self, openid: str) -> Customer:
        """A customer that there is.

        Raises:
            RefusedError: There is none.
        """
        if openid not in self.customers:
            raise RefusedError(40003)
        return self.customers[openid]

    def keep(self, content: bytes, kind: str, now: datetime) -> str:
        """Keep a file; gives its MediaId."""
        media = secrets.token_urlsafe(48)
        self.media[media] = (content, kind, now)
        return media

    def file(self, media: str, now: datetime) -> tuple[bytes, str]:
        """A file and its type.

        Raises:
            RefusedError: There is none, or it is too old.
        """
        content, kind, at = self.media.get(media, (b"", "", now))
        if not content or now - at >= rules.MEDIA_KEPT:
            raise RefusedError(40007)
        return content, kind
