"""One customer, one case, both channels: from the web page into WeChat, and back to a page.

Into WeChat by a QR code with a scene, shown only to the session that it is meant for. Back by a
link that the customer asks for. Both work once, for ten minutes, and are stored as hashes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection

from desk.channels import joining
from desk.channels.wechat.accounts import Account
from desk.context import Context
from desk.conversations import entering
from desk.conversations.turn import Changed, Committed
from recovery.ids import new_id
from recovery.second_factor import qr_of
from recovery.store import cases, conversations, invitations, streams
from recovery.store.conversations import Conversation
from recovery.store.database import hold
from recovery.store.inbox import Message
from recovery.store.wechat import contacts, scenes, taking_over, threads
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.scenes import Scene

if TYPE_CHECKING:
    from desk.channels.wechat.api.kf import KfApi
    from desk.channels.wechat.api.official import OfficialApi
    from desk.channels.wechat.service import WeChat

VALID = timedelta(minutes=10)
MENU_KEY = "huixin_web"
"""Key of a menu item that stands for the words below."""
_PAGE_WORDS = frozenset({"网页", "打开网页", "网页版"})
_OVER = "这段对话接到微信了：{matter}前面说过的都在，不用再说一遍；在微信和网页上都能接着说。"
_BACK = "还是刚才那段对话：{matter}直接接着说就好。"
_SAME_PERSON = (
    "您在微信里和我们说过的，现在和网页上的分开记着。都是您本人的话，10分钟内在微信里回复"
    "“确认合并”，两边的记录就合到一起；不回复就还是分开的。"
)
# Used ones are known that long, so that who scans again what they used finds the way.
_KEPT = timedelta(days=1)
# What an address of WeChat never is; a QR code of it would be too dense to scan.
_LONGEST_ADDRESS = 512


@dataclass(frozen=True)
class Code:
    """A QR code for one session.

    Attributes:
        id: By which the page asks what became of it; opens nothing.
        svg: As it is drawn.
        name: Of the account in WeChat.
        expires: ISO 8601.
    """

    id: str
    svg: str
    name: str
    expires: str


@dataclass(frozen=True)
class ScanResult:
    """Where a scan has led.

    Attributes:
        conversation: Where the contact is now.
        message: What the router is to be given after the commit: the bot says something first.
        committed: To be published after the commit.
    """

    conversation: Conversation
    message: Message | None
    committed: Committed


async def invite(
    wechat: "WeChat", account: Account, conversation: Conversation, invitation_id: str | None
) -> Code:
    """Make a QR code that leads the customer of a conversation into WeChat.

    Args:
        wechat: The service.
        account: Of the conversation's business.
        conversation: A private one; with an invitation the public one that it was given in.
        invitation_id: What is entered by scanning.

    Raises:
        WeChatError: WeChat makes none.
        NotReachedError: It cannot be reached.
        OutcomeUnknownError: It has not answered.
    """
    context = wechat.context
    secret, scene = await context.storage.write(
        _issue, account, conversation, invitation_id, context.clock()
    )
    api = wechat.api(account)
    if account.official:
        url = await cast("OfficialApi", api).scene_url(secret, int(VALID.total_seconds()))
    else:
        url = await cast("KfApi", api).contact_way(secret)
    # Whatever came: a longer one could not be drawn, or not be scanned.
    svg = qr_of(url[:_LONGEST_ADDRESS])
    return Code(scene.id, svg, account.settings.name, scene.expires_at)


def _issue(
    db: Connection,
    account: Account,
    conversation: Conversation,
    invitation_id: str | None,
    now: datetime,
) -> tuple[str, Scene]:
    scenes.forget(db, now - _KEPT)
    return scenes.issue(
        db, "scan", account.id, conversation, VALID, now, invitation_id=invitation_id
    )


def customer_of(db: Connection, account: Account, scene: str, now: datetime) -> str | None:
    """Whose customer a contact becomes who comes for the first time, by a code.

    Args:
        db: The writing transaction in which `scan` follows.
        account: Where it was scanned.
        scene: As WeChat gives it; anything.
        now: The present moment.

    Returns:
        Id of the customer on the web page; None where the code does not open anything.
    """
    found = _open(db, account, scene, now)
    return found.customer_id if found else None


def scan(
    db: Connection, context: Context, account: Account, contact: Contact, scene: str, now: datetime
) -> ScanResult | None:
    """Lead a contact who has scanned a code to the conversation that it stands for.

    Args:
        db: A writing transaction.
        context: The desk.
        account: Where it was scanned.
        contact: Who scanned it.
        scene: As WeChat gives it; anything.
        now: The present moment.

    Returns:
        Where the contact is now; None for a code that is unknown, of another account, too old,
        or used by somebody else: who scanned it learns nothing of what it stood for.
    """
    found = _open(db, account, scene, now)
    if found is None:
        return _again(db, contact, scenes.find(db, "scan", scene), now)
    scenes.use(db, found, contact.id, now)
    if found.invitation_id is None:
        known = conversations.load(db, found.conversation_id, lock=True)
        if known is None:
            return None
        private, message, committed = known, None, Committed([])
    else:
        invitation = invitations.load(db, found.invitation_id)
        private, message, committed = entering.enter(db, context, invitation, now)
    if message is None:
        _bind(db, private, contact, now, planned=streams.last(db, private.stream))
        committed = _told(db, private, f"{private.id}.over.{found.id[:12]}", _OVER, now)
    else:
        # All of it is new, and is read in WeChat from its first words.
        _bind(db, private, contact, now, planned=0)
    if joining.opened(db, context, found.customer_id, contact.customer_id, now):
        asked = _told(db, private, f"{private.id}.same.{found.id[:12]}", _SAME_PERSON, now)
        committed = replace(committed, entries=[*committed.entries, *asked.entries])
    private = replace(private, channel="wechat")
    return ScanResult(private, message, committed)


def _open(db: Connection, account: Account, scene: str, now: datetime) -> Scene | None:
    found = scenes.find(db, "scan", scene)
    if found and hold(db, f"scenes of {found.customer_id}"):
        found = scenes.find(db, "scan", scene)
    usable = found is not None and found.account == account.id and found.state(now) == "open"
    return found if usable else None


def _again(
    db: Connection, contact: Contact, found: Scene | None, now: datetime
) -> ScanResult | None:
    """Lead somebody who scans their own used code once more to where it led them."""
    if found is None or found.account != contact.account or found.contact_id != contact.id:
        return None
    private = _private(db, found)
    holder = contacts.of_conversation(db, private.id) if private else None
    if private is None or holder is None or holder.id != contact.id:
        return None
    contacts.lead_to(db, contact.id, private.id)
    conversations.note_channel(db, private.id, "wechat")
    committed = _told(db, private, new_id("e"), _BACK, now)
    return ScanResult(replace(private, channel="wechat"), None, committed)


def _private(db: Connection, scene: Scene) -> Conversation | None:
    """The private conversation that a scene leads to, once there is one."""
    conversation_id: str | None = scene.conversation_id
    if scene.invitation_id is not None:
        conversation_id = invitations.load(db, scene.invitation_id).private_conversation
    return conversations.load(db, conversation_id) if conversation_id else None


def _bind(
    db: Connection, private: Conversation, contact: Contact, now: datetime, *, planned: int
) -> None:
    former = contacts.of_conversation(db, private.id)
    if former is None or former.id != contact.id:
        # What was shown before is not sent once more.
        threads.bind(db, private.id, contact.id, now, planned=planned)
    if former is not None and former.id != contact.id:
        taking_over.take_over(db, private.id, former.id, contact.id, now)
    if former is not None and former.id != contact.id and former.conversation_id == private.id:
        # Answers go to one WeChat only: words of the former one must not come in here unanswered.
        contacts.lead_to(db, former.id, None)
    contacts.lead_to(db, contact.id, private.id)
    conversations.note_channel(db, private.id, "wechat")


def _told(
    db: Connection,
    private: Conversation,
    event_id: str,
    words: str,
    now: datetime,
) -> Committed:
    """Say in a conversation where it is; it is read in WeChat and on the page."""
    case = cases.load(db, private.case_id)
    matter = f"关于“{case.matter}”，" if case and case.has_matter else ""
    event = {
        "id": event_id,
        "kind": "message",
        "author": "system",
        "text": words.replace("{matter}", matter),
    }
    entry = streams.append(db, private.stream, event, now)
    return Committed([entry] if entry else [], changed=(Changed(private.business, private.id),))


# --- back to a page -----------------------------------------------------------------------


def asks_for_page(text: str) -> bool:
    """Whether somebody in WeChat wants to go on on a page."""
    return text.strip(' \t\n。.！!“”"') in _PAGE_WORDS


def link(
    db: Connection, context: Context, contact: Contact, conversation: Conversation, now: datetime
) -> str | None:
    """Make a link that opens a conversation in the browser of whoever opens it first.

    Args:
        db: A writing transaction.
        context: The desk.
        contact: Who asked for it.
        conversation: A private one, where the contact's words go.
        now: The present moment.

    Returns:
        The address; None where the settings do not say how browsers find this desk.
    """
    base = context.settings.public_url
    if base is None:
        return None
    scenes.forget(db, now - _KEPT)
    secret, _ = scenes.issue(
        db, "link", contact.account, conversation, VALID, now, contact_id=contact.id
    )
    return f"{base}/w/{secret}"


def link_words(url: str | None) -> str:
    """What is answered to who asked for a page."""
    if url is None:
        return "这边暂时只能在微信里谈，您直接把想说的发给我们就好。"
    minutes = int(VALID.total_seconds()) // 60
    return (
        f"点开下面的链接，就能在网页上接着谈，说过的都在。链接{minutes}分钟内有效，只能用一次，"
        f"请不要转给别人：\n{url}"
    )
