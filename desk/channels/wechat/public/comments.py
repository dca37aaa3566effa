"""Comments under chosen articles: asks WeChat for new ones, and posts the one reply of each."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.public.commenting import (
    ROOMS,
    TakenUp,
    begin_reply,
    settle_reply,
    take_comment,
    taken_up,
)
from recovery import faults
from recovery.logs import log
from recovery.store.database import hold
from recovery.store.streams import Entry
from recovery.store.wechat import comments
from recovery.store.wechat.comments import Comment, State

if TYPE_CHECKING:
    from desk.channels.wechat.api.official import Comment as Listed
    from desk.channels.wechat.api.official import OfficialApi
    from desk.channels.wechat.service import WeChat

__all__ = ["CommentWorker", "TakenUp", "taken_up"]

_EVERY_SECONDS = 1.0
# Answers are looked for when one was given here; another desk's, now and then.
_ANSWERS_EVERY = timedelta(seconds=30)
# WeChat refuses 50.
_PAGE = 49
_MOST_PAGES = 200
# New comments stand at one end of the list. Now and then all of it is looked through, for
# whatever the order leaves out.
_WHOLE_EVERY = timedelta(hours=1)
# What was written before anybody asked for comments here is left alone.
_OLDEST = timedelta(days=3)
_MOST_ATTEMPTS = 3
_SHORT = timedelta(seconds=2)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_ZONE = ZoneInfo("Asia/Shanghai")

_BUSY = -1
_DAY_LIMIT = 45009
# No right to comments, none to the interface, no such article, an article that is barred.
_NO_RIGHT = frozenset({48001, 88000, 88001, 88002})
_GONE = frozenset({88004, 88008})
_REPLIED = 88005


class CommentWorker:
    """Looks after the comments of all accounts, for as long as the desk runs."""

    def __init__(self, wechat: "WeChat") -> None:
        """Prepare.

        Args:
            wechat: The channel.
        """
        self._wechat = wechat
        self._context = wechat.context
        self._ask_at: dict[tuple[str, str], datetime] = {}
        self._whole_at: dict[tuple[str, str], datetime] = {}
        # By account, or by account and article: nothing is posted before.
        self._post_at: dict[tuple[str, str], datetime] = {}
        # Somebody may have answered a comment since it was looked.
        self._stirred = True
        self._looked_at = self._context.clock()

    async def run(self) -> None:
        """Look again and again."""
        left = await self._context.storage.write(comments.left_over, self._context.clock())
        for comment in left:
            await self._settle(comment, "unknown")
        self._context.hub.listen_all(self._heard)
        try:
            while True:
                await self.look_once()
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            self._context.hub.leave_all(self._heard)

    def _heard(self, entry: Entry) -> None:
        if entry.stream.startswith(ROOMS):
            self._stirred = True

    async def look_once(self) -> None:
        """Ask for what is due, and post what has an answer."""
        for account in self._context.wechat:
            settings = account.settings.comments
            if settings is None or not account.official:
                continue
            for article in settings.articles:
                now = self._context.clock()
                if self._ask_at.get((account.id, article), now) <= now:
                    every = timedelta(seconds=settings.every_seconds)
                    pause = await self._asked(account, article)
                    self._ask_at[account.id, article] = now + max(every, pause)
        now = self._context.clock()
        if not self._stirred and now < self._looked_at + _ANSWERS_EVERY:
            return
        self._stirred, self._looked_at = False, now
        for account in self._context.wechat:
            if account.settings.comments is not None:
                await self._post(account, account.settings.comments.articles)

    # --- new comments -----------------------------------------------------------------------

    async def _asked(self, account: Account, article: str) -> timedelta:
        """Take new comments of an article; gives how long to leave WeChat alone with it."""
        now = self._context.clock()
        place = account.id, article
        whole = self._whole_at.get(place, now) <= now
        try:
            found = await self._listed(account, article, whole=whole)
        except WeChatError as error:
            log.warning("comments refused", account=account.id, article=article, errcode=error.code)
            return self._pause(error.code)
        except (NotReachedError, OutcomeUnknownError) as error:
            kind = type(error).__name__
            log.warning("comments not read", account=account.id, article=article, error=kind)
            return timedelta()
        await self._take(account, article, found)
        if whole:
            self._whole_at[place] = now + _WHOLE_EVERY
        return timedelta()

    async def _listed(
        self, account: Account, article: str, *, whole: bool
    ) -> dict[str, tuple["Listed", State | None]]:
        """Comments by id, with how those stand that were seen before.

        Raises:
            WeChatError: WeChat refuses.
            NotReachedError: It was not reached.
            OutcomeUnknownError: It did not answer.
        """
        api: OfficialApi = self._wechat.api(account)
        found: dict[str, tuple[Listed, State | None]] = {}
        begin, end = 0, 1
        for _ in range(_MOST_PAGES):
            end, fresh, length = await self._page(api, account, article, begin, found)
            begin += length
            if not length or begin >= end or not (fresh or whole):
                break
        while begin < end and not whole:
            # The newest may as well stand last.
            start = max(begin, end - _PAGE)
            _, fresh, _ = await self._page(api, account, article, start, found)
            if not fresh:
                break
            end = start
        return found

    async def _page(
        self,
        api: "OfficialApi",
        account: Account,
        article: str,
        begin: int,
        found: dict[str, tuple["Listed", State | None]],
    ) -> tuple[int, bool, int]:
        """Read a page; gives how many comments there are, whether one is new, how many it has."""
        total, page = await api.comments(article, begin, _PAGE)
        ids = [one.id for one in page]
        known = await self._context.storage.read(comments.known, account.id, article, ids)
        found |= {one.id: (one, known.get(one.id)) for one in page}
        return total, any(one not in known for one in ids), len(page)

    async def _take(
        self, account: Account, article: str, found: dict[str, tuple["Listed", State | None]]
    ) -> None:
        context, now = self._context, self._context.clock()
        fresh = await context.storage.write(_sorted_out, account.id, article, found, now)
        for one in fresh:
            taken = await context.storage.write(
                take_comment, context, account, article, one.id, one.openid, one.text, now
            )
            faults.reach("comment-taken")
            if taken:
                self._wechat.router.publish(taken.committed)
                self._wechat.router.add(taken.message)

    # --- replies ----------------------------------------------------------------------------

    async def _post(self, account: Account, articles: tuple[str, ...]) -> None:
        context = self._context
        now = context.clock()
        free = [one for one in articles if self._may_post(account.id, one, now)]
        if len(free) < len(articles):
            self._stirred = True
        waiting = await context.storage.read(comments.answered, account.id, free, now)
        # There may be more of them, and some may have to be sent again.
        self._stirred = self._stirred or bool(waiting)
        for comment, event in waiting:
            if not self._may_post(account.id, comment.article, context.clock()):
                continue
            text = await context.storage.write(
                begin_reply, comment, str(event["text"]), account.settings.name
            )
            faults.reach("comment-sending")
            if text is not None:
                await self._reply(account, comment, text)

    def _may_post(self, account: str, article: str, now: datetime) -> bool:
        return all(
            self._post_at.get(place, now) <= now for place in ((account, ""), (account, article))
        )

    async def _reply(self, account: Account, comment: Comment, text: str) -> None:
        """Post one reply, and keep what became of it."""
        api: OfficialApi = self._wechat.api(account)
        try:
            await api.reply_to_comment(comment.article, comment.comment, text)
        except WeChatError as error:
            await self._refused(comment, error.code)
        except NotReachedError:
            self._post_at[account.id, ""] = self._context.clock() + _MINUTE
            await self._settle(comment, "new")
        except OutcomeUnknownError:
            await self._settle(comment, "unknown")
        else:
            await self._settle(comment, "done", text=text)

    async def _refused(self, comment: Comment, code: int) -> None:
        """Do what an error of WeChat's means for a reply, which was not carried out."""
        account, now = comment.account, self._context.clock()
        log.warning("reply refused", account=account, article=comment.article, errcode=code)
        if code in _GONE or code == _REPLIED:
            await self._settle(comment, "skipped", code)
            return
        waits = code in _NO_RIGHT or code == _DAY_LIMIT
        again = code == _BUSY or code in (40001, 40014, 42001)
        if waits or (again and comment.attempts + 1 < _MOST_ATTEMPTS):
            place = comment.article if code in _NO_RIGHT else ""
            self._post_at[account, place] = now + (self._pause(code) or _SHORT)
            await self._settle(comment, "new", code)
            return
        await self._settle(comment, "failed", code)

    def _pause(self, code: int) -> timedelta:
        """How long WeChat is left alone after an error."""
        if code == _DAY_LIMIT:
            here = self._context.clock().astimezone(_ZONE)
            midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight - here
        return _HOUR if code in _NO_RIGHT else timedelta()

    async def _settle(
        self, comment: Comment, state: State, error: int | None = None, *, text: str = ""
    ) -> None:
        committed = await self._context.storage.write(
            settle_reply, comment, state, error, text, self._context.clock()
        )
        self._wechat.router.publish(committed)


def _sorted_out(
    db: Connection,
    account: str,
    article: str,
    found: dict[str, tuple["Listed", State | None]],
    now: datetime,
) -> list["Listed"]:
    """Leave aside what needs no reply; gives the others, oldest first."""
    hold(db, f"comments {account} {article}")
    first = not comments.polled(db, account, article)
    known = comments.known(db, account, article, list(found))
    replied = {one.id for one, _ in found.values() if one.reply is not None}
    comments.arrived(db, account, article, [one for one in replied if one in known], now)
    fresh = [one for one, _ in found.values() if one.id not in known]
    old = {one.id for one in fresh if first and datetime.fromtimestamp(one.at, UTC) < now - _OLDEST}
    aside = [one.id for one in fresh if one.id in replied or one.id in old]
    comments.skip(db, account, article, aside, now)
    left = [one for one in fresh if one.id not in replied and one.id not in old]
    return sorted(left, key=lambda one: (one.at, one.id))
