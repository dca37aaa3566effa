"""Quick replies as WeChat shows them: items of a menu, or numbered lines."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from recovery.ids import new_id
from recovery.store.database import stamp
from recovery.store.tables import wechat_options, wechat_sends

_ID_LENGTH = 16
_TITLE_LENGTH = 80
# A menu further up than that is not pressed any more.
_KEPT = timedelta(days=60)
# What may stand around a number that somebody types; "3个" and "3号" say something else.
_AROUND = "。.、,，!！()（） \n"
_NUMERALS = {numeral: str(number) for number, numeral in enumerate("一二三四五六七八九十", start=1)}
_CHOSEN = re.compile(
    r"我?(?:就|想|还是)?(?:选择?第?|要第|第)(?P<number>[1-9][0-9]?|[一二三四五六七八九十])"
    r"(?:个|项|条|种|款)?[吧啊呀了]?"
)


@dataclass(frozen=True)
class Option:
    """One quick reply as it was shown.

    Attributes:
        id: Of the item of a menu.
        conversation_id: Where it counts.
        number: As the customer may type it, from 1.
        title: What it says.
        token: The signed quick reply.
        current: Nothing else was shown since.
    """

    id: str
    conversation_id: str
    number: int
    title: str
    token: str
    current: bool = True


_COLUMNS = tuple(wechat_options.c[name] for name in Option.__dataclass_fields__)
_BY_ID = select(*_COLUMNS).where(
    wechat_options.c.id == bindparam("this"), wechat_options.c.contact_id == bindparam("contact")
)
_CURRENT = (
    select(*_COLUMNS)
    .where(wechat_options.c.contact_id == bindparam("contact"), wechat_options.c.current)
    .order_by(wechat_options.c.number)
)
_MENUS_THAT_WAIT = select(wechat_sends.c.content).where(
    wechat_sends.c.contact_id == bindparam("contact"),
    wechat_sends.c.kind == "menu",
    wechat_sends.c.state.in_(("todo", "held")),
)


def show(
    db: Connection,
    contact_id: str,
    conversation_id: str,
    buttons: Sequence[Mapping[str, str]],
    now: datetime,
) -> list[Option]:
    """Make these the ones that can be typed; those of before can still be pressed in their menu.

    Args:
        db: A writing transaction.
        contact_id: Who sees them.
        conversation_id: Where they count.
        buttons: `{"title", "token"}` each, in the order in which they are shown.
        now: The present moment.
    """
    clear(db, contact_id)
    db.execute(
        delete(wechat_options).where(
            wechat_options.c.contact_id == contact_id,
            wechat_options.c.created_at < stamp(now - _KEPT),
        )
    )
    shown = [
        Option(
            id=new_id("o")[:_ID_LENGTH],
            conversation_id=conversation_id,
            number=number,
            title=button["title"][:_TITLE_LENGTH],
            token=button["token"],
        )
        for number, button in enumerate(buttons, start=1)
    ]
    if shown:
        rows = [{**vars(one), "contact_id": contact_id, "created_at": stamp(now)} for one in shown]
        db.execute(insert(wechat_options), rows)
    return shown


def clear(db: Connection, contact_id: str) -> None:
    """Let none be typed any more: other words were shown since."""
    db.execute(
        update(wechat_options)
        .where(wechat_options.c.contact_id == contact_id, wechat_options.c.current)
        .values(current=False)
    )


def current(db: Connection, contact_id: str) -> list[Option]:
    """Those that can be typed now, in order."""
    return [Option(*row) for row in db.execute(_CURRENT, {"contact": contact_id})]


def match(db: Connection, contact_id: str, text: str, menu: str | None) -> Option | None:
    """Which quick reply a message stands for.

    WeChat's own id of an item counts first, also for a menu further up. It is not always given:
    then the words of the item, or its number, stand for it while nothing else was shown since.

    Args:
        db: A transaction.
        contact_id: Who has written.
        text: What.
        menu: Id of the pressed item, as WeChat gives it.

    Returns:
        None for ordinary words.
    """
    if menu:
        row = db.execute(_BY_ID, {"this": menu, "contact": contact_id}).first()
        if row:
            return Option(*row)
    said = _bare(text)
    if not said or len(said) > _TITLE_LENGTH:
        return None
    typed = current(db, contact_id)
    unseen = _waiting(db, contact_id) if typed else set()
    typed = [one for one in typed if one.id not in unseen]
    for option in typed:
        if _bare(option.title) == said:
            return option
    number = _number(said)
    return next((one for one in typed if str(one.number) == number), None)


def _number(said: str) -> str:
    """The number that somebody has typed, on its own or as the one that is chosen: `选第二个`."""
    bare = said.strip(_AROUND)
    chosen = _CHOSEN.fullmatch("".join(bare.split()))
    if chosen is None:
        return bare
    return _NUMERALS.get(chosen["number"], chosen["number"])


def _waiting(db: Connection, contact_id: str) -> set[str]:
    """Ids of what stands in messages that wait to be sent: nobody can mean these."""
    found = db.execute(_MENUS_THAT_WAIT, {"contact": contact_id}).scalars()
    return {str(one) for content in found for one, _ in content["options"]}


def _bare(text: str) -> str:
    """What was meant, however wide the keyboard writes it; `①` is a 1 as well."""
    return unicodedata.normalize("NFKC", text).strip().casefold()
