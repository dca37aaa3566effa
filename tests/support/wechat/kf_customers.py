"""Customers of 微信客服, and the people who answer inside WeCom."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.wechat import rules
from tests.support.wechat.base import Base
from tests.support.wechat.callbacks import Delivery
from tests.support.wechat.world import Account


class KfCustomers(Base):
    """What they do: the desk is called, and pulls."""

    async def kf_write(
        self, user: str, text: str, account: str | None = None, menu: str | None = None
    ) -> Delivery:
        """Type a message to 微信客服."""
        words = {"content": text} | ({"menu_id": menu} if menu else {})
        return await self.kf_send(user, account, msgtype="text", text=words)

    async def kf_image(self, user: str, content: bytes, account: str | None = None) -> Delivery:
        """Send a picture to 微信客服."""
        media = self._kf(account).keep(content, "image/jpeg", self.clock())
        return await self.kf_send(user, account, msgtype="image", image={"media_id": media})

    async def kf_send(self, user: str, account: str | None = None, **message: Any) -> Delivery:  # noqa: ANN401 - JSON
        """Send any message: `msgtype` and the field of its name."""
        found = self._kf(account)
        self.kf_put(user, account, **message)
        return await self._there(self._kf_call(found))

    def kf_put(self, user: str, account: str | None = None, **message: Any) -> str:  # noqa: ANN401 - JSON
        """As `kf_send`, the desk is not called back; gives the msgid."""
        found, now = self._kf(account), self.clock()
        customer = found.customer(user)
        customer.wrote(now)
        over = customer.session_at and now - customer.session_at >= rules.SESSION_LIFE
        if customer.state == rules.ENDED or customer.session_at is None or over:
            customer.state, customer.session_at = rules.NEW, now
        whole = {
            "msgid": f"{self.next_message():x}",
            "open_kfid": found.original,
            "external_userid": user,
            "send_time": int(now.timestamp()),
            "origin": 3,
            **message,
        }
        found.log.append((now, whole))
        return str(whole["msgid"])

    async def kf_enter(
        self,
        user: str,
        scene_param: str = "",
        account: str | None = None,
        url: str | None = None,
    ) -> Delivery:
        """Come into 微信客服, by the url of `add_contact_way` with `&scene_param=` or without.

        A welcome may be said with the code where the customer has not written for 48 hours.
        """
        found, now = self._kf(account), self.clock()
        scene = ""
        if url is not None:
            parts = urlsplit(url)
            asked = parse_qs(parts.query)
            way = url.partition("&scene_param=")[0]
            if way not in found.ways:
                raise LookupError("no such way to the account")
            scene, scene_param = found.ways[way], asked.get("scene_param", [""])[0]
        customer = found.customer(user)
        event = {
            "event_type": "enter_session",
            "open_kfid": found.original,
            "external_userid": user,
            "scene": scene,
            "scene_param": scene_param,
        }
        if customer.wrote_at is None or now - customer.wrote_at >= rules.MESSAGE_WINDOW:
            code = f"welcome{self.next_message():x}"
            found.welcomes[code] = (user, now + rules.WELCOME_LIFE)
            event["welcome_code"] = code
        self._kf_log(found, {"msgtype": "event", "event": event, "origin": 4})
        return await self._there(self._kf_call(found))

    async def kf_servicer_writes(
        self, user: str, text: str, account: str | None = None, servicer: str = "LiSi"
    ) -> Delivery:
        """Somebody answers inside WeCom; the session is then with a person (state 3)."""
        found = self._kf(account)
        found.servicers.add(servicer)
        customer = found.customer(user)
        customer.state, customer.servicer = rules.HUMAN, servicer
        message = {
            "external_userid": user,
            "servicer_userid": servicer,
            "origin": 5,
            "msgtype": "text",
            "text": {"content": text},
        }
        self._kf_log(found, message)
        return await self._there(self._kf_call(found))

    async def kf_session(
        self, user: str, state: int, account: str | None = None, servicer: str = ""
    ) -> Delivery:
        """The session changes in WeCom (a person takes it: 3; ends it: 4), which is told."""
        found = self._kf(account)
        customer = found.customer(user)
        customer.state, customer.servicer = state, servicer
        event = {
            "event_type": "session_status_change",
            "open_kfid": found.original,
            "external_userid": user,
            "change_type": 3 if state == rules.ENDED else 1,
            "old_servicer_userid": "",
            "new_servicer_userid": servicer,
        }
        self._kf_log(found, {"msgtype": "event", "event": event, "origin": 4})
        return await self._there(self._kf_call(found))

    def kf_lose(self, user: str, fail_type: int, account: str | None = None) -> None:
        """Let the next message to a user end in a msg_send_fail event after its "ok"."""
        self._kf(account).customer(user).losses.append(fail_type)

    async def kf_call(self, account: str | None = None) -> Delivery:
        """Call the desk back although nothing is new."""
        return await self._there(self._kf_call(self._kf(account)))

    def _kf(self, id: str | None) -> Account:
        if id:
            return self.accounts[id]
        return next(one for one in self.accounts.values() if one.kind == "kf")

    def _kf_log(self, account: Account, message: dict[str, Any]) -> None:
        now = self.clock()
        whole = {
            "msgid": f"{self.next_message():x}",
            "open_kfid": account.original,
            "send_time": int(now.timestamp()),
            **message,
        }
        account.log.append((now, whole))

    def _kf_told(self, account: Account, message: dict[str, Any]) -> None:
        """Of the interface, on the double's loop: something happened, the desk hears of it."""
        self._kf_log(account, message)
        if self.desk:
            self._aside(self._kf_call(account))

    async def _kf_call(self, account: Account) -> Delivery:
        token = f"ENC{self.next_message():x}"
        account.sync_tokens[token] = self.clock()
        fields = {
            "ToUserName": account.app_id,
            "CreateTime": int(self.clock().timestamp()),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": account.original,
        }
        return await self._caller.deliver(account, fields)
