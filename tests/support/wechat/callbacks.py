"""WeChat towards the desk: messages and events, signed, sealed, cut off and tried again."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any

from tests.support.wechat import rules, sealing
from tests.support.wechat.client import Client, NoReplyError, Reply
from tests.support.wechat.sealing import BadAnswerError
from tests.support.wechat.world import Account, Clock

Fields = dict[str, Any]


@dataclass(frozen=True)
class Callback:
    """One attempt to tell the desk.

    Attributes:
        key: MsgId, or who, when and what of an event.
        seconds: How long it took.
        status: Of HTTP; 0: there was no answer.
    """

    account: str
    key: str
    attempt: int
    seconds: float
    status: int


@dataclass(frozen=True)
class Delivery:
    """How a message or an event has reached the desk.

    Attributes:
        account: Id.
        fields: As in the XML; the same go again when WeChat tries again.
        outcome: `passive`: the desk has answered with words; `accepted`: with nothing;
            `unavailable`: there was no answer that WeChat takes.
        text: The passive reply.
        attempts: How many there were.
        seconds: Of the last one.
    """

    account: str
    fields: Fields
    outcome: str
    text: str | None
    attempts: int
    seconds: float

    @property
    def key(self) -> str:
        """MsgId; empty for an event."""
        return str(self.fields.get("MsgId", ""))


class Caller:
    """Calls the desk back.

    Attributes:
        desk: Address of the desk, without a slash at the end.
        patience: Seconds until a connection is cut.
        calls: All attempts.
        wrong: What the desk has answered against the rules.
    """

    def __init__(self, clock: Clock, patience: float) -> None:
        self.desk = ""
        self.patience = patience
        self.calls: list[Callback] = []
        self.wrong: list[str] = []
        self._clock = clock
        self._client = Client()

    async def close(self) -> None:
        """End."""
        await self._client.close()

    def address(self, account: Account) -> str:
        """Of the callback of an account."""
        return account.address or f"{self.desk}/wechat/{account.id}"

    def letter(
        self, account: Account, fields: Fields, mode: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Query and body of a callback, as the account's mode has them."""
        mode = mode or account.mode
        stamp, nonce = str(int(self._clock().timestamp())), str(secrets.randbelow(10**10))
        query = {"timestamp": stamp, "nonce": nonce}
        if account.kind == "official":
            query["signature"] = sealing.signature(account.token, stamp, nonce)
            query["openid"] = str(fields.get("FromUserName", ""))
        content = sealing.xml(fields)
        if mode == "plain":
            return query, content.encode()
        sealed = sealing.encrypt(account.keys[account.key], content, account.app_id)
        query["msg_signature"] = sealing.signature(account.token, stamp, nonce, sealed)
        if account.kind == "official":
            query["encrypt_type"] = "aes"
            kept = fields if mode == "compatible" else {"ToUserName": fields["ToUserName"]}
            return query, sealing.xml({**kept, "Encrypt": sealed}).encode()
        return query, sealing.xml(
            {"ToUserName": account.app_id, "Encrypt": sealed, "AgentID": ""}
        ).encode()

    async def post(self, account: Account, query: dict[str, str], body: bytes) -> Reply:
        """Post once, without a cut.

        Raises:
            NoReplyError: There was no answer.
        """
        headers = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"}
        return await self._client.call("POST", self.address(account), query, body, headers)

    async def verify(self, account: Account) -> bool:
        """As the console does when the address is saved; whether the desk answers rightly."""
        stamp, nonce = str(int(self._clock().timestamp())), str(secrets.randbelow(10**10))
        word = str(secrets.randbelow(10**19))
        query = {"timestamp": stamp, "nonce": nonce, "echostr": word}
        if account.kind == "official":
            query["signature"] = sealing.signature(account.token, stamp, nonce)
        else:
            query["echostr"] = sealing.encrypt(account.keys[account.key], word, account.app_id)
            sign = sealing.signature(account.token, stamp, nonce, query["echostr"])
            query["msg_signature"] = sign
        answer = await self._client.call("GET", self.address(account), query, b"", {})
        return answer.status_code == 200 and answer.text == word

    async def deliver(self, account: Account, fields: Fields) -> Delivery:
        """Tell the desk, up to three times until it answers in time."""
        key = str(fields.get("MsgId") or f"{fields.get('FromUserName')}{fields['CreateTime']}")
        seconds, attempt = 0.0, 0
        for attempt in range(1, rules.ATTEMPTS + 1):
            query, body = self.letter(account, fields)
            began, status, response = time.monotonic(), 0, None
            try:
                async with asyncio.timeout(self.patience):
                    response = await self.post(account, query, body)
                    status = response.status_code
            except (TimeoutError, NoReplyError):
                pass
            seconds = time.monotonic() - began
            self.calls.append(Callback(account.id, key, attempt, seconds, status))
            if response is None or status != 200:
                # A refused connection is tried again at once; give a desk that starts a moment.
                await asyncio.sleep(0.05 if status == 0 else 0)
                continue
            try:
                text = self._reply(account, fields, response.content)
            except BadAnswerError as error:
                self.wrong.append(f"{account.id} {key}: {error}")
                break
            outcome = "accepted" if text is None else "passive"
            return Delivery(account.id, fields, outcome, text, attempt, seconds)
        return Delivery(account.id, fields, "unavailable", None, attempt, seconds)

    def _reply(self, account: Account, fields: Fields, content: bytes) -> str | None:
        """The words of a passive reply; None for `success`, for nothing, for a forwarding."""
        if content in (b"", b"success"):
            return None
        if account.kind != "official":
            raise BadAnswerError("only success is an answer to WeCom")
        reply = sealing.read_xml(content)
        if account.mode == "safe" and "Encrypt" not in reply:
            raise BadAnswerError("a plain reply in safe mode")
        if "Encrypt" in reply:
            if account.mode == "plain":
                raise BadAnswerError("a sealed reply in plain mode")
            parts = (reply.get("TimeStamp", ""), reply.get("Nonce", ""), reply["Encrypt"])
            if reply.get("MsgSignature") != sealing.signature(account.token, *parts):
                raise BadAnswerError("signature")
            opened = sealing.decrypt(account.keys[account.key], reply["Encrypt"], account.app_id)
            reply = sealing.read_xml(opened)
        ends = (reply.get("ToUserName"), reply.get("FromUserName"))
        if ends != (fields["FromUserName"], fields["ToUserName"]):
            raise BadAnswerError("from or to somebody else")
        if not reply.get("CreateTime", "").isdigit():
            raise BadAnswerError("CreateTime")
        if reply.get("MsgType") == "transfer_customer_service":
            return None
        text = reply.get("Content", "")
        if reply.get("MsgType") != "text" or not text.strip():
            raise BadAnswerError("no text")
        if len(text.encode()) > rules.TEXT_BYTES:
            raise BadAnswerError("too long")
        return text
