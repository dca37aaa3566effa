"""Envelopes as WeChat makes them, whole and spoilt, for accounts that exist in tests only."""

import base64
import os
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from desk.channels.wechat.accounts import Account
from recovery.wechat import WeChatAccount
from tests.support.wechat.sealing import signature

NOW = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)
APP_ID = "wx8f4c1d2e3b5a6970"
CORP_ID = "ww2b7c9d0e1f3a4658"
TOKEN = "callbackToken2026"
# The last of 43 letters carries two bits that mean nothing; WeChat's keys have them set as well.
KEY = "8pQ2zV5nR1xW7cK4mT9hY3jL6sD0fGaBeUiOwPqZrSN"
FORMER_KEY = "k3Jd8Hs6Fa1Lq0Wm5Zx2Cv7Bn4Rt9YpEiOuUgTjKlMd"
OPENID = "oABCDef-12_34567890abcdefghi"


def account(mode: str = "safe", kind: str = "official", *keys: str) -> Account:
    """An account with one key, or with those that are named."""
    keys = keys or ((KEY,) if mode != "plain" else ())
    settings: dict[str, Any] = {
        "id": "qinghe-service",
        "kind": kind,
        "business": "qinghe",
        "name": "青禾小铺",
        "app_id": APP_ID if kind == "official" else CORP_ID,
        "secret_env": "QINGHE_SECRET",
        "token_env": "QINGHE_TOKEN",
        "mode": mode,
    }
    if kind == "kf":
        settings["open_kfid"] = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
    if keys:
        settings["aes_key_env"] = "QINGHE_KEY"
    return Account(WeChatAccount(**settings), "app secret", TOKEN, keys)


def text_xml(content: str = "你好，菜是凉的😡", number: str = "24861938561028736") -> str:
    """A text message; what is in `content` must fit into CDATA."""
    return (
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"
        f"<FromUserName><![CDATA[{OPENID}]]></FromUserName>"
        f"<CreateTime>{int(NOW.timestamp())}</CreateTime>"
        "<MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content><MsgId>{number}</MsgId></xml>"
    )


def packed(message: bytes, app_id: str = APP_ID, *, length: int | None = None) -> bytes:
    """What is to be encrypted, before it is filled up."""
    said = len(message) if length is None else length
    return os.urandom(16) + struct.pack(">I", said) + message + app_id.encode()


def filled(content: bytes) -> bytes:
    """Filled up to whole blocks of 32."""
    missing = 32 - len(content) % 32
    return content + bytes([missing]) * missing


def encrypted(blocks: bytes, key: str = KEY) -> str:
    """The cipher of whole blocks, as it is."""
    raw = base64.b64decode(key + "=")
    engine = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(engine.update(blocks) + engine.finalize()).decode()


def cipher_of(xml: str, key: str = KEY, app_id: str = APP_ID) -> str:
    """A message as WeChat encrypts it."""
    return encrypted(filled(packed(xml.encode(), app_id)), key)


@dataclass
class Letter:
    """What is posted: everything in it can be spoilt before it is."""

    body: bytes
    cipher: str | None = None
    timestamp: str = str(int(NOW.timestamp()))
    nonce: str = "1320562132"
    token: str = TOKEN
    more: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """Signed as it stands."""
        signed = {
            "signature": signature(self.token, self.timestamp, self.nonce),
            "timestamp": self.timestamp,
            "nonce": self.nonce,
        }
        if self.cipher is not None:
            signed["encrypt_type"] = "aes"
            signed["msg_signature"] = signature(self.token, self.timestamp, self.nonce, self.cipher)
        return {**signed, **self.more}


def plain_letter(xml: str | bytes) -> Letter:
    """In plain."""
    return Letter(xml.encode() if isinstance(xml, str) else xml)


def safe_letter(cipher: str, beside: str = "") -> Letter:
    """A cipher; in compatible mode the plain fields stand beside it."""
    body = (
        f"<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>{beside}"
        f"<Encrypt><![CDATA[{cipher}]]></Encrypt></xml>"
    )
    return Letter(body.encode(), cipher)
