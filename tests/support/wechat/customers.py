"""Customers of Official Accounts: what they do in WeChat."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.support.wechat import rules
from tests.support.wechat.base import Base
from tests.support.wechat.callbacks import Delivery, Fields
from tests.support.wechat.world import Account, Comment, Seen


class Customers(Base):
    """What they do: every method tells the desk and gives how that went."""

    async def write(
        self,
        openid: str,
        text: str,
        account: str | None = None,
        **more: Any,  # noqa: ANN401 - XML
    ) -> Delivery:
        """Type a message; `more` are further fields, such as a MsgId."""
        return await self._message_of(openid, account, MsgType="text", Content=text, **more)

    async def send_image(self, openid: str, content: bytes, account: str | None = None) -> Delivery:
        """Send a picture."""
        found = self._account(account)
        media = found.keep(content, "image/jpeg", self.clock())
        url = "http://mmbiz.qpic.cn/mmbiz/" + media[:16]
        return await self._message_of(openid, account, MsgType="image", PicUrl=url, MediaId=media)

    async def voice(
        self, openid: str, recognition: str | None = None, account: str | None = None
    ) -> Delivery:
        """Speak; `recognition` is what WeChat has heard, where it still sends that."""
        media = self._account(account).keep(b"#!AMR\n" + b"\0" * 64, "audio/amr", self.clock())
        heard = {} if recognition is None else {"Recognition": recognition}
        return await self._message_of(
            openid, account, MsgType="voice", MediaId=media, Format="amr", **heard
        )

    async def video(self, openid: str, account: str | None = None) -> Delivery:
        """Send a video."""
        media = self._account(account).keep(b"\0\0\0\x18ftypmp42", "video/mp4", self.clock())
        return await self._message_of(
            openid, account, MsgType="video", MediaId=media, ThumbMediaId=media[:32]
        )

    async def location(
        self,
        openid: str,
        label: str = "上海市静安区南京西路1266号",
        account: str | None = None,
    ) -> Delivery:
        """Send a place."""
        return await self._message_of(
            openid,
            account,
            MsgType="location",
            Location_X=31.228,
            Location_Y=121.454,
            Scale=16,
            Label=label,
        )

    async def link(self, openid: str, title: str, url: str, account: str | None = None) -> Delivery:
        """Send a link."""
        return await self._message_of(
            openid, account, MsgType="link", Title=title, Description="", Url=url
        )

    async def press(self, openid: str, item: str, account: str | None = None) -> Delivery:
        """Press an item of the latest menu that has it.

        Args:
            openid: Who.
            item: Its id or its words.
            account: Id; the first one if not said.
        """
        found = self._account(account)
        for seen in reversed(found.customer(openid).seen):
            for menu_id, words in seen.items:
                if item in (menu_id, words):
                    if found.kind == "kf":
                        return await self.kf_write(openid, words, account, menu=menu_id)
                    back = menu_id if found.menu_ids else "0"
                    return await self.write(openid, words, account, bizmsgmenuid=back)
        raise LookupError(f"no menu with {item!r} was seen")

    async def again(self, delivery: Delivery) -> Delivery:
        """Give the desk the same message once more, as if the answer had been lost."""
        return await self._there(self._deliver(self.accounts[delivery.account], delivery.fields))

    async def follow(
        self, openid: str, scene: str | None = None, account: str | None = None
    ) -> Delivery:
        """Follow the account, with the QR code of a scene or without."""
        found = self._account(account)
        customer = found.customer(openid)
        customer.following = True
        customer.acted(self.clock())
        more = {"Ticket": "gQ" + openid} if scene else {}
        key = f"qrscene_{scene}" if scene else ""
        return await self._event(openid, account, Event="subscribe", EventKey=key, **more)

    async def unfollow(self, openid: str, account: str | None = None) -> Delivery:
        """Follow it no more."""
        self._account(account).customer(openid).following = False
        return await self._event(openid, account, Event="unsubscribe", EventKey="")

    async def scan(self, openid: str, code: str, account: str | None = None) -> Delivery:
        """Scan a QR code; who does not follow the account begins to.

        Args:
            openid: Who.
            code: The url in the QR code, or the scene itself.
            account: Id; the first one if not said.

        Raises:
            LookupError: The code is too old, or not of this account.
        """
        found = self._account(account)
        scene = code
        if code.startswith("http"):
            scene, until = found.scenes.get(code, ("", self.clock()))
            if self.clock() >= until:
                raise LookupError("二维码已过期")
        if openid not in found.customers or not found.customers[openid].following:
            return await self.follow(openid, scene, account)
        found.customers[openid].acted(self.clock())
        return await self._event(
            openid, account, Event="SCAN", EventKey=scene, Ticket="gQ" + openid
        )

    async def click(self, openid: str, key: str, account: str | None = None) -> Delivery:
        """Click on a menu of the account."""
        self._account(account).customer(openid).acted(self.clock())
        return await self._event(openid, account, Event="CLICK", EventKey=key)

    async def popup(
        self, openid: str, choices: Mapping[str, str], account: str | None = None
    ) -> Delivery:
        """Answer a pop-up for subscribe messages: `accept` or `reject` for each template."""
        customer = self._account(account).customer(openid)
        listed = []
        for template, choice in choices.items():
            more = 1 if choice == "accept" else 0
            customer.credits[template] = customer.credits.get(template, 0) + more
            listed.append(
                {"TemplateId": template, "SubscribeStatusString": choice, "PopupScene": "2"}
            )
        return await self._event(
            openid,
            account,
            Event="subscribe_msg_popup_event",
            SubscribeMsgPopupEvent={"List": listed},
        )

    async def change(self, openid: str, template: str, account: str | None = None) -> Delivery:
        """Take subscribe messages back in the settings of WeChat."""
        self._account(account).customer(openid).credits[template] = 0
        change = {"TemplateId": template, "SubscribeStatusString": "reject"}
        return await self._event(
            openid,
            account,
            Event="subscribe_msg_change_event",
            SubscribeMsgChangeEvent={"List": change},
        )

    async def job(
        self, openid: str, message: str, status: str = "success", account: str | None = None
    ) -> Delivery:
        """Tell how a template message has ended (TEMPLATESENDJOBFINISH)."""
        return await self._event(
            openid, account, Event="TEMPLATESENDJOBFINISH", MsgID=int(message), Status=status
        )

    async def event(self, openid: str, account: str | None = None, **fields: Any) -> Delivery:  # noqa: ANN401 - XML
        """Any other event."""
        return await self._event(openid, account, **fields)

    async def verify(self, account: str | None = None) -> bool:
        """Save the address of the callback in the console; whether the desk answers rightly."""
        return await self._there(self._caller.verify(self._account(account)))

    async def _message_of(self, openid: str, account: str | None, **fields: Any) -> Delivery:  # noqa: ANN401 - XML
        self._account(account).customer(openid).wrote(self.clock())
        whole = self.fields(openid, account, **fields)
        whole.setdefault("MsgId", self.next_message())
        return await self._there(self._deliver(self._account(account), whole))

    async def _event(self, openid: str, account: str | None, **fields: Any) -> Delivery:  # noqa: ANN401 - XML
        whole = self.fields(openid, account, MsgType="event", **fields)
        return await self._there(self._deliver(self._account(account), whole))

    async def _deliver(self, account: Account, fields: Fields) -> Delivery:
        delivery = await self._caller.deliver(account, fields)
        shown = account.customers.get(fields["FromUserName"])
        if shown and delivery.outcome == "passive" and delivery.text is not None:
            shown.seen.append(Seen("text", delivery.text, (), "passive", self.clock(), account.id))
            shown.exchanged_at, shown.typing_until = self.clock(), None
        elif shown and delivery.outcome == "unavailable" and _is_answered(fields):
            shown.seen.append(
                Seen("unavailable", rules.UNAVAILABLE, (), "wechat", self.clock(), account.id)
            )
        return delivery

    def _ended(self, account: Account, openid: str, how: str, message: str, template: str) -> None:
        """A template or subscribe message has gone; WeChat tells how it ended."""
        if account.ends is None or not self.desk:
            return
        if how == "template":
            self._aside(self.job(openid, message, account.ends, account.id))
            return
        status = "success" if account.ends == "success" else "failed"
        content = {
            "TemplateId": template,
            "MsgID": int(message),
            "ErrorCode": 0 if status == "success" else 1,
            "ErrorStatus": status,
        }
        self._aside(
            self._event(
                openid,
                account.id,
                Event="subscribe_msg_sent_event",
                SubscribeMsgSentEvent={"List": content},
            )
        )

    def comment(
        self,
        article: str,
        content: str,
        openid: str | None = None,
        account: str | None = None,
        at: datetime | None = None,
        reply: str | None = None,
    ) -> Comment:
        """Write under an article: `<msg_data_id>` or `<msg_data_id>:<place>`."""
        data, _, place = article.partition(":")
        self._comment += 1
        made = Comment(self._comment, openid, content, at or self.clock(), reply)
        listed = self._account(account).articles.setdefault((data, int(place or 0)), [])
        listed.append(made)
        return made


def _is_answered(fields: Fields) -> bool:
    """Whether the customer is told when there is no answer."""
    return fields.get("MsgType") != "event" or fields.get("Event") in ("CLICK", "SCAN", "subscribe")
