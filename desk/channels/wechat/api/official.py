"""The interface of an Official Account, as far as the desk needs it.

All calls end as `desk.channels.wechat.api.interface.Interface` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk.channels.wechat.api.interface import Interface
from desk.channels.wechat.api.outcomes import NotReachedError, WeChatError

_NO_RIGHT = 48001


@dataclass(frozen=True)
class Comment:
    """One comment under an article.

    Attributes:
        id: `user_comment_id`, of the article.
        openid: Whose; None for identities that are none of WeChat's.
        text: As written.
        at: Unix time.
        reply: What the account has answered; None: nothing yet.
    """

    id: str
    openid: str | None
    text: str
    at: int
    reply: str | None


class OfficialApi(Interface):
    """Calls of one Official Account."""

    async def send_text(self, openid: str, text: str) -> None:
        """Send words, at most 2,048 bytes."""
        await self._send(openid, "text", {"content": text})

    async def send_menu(
        self, openid: str, head: str, items: Sequence[tuple[str, str]], tail: str = ""
    ) -> None:
        """Send words with choices.

        Args:
            openid: To whom.
            head: Above the choices.
            items: Id and words of each.
            tail: Below them.
        """
        listed = [{"id": menu_id, "content": words} for menu_id, words in items]
        menu = {"head_content": head, "list": listed, "tail_content": tail}
        await self._send(openid, "msgmenu", menu)

    async def send_image(self, openid: str, jpeg: bytes) -> None:
        """Send a picture, at most 10 MB."""
        await self._send(openid, "image", {"media_id": await self._upload(jpeg)})

    async def typing(self, openid: str, *, on: bool) -> None:
        """Show that somebody types, for 15 seconds, or that nobody does any more."""
        command = "Typing" if on else "CancelTyping"
        # To nobody does it any harm twice.
        await self._ask(
            "/cgi-bin/message/custom/typing", body={"touser": openid, "command": command}
        )

    async def scene_url(self, scene: str, seconds: int) -> str:
        """Make what stands in a QR code that brings who scans it here with a scene.

        Args:
            scene: 1 to 64 characters.
            seconds: How long the code is good.
        """
        got = await self._ask(
            "/cgi-bin/qrcode/create",
            body={
                "expire_seconds": seconds,
                "action_name": "QR_STR_SCENE",
                "action_info": {"scene": {"scene_str": scene}},
            },
        )
        return _text(got, "url")

    async def template(
        self, openid: str, template: str, fields: Mapping[str, str], url: str | None
    ) -> str:
        """Send a template message; gives its msgid, which its end is told by."""
        body = {"touser": openid, "template_id": template, "data": _data(fields)}
        got = await self._do("/cgi-bin/message/template/send", body | ({"url": url} if url else {}))
        return str(got.get("msgid", ""))

    async def subscribe_message(
        self, openid: str, template: str, fields: Mapping[str, str], url: str | None
    ) -> None:
        """Send a subscribe message, which takes one credit of the customer's."""
        body = {"touser": openid, "template_id": template, "data": _data(fields)}
        await self._do("/cgi-bin/message/subscribe/bizsend", body | ({"page": url} if url else {}))

    async def comments(self, article: str, begin: int, count: int) -> tuple[int, list[Comment]]:
        """Comments under an article.

        Args:
            article: `<msg_data_id>` or `<msg_data_id>:<place in the mailing>`.
            begin: How many to pass over.
            count: At most 49.

        Returns:
            How many there are in all, and a page of them.
        """
        got = await self._ask(
            "/cgi-bin/comment/list",
            body={**_place(article), "begin": begin, "count": count, "type": 0},
        )
        total, listed = got.get("total"), got.get("comment")
        if not isinstance(total, int) or not isinstance(listed, list):
            raise NotReachedError("no comments in the answer")
        read = [_comment(one) for one in listed if isinstance(one, dict)]
        return total, [one for one in read if one is not None]

    async def reply_to_comment(self, article: str, comment: str, text: str) -> None:
        """Answer a comment, which WeChat allows once."""
        await self._do(
            "/cgi-bin/comment/reply/add",
            {**_place(article), "user_comment_id": int(comment), "content": text},
        )

    async def templates(self) -> dict[str, str]:
        """Templates of the account, id to content (`{{thing1.DATA}}`), of both kinds.

        Raises:
            WeChatError: The account may have neither of them.
        """
        found: dict[str, str] = {}
        refused: list[WeChatError] = []
        for path, method, field, name in (
            (
                "/cgi-bin/template/get_all_private_template",
                "GET",
                "template_list",
                "template_id",
            ),
            ("/wxaapi/newtmpl/gettemplate", "GET", "data", "priTmplId"),
        ):
            try:
                got = await self._ask(path, method=method)
            except WeChatError as error:
                if error.code != _NO_RIGHT:
                    raise
                refused.append(error)
                continue
            listed = got.get(field)
            for one in listed if isinstance(listed, list) else []:
                if isinstance(one, dict):
                    found[str(one.get(name))] = str(one.get("content", ""))
        if len(refused) == 2:
            raise refused[0]
        return found

    async def _send(self, openid: str, kind: str, content: Mapping[str, Any]) -> None:
        body = {"touser": openid, "msgtype": kind, kind: content}
        await self._do("/cgi-bin/message/custom/send", body)


def _place(article: str) -> dict[str, int]:
    data, _, index = article.partition(":")
    return {"msg_data_id": int(data), "index": int(index or 0)}


def _data(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"value": value} for name, value in fields.items()}


def _text(got: Mapping[str, Any], name: str) -> str:
    value = got.get(name)
    if not isinstance(value, str) or not value:
        raise NotReachedError(f"no {name} in the answer")
    return value


def _comment(one: Mapping[str, Any]) -> Comment | None:
    number, at = one.get("user_comment_id"), one.get("create_time")
    if not isinstance(number, int) or not isinstance(at, int):
        return None
    openid, reply = one.get("openid"), one.get("reply")
    answered = reply.get("content") if isinstance(reply, dict) else None
    return Comment(
        str(number),
        openid if isinstance(openid, str) and openid else None,
        str(one.get("content", "")),
        at,
        str(answered) if answered else None,
    )
