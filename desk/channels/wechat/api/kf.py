"""The interface of 微信客服 (WeCom), as far as the desk needs it.

All calls end as `desk.channels.wechat.api.interface.Interface` says. A message has an id of ours,
so that it may be sent again where nobody knows what became of it: WeCom sends it once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from desk.channels.wechat.api.interface import Interface
from desk.channels.wechat.api.outcomes import NotReachedError

_WAY = "huixin"
_MOST_A_PAGE = 1000
_A_LIST, _MOST_LISTS = 100, 20
# A page of a thousand messages takes its time and its space.
_SYNC_SECONDS = 15.0
_SYNC_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Page:
    """What `sync` gives.

    Attributes:
        messages: As WeCom has them, the oldest first.
        cursor: Where the next page begins.
        more: Whether there is one already.
    """

    messages: list[dict[str, Any]]
    cursor: str
    more: bool


class KfApi(Interface):
    """Calls of one 微信客服 account."""

    _way: str | None = None

    async def send_text(self, user: str, text: str, msgid: str) -> None:
        """Send words, at most 2,048 bytes; only in state 0 or 1."""
        await self._send(user, "text", {"content": text}, msgid)

    async def send_menu(
        self, user: str, head: str, items: Sequence[tuple[str, str]], msgid: str, tail: str = ""
    ) -> None:
        """Send words with at most ten choices: (id, words) of each."""
        listed = [
            {"type": "click", "click": {"id": menu_id, "content": words}}
            for menu_id, words in items
        ]
        menu = {"head_content": head, "list": listed, "tail_content": tail}
        await self._send(user, "msgmenu", menu, msgid)

    async def send_image(self, user: str, jpeg: bytes, msgid: str) -> None:
        """Send a picture."""
        await self._send(user, "image", {"media_id": await self._upload(jpeg)}, msgid)

    async def send_on_event(self, code: str, text: str, msgid: str) -> None:
        """Answer an event: the welcome within 20 seconds, one message for each code."""
        await self._do(
            "/cgi-bin/kf/send_msg_on_event",
            {"code": code, "msgid": msgid, "msgtype": "text", "text": {"content": text}},
        )

    async def sync(self, cursor: str, token: str, limit: int = _MOST_A_PAGE) -> Page:
        """Read what has come in.

        Args:
            cursor: Of the page before; empty at first: the last three days.
            token: Of a callback within the last ten minutes; empty: WeCom answers less often.
            limit: At most 1,000.
        """
        body = {"cursor": cursor, "limit": limit, "open_kfid": self._open_kfid}
        got = await self._ask(
            "/cgi-bin/kf/sync_msg",
            body=body | ({"token": token} if token else {}),
            seconds=_SYNC_SECONDS,
            most=_SYNC_BYTES,
        )
        listed, after = got.get("msg_list"), got.get("next_cursor")
        if not isinstance(listed, list) or not isinstance(after, str):
            raise NotReachedError("no messages in the answer")
        return Page(
            [one for one in listed if isinstance(one, dict)], after, got.get("has_more") == 1
        )

    async def state(self, user: str) -> int:
        """State of the session: 0 new, 1 assistant, 2 pool, 3 a person, 4 ended."""
        got = await self._ask("/cgi-bin/kf/service_state/get", body=self._session(user))
        state = got.get("service_state")
        if not isinstance(state, int):
            raise NotReachedError("no state in the answer")
        return state

    async def set_state(self, user: str, state: int) -> None:
        """Move the session; WeCom allows few moves. Twice is refused the second time."""
        await self._ask(
            "/cgi-bin/kf/service_state/trans", body={**self._session(user), "service_state": state}
        )

    async def contact_way(self, scene: str) -> str:
        """An address that leads into 微信客服; who comes by it brings `scene` as `scene_param`.

        Args:
            scene: At most 128 bytes when quoted.
        """
        if self._way is None:
            # WeCom makes an address for each place, not for each customer: one is enough.
            got = await self._ask(
                "/cgi-bin/kf/add_contact_way", body={"open_kfid": self._open_kfid, "scene": _WAY}
            )
            url = got.get("url")
            if not isinstance(url, str) or not url:
                raise NotReachedError("no url in the answer")
            self._way = url
        joined = "&" if "?" in self._way else "?"
        return f"{self._way}{joined}scene_param={quote(scene, safe='')}"

    async def accounts(self) -> list[str]:
        """The 微信客服 accounts of the company that this secret may use, by open_kfid."""
        found: list[str] = []
        for _ in range(_MOST_LISTS):
            got = await self._ask(
                "/cgi-bin/kf/account/list", body={"offset": len(found), "limit": _A_LIST}
            )
            listed = got.get("account_list")
            page = listed if isinstance(listed, list) else []
            found += [str(one.get("open_kfid")) for one in page if isinstance(one, dict)]
            if len(page) < _A_LIST:
                break
        return found

    @property
    def _open_kfid(self) -> str:
        return self._account.settings.open_kfid or ""

    def _session(self, user: str) -> dict[str, Any]:
        return {"open_kfid": self._open_kfid, "external_userid": user}

    async def _send(self, user: str, kind: str, content: Mapping[str, Any], msgid: str) -> None:
        body = {"touser": user, "open_kfid": self._open_kfid, "msgid": msgid}
        await self._do("/cgi-bin/kf/send_msg", {**body, "msgtype": kind, kind: content})
