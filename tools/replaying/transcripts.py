"""Visits written out for reading, personal data masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from recovery.privacy import mask
from tools.replaying.figures import LEVELS, failure_of, why_silent
from tools.replaying.visits import Event, Visit

# An account in a post is somebody's name; the sign is kept, so that the form can still be seen.
_ACCOUNT = re.compile(r"[@＠][^\s@＠:：,，.。;；!！?？()（）【】#]+")
CHOSEN = 5


def shown(text: str) -> str:
    """A text fit for a report: personal data and accounts masked, on one line."""
    return " ".join(_ACCOUNT.sub("@［账号］", mask(text).text).split())


def transcript(visit: Visit, number: int) -> str:
    """Write one visit out as Markdown.

    Args:
        visit: Any.
        number: Its place in the file of the posts, from 1.

    Returns:
        What was posted and understood, what everybody saw, what only the customer saw, and what
        the private chat opened with.
    """
    lines = [
        f"### {number}",
        "",
        _understood(visit),
        "",
        f"> **customer** {shown(visit.post.text)}",
    ]
    lines += [f"> **everybody sees** {said}" for said in _spoken(visit.aloud)]
    lines += [f"> **only the customer sees** {said}" for said in _spoken(visit.own)]
    lines += [f"> **in private** {said}" for said in _spoken(visit.opening)]
    why = why_silent(visit)
    if why:
        detail = visit.broken or visit.refused
        lines.append(f"> *{why}{f': {detail}' if detail else ''}*")
    return "\n".join(_apart(lines)) + "\n"


def _apart(lines: Sequence[str]) -> Iterable[str]:
    """Put an empty quoted line between quoted ones, which Markdown would run together."""
    for place, line in enumerate(lines):
        if place and line.startswith(">") and lines[place - 1].startswith(">"):
            yield ">"
        yield line


def _understood(visit: Visit) -> str:
    heard = visit.recorded.understood if visit.recorded else None
    if heard is None or visit.recorded is None:
        return "not understood"
    flags = ", ".join(sorted(heard.flags)) or "none"
    reason = f", waits for a person ({visit.recorded.reason})" if visit.recorded.reason else ""
    return (
        f"{LEVELS[heard.anger]}; intent {heard.intent} {heard.confidence:.2f}; "
        f"complaint {heard.signals.get('complaint', 0.0):.2f}; flags: {flags}; "
        f"case: {failure_of(visit)}{reason}"
    )


def _spoken(events: Iterable[Event]) -> list[str]:
    return [words for event in events if (words := _words(event))]


def _words(event: Event) -> str:
    """What a page shows of an event, short."""
    kind = event["kind"]
    if kind == "message":
        buttons = "".join(f" 〔{button['title']}〕" for button in event.get("buttons") or ())
        return shown(event["text"]) + buttons
    if kind in ("invitation", "reminder"):
        matter = f"（{shown(event['matter'])}）" if event.get("matter") else ""
        return f"〔{kind}: 进入私聊〕{matter}"
    if kind == "owner":
        return f"〔{shown(event['text'])}〕"
    return f"〔{kind}〕"


def choose(visits: Sequence[Visit], most: int = CHOSEN) -> list[tuple[int, Visit]]:
    """Choose visits that show different things.

    Args:
        visits: All, in order.
        most: How many to choose.

    Returns:
        Numbers from 1 and visits: one furious, angry, dissatisfied and calm invitation each and
        one post that needed none, as far as there are such; then the first of the rest.
    """
    chosen: dict[int, Visit] = {}

    def first(*, level: int | None, invited: bool) -> None:
        for number, visit in enumerate(visits, 1):
            heard = visit.recorded.understood if visit.recorded else None
            fits = heard is not None and (level is None or heard.anger == level)
            if number not in chosen and fits and visit.invited == invited:
                chosen[number] = visit
                return

    for level in reversed(range(len(LEVELS))):
        first(level=level, invited=True)
    first(level=None, invited=False)
    for number, visit in enumerate(visits, 1):
        if len(chosen) >= most:
            break
        chosen.setdefault(number, visit)
    return sorted(chosen.items())[:most]
