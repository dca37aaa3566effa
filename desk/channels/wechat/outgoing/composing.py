"""Puts what waits for a contact into as few messages as WeChat allows, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from desk.channels.wechat.outgoing.budget import SCARCE
from desk.channels.wechat.outgoing.cutting import MOST_BYTES, size
from desk.channels.wechat.outgoing.rendering import (
    CARD,
    CLOSED,
    OWNER,
    PATIENCE,
    QUEUE,
    REPLACED,
    numbered,
)
from recovery.store.wechat.sends import NOTICE, Send

MORE = "（受微信条数限制，后面还有内容没发完，您随便回一句就能接着看）"
UNSEEN_PICTURE = "（同事发来一张图片，这里暂时收不到，可以请他用文字说明）"
_GAP = "\n\n"
# Where nothing can follow by itself, the answer goes with the reply to the next message.
COME_BACK = (
    "收到了，这边要查一下；过一会儿您随便回一句，就能看到答复。",
    "已经记下，正在为您看；稍等片刻再随便回一句，答复就会发给您。",
    "您的话收到了，我需要一点时间；待会儿您回任意一句，就能看到结果。",
)
# How the notice of a hand-over begins; the words before it have said so already.
_HANDED_OVER = "已转给同事"


@dataclass(frozen=True)
class Letter:
    """One message.

    Attributes:
        kind: `text`, `menu` or `image`.
        rows: What goes with it.
        text: Words; of a menu those above its items.
        items: Of a menu: id and words.
        picture: Id.
    """

    kind: Literal["text", "menu", "image"]
    rows: tuple[Send, ...]
    text: str = ""
    items: tuple[tuple[str, str], ...] = ()
    picture: str | None = None


def compose(waiting: Sequence[Send], *, left: int, menus: bool) -> Letter | None:
    """The next message by a call of WeChat's interface.

    Args:
        waiting: All that waits for the contact, in order.
        left: How many messages may be sent, at least one.
        menus: Whether quick replies may go as a menu; else they are numbered lines.

    Returns:
        None where only notices wait, and few messages are left for what may follow.
    """
    rows = _begun(waiting)
    scarce = left <= SCARCE
    heavy = _spoken(_heavy(rows) if scarce else rows, waiting)
    if not heavy:
        # A notice that was tried before must not keep what is heavier back.
        rows = [row for row in waiting if not row.batch]
        heavy = _spoken(_heavy(rows), waiting)
    if not heavy:
        return None
    if heavy[0].kind == "image":
        before = [row for row in rows if row.id < heavy[0].id and _idle(row, waiting)]
        return Letter("image", (*before, heavy[0]), picture=heavy[0].content["picture"])
    # With two left, a menu that something follows would use up the second one.
    native = menus and (not scarce or (left == SCARCE and heavy[-1].kind == "menu"))
    return _Run(waiting, rows, heavy, native=native).letter(last=left == 1)


def compose_passive(waiting: Sequence[Send], *, goes_on: bool) -> Letter | None:
    """The reply to a message: words only.

    Args:
        waiting: All that waits for the contact, in order.
        goes_on: Whether the rest can follow at once by calls.

    Returns:
        None where a picture comes first that can follow by a call.
    """
    heavy = _spoken(_heavy(waiting), waiting) or list(waiting)
    if goes_on and heavy[0].kind == "image":
        return None
    run = _Run(waiting, waiting, heavy, native=False, calls=goes_on)
    return run.letter(last=not goes_on)


def _begun(rows: Sequence[Send]) -> Sequence[Send]:
    """What was tried together goes again together: WeCom takes it once by its name."""
    batch = next((row.batch for row in rows if row.batch), None)
    return [row for row in rows if row.batch == batch] if batch else rows


def _heavy(rows: Sequence[Send]) -> list[Send]:
    return [row for row in rows if row.weight != NOTICE]


def _spoken(rows: Sequence[Send], waiting: Sequence[Send]) -> list[Send]:
    """Without what is idle: nothing is sent for its sake, it goes along with what follows."""
    return [row for row in rows if not _idle(row, waiting)]


class _Run:
    """Words that go as one message: what is heavy first, then what is light and fits as well."""

    def __init__(
        self,
        waiting: Sequence[Send],
        rows: Sequence[Send],
        heavy: Sequence[Send],
        *,
        native: bool,
        calls: bool = True,
    ) -> None:
        """Look at what waits.

        Args:
            waiting: All of it.
            rows: What may go along now.
            heavy: Of that, what others must not keep back; it begins with words.
            native: A menu is one, and nothing follows it in the same message.
            calls: More can follow by calls; else pictures are told of in words.
        """
        self._rows = rows
        self._heavy = heavy
        self._native = native
        self._calls = calls
        # What is idle counts as sent with what follows, and is not said any more.
        self._plain = {
            row.id: "" if _idle(row, waiting) else _plain(row, rows, waiting, calls=calls)
            for row in rows
        }

    def letter(self, *, last: bool) -> Letter:
        """One message; where it is the last for now and more waits, it says so."""
        taken = self._fitting(MOST_BYTES)
        room = MOST_BYTES - size(_GAP + MORE)
        whole = {row.id for row in self._heavy} <= {row.id for row in taken}
        if not last or whole or size(self._plain[self._heavy[0].id]) > room:
            return self._made(taken)
        made = self._made(self._fitting(room))
        return Letter("text", made.rows, made.text + _GAP + MORE)

    def _fitting(self, room: int) -> list[Send]:
        taken: list[Send] = []
        used = 0
        rest = list(self._heavy)
        while rest:
            more = size(self._plain[rest[0].id] + _GAP)
            halts = rest[0].kind == "image" and self._calls
            if taken and (halts or used + more > room + size(_GAP)):
                break
            taken.append(rest.pop(0))
            used += more
            if self._native and taken[-1].kind == "menu":
                break
        heavy = {row.id for row in self._heavy}
        ended = self._native and taken[-1].kind == "menu"
        # Nothing goes past what is heavy and waits on, and nothing stands below a menu.
        end = taken[-1].id if ended else rest[0].id if rest else None
        for row in self._rows:
            more = size(self._plain[row.id] + _GAP) if self._plain[row.id] else 0
            before = end is None or row.id < end
            if row.id not in heavy and before and used + more <= room + size(_GAP):
                taken.append(row)
                used += more
        return sorted(taken, key=lambda row: row.id)

    def _made(self, taken: Sequence[Send]) -> Letter:
        last = taken[-1]
        if not (self._native and last.kind == "menu"):
            return Letter("text", tuple(taken), self._joined(taken))
        above = [self._joined(taken[:-1]), str(last.content["text"])]
        items = tuple((str(one), str(title)) for one, title in last.content["options"])
        return Letter("menu", tuple(taken), _GAP.join(one for one in above if one), items)

    def _joined(self, rows: Sequence[Send]) -> str:
        return _GAP.join(text for row in rows if (text := self._plain[row.id]))


def _role(row: Send) -> str:
    return str(row.content.get("role", ""))


def _idle(row: Send, rows: Sequence[Send]) -> bool:
    """Whether what goes along after a row makes it needless."""
    heavy = [_role(one) for one in _heavy(rows) if one.id > row.id]
    if row.content.get("passing"):
        return bool(heavy)
    if _role(row) == REPLACED:
        return CARD in heavy or CLOSED in heavy
    # Who answers now need not be known where the matter is closed next.
    return _role(row) in (OWNER, QUEUE) and heavy[:1] == [CLOSED]


def _plain(row: Send, rows: Sequence[Send], waiting: Sequence[Send], *, calls: bool) -> str:
    """A part in words, its quick replies as numbers where typing those still counts."""
    if row.kind == "image":
        return UNSEEN_PICTURE
    text = str(row.content["text"])
    if _role(row) == PATIENCE and not calls:
        return COME_BACK[row.id % len(COME_BACK)]
    if _role(row) == QUEUE and _said_before(row, rows):
        return text.removeprefix(_HANDED_OVER).lstrip("，")
    if _is_over(row, waiting):
        return text
    if row.kind == "menu":
        return numbered(text, [title for _, title in row.content["options"]])
    remind = row.content.get("choices")
    beside = any(one.kind == "menu" for one in rows)
    return f"{text}\n{remind}" if remind and not beside else text


def _is_over(row: Send, waiting: Sequence[Send]) -> bool:
    """Whether numbers below a row do not count any more once all that waits is read."""
    lasts = row.content.get("offer") or row.content.get("choices")
    ends = [one.content.get("ends") for one in waiting if one.id > row.id]
    return any(end and not (end == "asked" and lasts) for end in ends)


def _said_before(row: Send, rows: Sequence[Send]) -> bool:
    """Whether the words of the same hand-over go along, `m1.r0` before `m1.owner`."""
    source = row.event_id.rpartition(".")[0]
    return bool(source) and any(
        one.id < row.id and f"{one.event_id}.".startswith(f"{source}.") for one in rows
    )
