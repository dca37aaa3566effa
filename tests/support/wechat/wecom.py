"""The interface of 微信客服, as far as the desk may use it."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.support.wechat import rules
from tests.support.wechat.rules import RefusedError
from tests.support.wechat.wire import Request
from tests.support.wechat.world import Account, Customer, Seen

Body = dict[str, Any]
_OK = {"errcode": 0, "errmsg": "ok"}


class WeCom:
    """Carries calls out.

    Attributes:
        violations: Sends that a quota has refused.
        told: Called for every event that the desk has to hear of: account, message.
    """

    def __init__(
        self,
        violations: list[tuple[str, str, int]],
        told: Callable[[Account, Body], None],
    ) -> None:
        self.violations = violations
        self.told = told
        self.calls: dict[str, Callable[[Account, Request, datetime], Any]] = {
            "/cgi-bin/kf/sync_msg": self._sync,
            "/cgi-bin/kf/send_msg": self._send,
            "/cgi-bin/kf/send_msg_on_event": self._send_on_event,
            "/cgi-bin/kf/service_state/get": self._state,
            "/cgi-bin/kf/service_state/trans": self._move,
            "/cgi-bin/kf/add_contact_way": self._way,
            "/cgi-bin/kf/account/list": self._accounts,
            "/cgi-bin/get_api_domain_ip": self._addresses,
            "/cgi-bin/getcallbackip": self._addresses,
        }

    def _sync(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        _of(account, body)
        token, limit = body.get("token"), int(body.get("limit") or rules.SYNC_MOST)
        if token:
            made = account.sync_tokens.get(token)
            if made is None or now - made >= rules.SYNC_TOKEN_LIFE:
                raise RefusedError(95007)
        if not 1 <= limit <= rules.SYNC_MOST:
            raise RefusedError(40058, "limit out of range")
        found = re.fullmatch(r"4gw7MepFLfgF2VC5(\d+)|", body.get("cursor") or "")
        if found is None:
            raise RefusedError(40058, "invalid cursor")
        begin = int(found[1] or 0)
        # What is older than three days is not given any more.
        while begin < len(account.log) and now - account.log[begin][0] >= rules.SYNC_KEPT:
            begin += 1
        end = min(begin + limit, len(account.log))
        return {
            **_OK,
            "next_cursor": f"4gw7MepFLfgF2VC5{end}",
            "has_more": int(end < len(account.log)),
            "msg_list": [message for _, message in account.log[begin:end]],
        }

    def _send(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        _of(account, body)
        customer = account.known(str(body.get("touser")))
        message = _message_id(body)
        if message in account.sent:
            # The own msgid: the same message is not sent twice.
            return {**_OK, "msgid": message}
        seen = _shown(account, body, "kf", message, now)
        _session(customer, now)
        if customer.state not in (rules.NEW, rules.ASSISTANT):
            raise RefusedError(95013 if customer.state == rules.ENDED else 95018)
        try:
            customer.spend(now)
        except RefusedError as error:
            code = {45015: 95002, 45047: 95001}[error.code]
            self.violations.append((account.id, customer.openid, code))
            raise RefusedError(code) from error
        account.sent.add(message)
        if customer.losses:
            # "ok" is no delivery: that it failed is told by an event.
            event = _event(account, customer, "msg_send_fail")
            event |= {"fail_msgid": message, "fail_type": customer.losses.pop(0)}
            self.told(account, {"msgtype": "event", "event": event, "origin": 4})
        else:
            customer.seen.append(seen)
        return {**_OK, "msgid": message}

    def _send_on_event(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        message = _message_id(body)
        user, until = account.welcomes.pop(str(body.get("code")), ("", now))
        if not user or now >= until:
            raise RefusedError(40029, "invalid code")
        seen = _shown(account, body, "event", message, now)
        if seen.kind == "image":
            raise RefusedError(40008, "invalid message type")
        account.customers[user].seen.append(seen)
        return {**_OK, "msgid": message}

    def _state(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        _of(account, body)
        customer = account.known(str(body.get("external_userid")))
        _session(customer, now)
        return {**_OK, "service_state": customer.state, "servicer_userid": customer.servicer}

    def _move(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        _of(account, body)
        customer = account.known(str(body.get("external_userid")))
        wanted, servicer = int(body.get("service_state", -1)), str(body.get("servicer_userid", ""))
        _session(customer, now)
        if wanted not in rules.MOVES[customer.state]:
            raise RefusedError(95013 if customer.state == rules.ENDED else 95016)
        if wanted == rules.HUMAN and servicer not in account.servicers:
            raise RefusedError(95014)
        customer.state = wanted
        customer.servicer = servicer if wanted == rules.HUMAN else ""
        answer: Body = dict(_OK)
        if wanted in (rules.POOL, rules.ENDED):
            answer["msg_code"] = secrets.token_urlsafe(16)
            account.welcomes[answer["msg_code"]] = (customer.openid, now + rules.WELCOME_LIFE)
        return answer

    def _way(self, account: Account, request: Request, now: datetime) -> Body:
        body = request.json
        _of(account, body)
        scene = str(body.get("scene", ""))
        if not re.fullmatch(r"[0-9A-Za-z_-]{0,32}", scene):
            raise RefusedError(40058, "invalid scene")
        url = f"https://work.weixin.qq.com/kfid/kfc{secrets.token_hex(8)}?enc_scene=ENC"
        url += secrets.token_urlsafe(9)
        account.ways[url] = scene
        return {**_OK, "url": url}

    def _accounts(self, account: Account, request: Request, now: datetime) -> Body:
        listed = {"open_kfid": account.original, "name": account.id, "avatar": ""}
        return {**_OK, "account_list": [{**listed, "manage_privilege": True}]}

    def _addresses(self, account: Account, request: Request, now: datetime) -> Body:
        return {**_OK, "ip_list": ["203.0.113.7"]}


def _of(account: Account, body: Body) -> None:
    if body.get("open_kfid", account.original) != account.original:
        raise RefusedError(95000)


def _event(account: Account, customer: Customer, kind: str) -> Body:
    return {
        "event_type": kind,
        "open_kfid": account.original,
        "external_userid": customer.openid,
    }


def _session(customer: Customer, now: datetime) -> None:
    """A session ends by itself after 48 hours."""
    if customer.session_at and now - customer.session_at >= rules.SESSION_LIFE:
        customer.state, customer.servicer = rules.ENDED, ""


def _message_id(body: Body) -> str:
    message = body.get("msgid")
    if message is None:
        return secrets.token_urlsafe(16)
    if not re.fullmatch(rf"[0-9A-Za-z_-]{{1,{rules.MSGID_BYTES}}}", str(message)):
        raise RefusedError(40058, "invalid msgid")
    return str(message)


def _shown(account: Account, body: Body, via: str, message: str, now: datetime) -> Seen:
    kind = body.get("msgtype")
    if kind == "text":
        text = _words(body["text"]["content"])
        return Seen("text", text, (), via, now, account.id, id=message)
    if kind == "image":
        content, _ = account.file(body["image"]["media_id"], now)
        return Seen("image", "", (), via, now, account.id, content, id=message)
    if kind == "msgmenu":
        menu = body["msgmenu"]
        items = []
        for one in menu["list"]:
            if one.get("type") != "click":
                raise RefusedError(95009, "invalid item of menu")
            items.append((str(one["click"]["id"]), str(one["click"]["content"])))
        if not 1 <= len(items) <= rules.MENU_ITEMS:
            raise RefusedError(95008, "too many items of menu")
        if any(len(part.encode()) > 128 or not part for item in items for part in item):
            raise RefusedError(45002)
        parts = (menu.get("head_content", ""), menu.get("tail_content", ""))
        if any(len(part.encode()) > 1024 for part in parts):
            raise RefusedError(45002)
        text = "\n".join(part for part in parts if part)
        return Seen("menu", text, tuple(items), via, now, account.id, id=message)
    raise RefusedError(40008, "invalid message type")


def _words(text: Any) -> str:  # noqa: ANN401 - of a body
    if not isinstance(text, str) or not text.strip():
        raise RefusedError(44004, "empty content")
    if len(text.encode()) > rules.TEXT_BYTES:
        raise RefusedError(45002)
    return text
