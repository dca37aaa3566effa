"""The interface of Official Accounts, as far as the desk may use it."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.support.wechat import rules
from tests.support.wechat.rules import RefusedError
from tests.support.wechat.wire import Answer, Request, uploaded
from tests.support.wechat.world import Account, Seen

Body = dict[str, Any]
_OK = {"errcode": 0, "errmsg": "ok"}


class Official:
    """Carries calls out.

    Attributes:
        violations: Sends that a quota has refused: account, openid, code.
        later: Told of template and subscribe messages that have gone: account, openid, how,
            message, template.
    """

    def __init__(self, violations: list[tuple[str, str, int]], later: Callable[..., None]) -> None:
        self.violations = violations
        self.later = later
        self._message = 200_000_000
        self.calls: dict[str, Callable[[Account, Request, datetime], Any]] = {
            "/cgi-bin/message/custom/send": self._send,
            "/cgi-bin/message/custom/typing": self._typing,
            "/cgi-bin/media/get": self._media,
            "/cgi-bin/media/upload": self._upload,
            "/cgi-bin/qrcode/create": self._qrcode,
            "/cgi-bin/message/template/send": self._template,
            "/cgi-bin/message/subscribe/bizsend": self._subscribe,
            "/cgi-bin/template/get_all_private_template": self._templates,
            "/wxaapi/newtmpl/gettemplate": self._subscriptions,
            "/cgi-bin/comment/list": self._comments,
            "/cgi-bin/comment/reply/add": self._reply,
            "/cgi-bin/get_api_domain_ip": self._addresses,
            "/cgi-bin/getcallbackip": self._addresses,
        }

    def _send(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        if "custom" not in account.rights:
            raise RefusedError(48001)
        customer = account.known(str(body.get("touser")))
        seen = self._shown(account, body, now)
        try:
            customer.spend(now)
        except RefusedError as error:
            self.violations.append((account.id, customer.openid, error.code))
            raise
        customer.seen.append(seen)
        return _OK

    def _shown(self, account: Account, body: Body, now: datetime) -> Seen:
        kind = body.get("msgtype")
        if kind == "text":
            text = _words(body["text"]["content"])
            return Seen("text", text, (), "custom", now, account.id)
        if kind == "image":
            content, _ = account.file(body["image"]["media_id"], now)
            return Seen("image", "", (), "custom", now, account.id, content)
        if kind == "msgmenu":
            if "msgmenu" not in account.rights:
                raise RefusedError(40200)
            menu = body["msgmenu"]
            items = tuple((str(one["id"]), str(one["content"])) for one in menu["list"])
            if not items or not all(title for _, title in items):
                raise RefusedError(47003)
            parts = (menu.get("head_content", ""), menu.get("tail_content", ""))
            text = "\n".join(part for part in parts if part)
            _words(text + "".join(title for _, title in items))
            return Seen("menu", text, items, "custom", now, account.id)
        raise RefusedError(40008, "invalid message type")

    def _typing(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        if "custom" not in account.rights:
            raise RefusedError(48001)
        customer = account.known(str(body.get("touser")))
        if body.get("command") not in ("Typing", "CancelTyping"):
            raise RefusedError(45072)
        if body["command"] == "CancelTyping":
            customer.typing_until = None
            return _OK
        at = customer.exchanged_at
        if at is None or now - at >= rules.TYPING_AFTER_EXCHANGE:
            raise RefusedError(45080)
        if customer.typing_until and now < customer.typing_until:
            raise RefusedError(45081)
        customer.typing_until = now + rules.TYPING_LASTS
        return _OK

    def _media(self, account: Account, request: Request, now: datetime) -> Answer:
        content, kind = account.file(request.query.get("media_id", ""), now)
        name = f'attachment; filename="{secrets.token_hex(8)}"'
        return Answer(content, type=kind, headers={"Content-disposition": name})

    def _upload(self, account: Account, request: Request, now: datetime) -> Body:
        try:
            _, content = uploaded(request)
        except ValueError as error:
            raise RefusedError(41005, "media data missing") from error
        if request.query.get("type") != "image" or not content.startswith((b"\xff\xd8", b"\x89P")):
            raise RefusedError(40004, "invalid media type")
        if len(content) > rules.IMAGE_BYTES:
            raise RefusedError(40009, "invalid image size")
        media = account.keep(content, "image/jpeg", now)
        return {"type": "image", "media_id": media, "created_at": int(now.timestamp())}

    def _qrcode(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        if "qrcode" not in account.rights:
            raise RefusedError(48001)
        scene = body.get("action_info", {}).get("scene", {}).get("scene_str", "")
        seconds = int(body.get("expire_seconds", 60))
        if body.get("action_name") != "QR_STR_SCENE" or not 1 <= len(scene) <= 64:
            raise RefusedError(40053, "invalid action info")
        url = f"http://weixin.qq.com/q/{secrets.token_urlsafe(16)}"
        account.scenes[url] = (scene, now + timedelta(seconds=min(seconds, 2_592_000)))
        return {"ticket": secrets.token_urlsafe(64), "expire_seconds": seconds, "url": url}

    def _template(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        if "template" not in account.rights:
            raise RefusedError(48001)
        if body.get("template_id") not in account.templates:
            raise RefusedError(40037)
        customer = account.known(str(body.get("touser")))
        if not customer.following:
            raise RefusedError(43004)
        seen = self._filled(account, body, account.templates, "template", now)
        customer.seen.append(seen)
        self.later(account, customer.openid, "template", seen.id, body["template_id"])
        return {**_OK, "msgid": int(seen.id)}

    def _subscribe(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        if "subscribe" not in account.rights:
            raise RefusedError(48001)
        template = body.get("template_id", "")
        if template not in account.subscriptions:
            raise RefusedError(40037)
        customer = account.known(str(body.get("touser")))
        if customer.credits.get(template, 0) < 1:
            raise RefusedError(43101)
        seen = self._filled(account, body, account.subscriptions, "subscribe", now)
        customer.credits[template] -= 1
        customer.seen.append(seen)
        self.later(account, customer.openid, "subscribe", seen.id, template)
        return _OK

    def _filled(
        self, account: Account, body: Body, templates: dict[str, str], via: str, now: datetime
    ) -> Seen:
        """A template with its fields filled; each kind of field has its length."""
        wanted = re.findall(r"\{\{(\w+)\.DATA\}\}", templates[body["template_id"]])
        given = {name: str(one.get("value", "")) for name, one in body.get("data", {}).items()}
        if set(wanted) != set(given) or not all(map(_fits, given, given.values())):
            raise RefusedError(47003)
        self._message += 1
        data = {**given, "template": body["template_id"]}
        data["url"] = str(body.get("url") or body.get("page") or "")
        text = "\n".join(given[name] for name in wanted)
        return Seen(via, text, (), via, now, account.id, data=data, id=str(self._message))

    def _templates(self, account: Account, request: Request, now: datetime) -> Body:
        if "template" not in account.rights:
            raise RefusedError(48001)
        listed = [
            {"template_id": one, "title": "通知", "content": content, "primary_industry": ""}
            for one, content in account.templates.items()
        ]
        return {"template_list": listed}

    def _subscriptions(self, account: Account, request: Request, now: datetime) -> Body:
        if "subscribe" not in account.rights:
            raise RefusedError(48001)
        listed = [
            {"priTmplId": one, "title": "通知", "content": content, "type": 2}
            for one, content in account.subscriptions.items()
        ]
        return {**_OK, "data": listed}

    def _comments(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        found = [one for one in _article(account, body) if not one.deleted]
        if not 1 <= int(body.get("count", 0)) <= rules.COMMENTS_A_PAGE:
            raise RefusedError(88010)
        # The newest stand first.
        found.sort(key=lambda one: -one.id)
        begin = int(body.get("begin", 0))
        page = []
        for one in found[begin : begin + int(body["count"])]:
            shown: Body = {
                "user_comment_id": one.id,
                "content": one.content,
                "create_time": int(one.at.timestamp()),
                "comment_type": 0,
            }
            if one.openid is not None:
                shown["openid"] = one.openid
            if one.reply is not None:
                shown["reply"] = {"content": one.reply, "create_time": int(now.timestamp())}
            page.append(shown)
        return {**_OK, "total": len(found), "comment": page}

    def _reply(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        number = int(body.get("user_comment_id", 0))
        found = next((one for one in _article(account, body) if one.id == number), None)
        if found is None or found.deleted:
            raise RefusedError(88008)
        if found.reply is not None:
            raise RefusedError(88005)
        content = str(body.get("content", ""))
        if not 1 <= len(content) <= rules.COMMENT_REPLY_LETTERS:
            raise RefusedError(88007)
        found.reply = content
        return _OK

    def _addresses(self, account: Account, request: Request, now: datetime) -> Body:
        return {"ip_list": ["203.0.113.7", "203.0.113.0/28"]}


def _article(account: Account, body: Body) -> list[Any]:
    if "comment" not in account.rights:
        raise RefusedError(88000)
    key = (str(body.get("msg_data_id")), int(body.get("index", 0)))
    if key not in account.articles:
        raise RefusedError(88001)
    return account.articles[key]


def _words(text: Any) -> str:  # noqa: ANN401 - of a body
    if not isinstance(text, str) or not text.strip():
        raise RefusedError(44004, "empty content")
    if len(text.encode()) > rules.TEXT_BYTES:
        raise RefusedError(45002)
    return text


# Lengths of the fields of templates by the first part of their names (recalled).
_FIELDS = {"thing": 20, "phrase": 5, "character_string": 32, "const": 20, "number": 32}


def _fits(name: str, value: str) -> bool:
    return 0 < len(value) <= _FIELDS.get(name.rstrip("0123456789"), 200)
