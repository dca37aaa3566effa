"""Signature and cipher around what WeChat posts to a callback, and around the replies."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import string
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wechatpy.crypto import PrpCrypto
from wechatpy.replies import TextReply

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming.parsing import BadMessageError, fields_of

MOST_BYTES = 256 * 1024
"""Of a body: in compatible mode WeChat's are three times as long as its messages."""

# WeChat signs its retries anew, so an older signature is someone else's.
_SECONDS = 300
_SIGNATURE = re.compile(r"[0-9a-f]{40}")
_TIMESTAMP = re.compile(r"[0-9]{9,11}")
_NONCE = re.compile(r"[!-~]{1,128}")
_ECHO_LENGTH = 1024
# No signature speaks for it, and it is given back: nothing that a browser could take for a page.
_PLAIN_ECHO = re.compile(r"[A-Za-z0-9+/=_-]{1,1024}")
_BLOCK = 16
_LONGEST_PADDING = 32
_ALPHABET = string.ascii_letters + string.digits
# What XML 1.0 has no way to say; WeChat's parser would refuse the whole reply.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Query = Mapping[str, Any]
"""The part of an address behind `?`; `get` gives a value or None."""


class BadEnvelopeError(ValueError):
    """Not from WeChat, or not for this account.

    Attributes:
        code: What is wrong with it, for logs; nothing of what came.
    """

    def __init__(self, code: str) -> None:
        """Remember what is wrong."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Opened:
    """What was in an envelope.

    Attributes:
        xml: The message, UTF-8; not parsed yet.
        key: Which of the account's keys opened it; None: it came without cipher.
    """

    xml: bytes
    key: int | None

    @property
    def plain(self) -> bool:
        """Whether it came without cipher."""
        return self.key is None


class _Crypto(PrpCrypto):  # type: ignore[misc]  # published without types
    """WeChat's cipher: wechatpy's, with strong random bytes and checks of what comes out.

    AES-256-CBC over 16 random bytes, the length (4 bytes, big-endian), the message and the id of
    the account, filled up to whole blocks of 32 (PKCS #7).
    """

    def get_random_string(self) -> str:
        """16 characters that nobody can foresee; wechatpy's come from a weak generator."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(_BLOCK))

    def open(self, cipher: bytes, app_id: str) -> bytes:
        """Decrypt, with all that can be wrong named by one error.

        Raises:
            BadEnvelopeError: Another key, another account, or no cipher at all.
        """
        if not cipher or len(cipher) % _BLOCK:
            raise BadEnvelopeError("no whole blocks")
        padded: bytes = self.cipher.decrypt(cipher)
        padding = padded[-1]
        if not 1 <= padding <= _LONGEST_PADDING or padded[-padding:] != bytes([padding]) * padding:
            raise BadEnvelopeError("padding")
        content = padded[_BLOCK:-padding]
        if len(content) < struct.calcsize("!I"):
            raise BadEnvelopeError("cut off")
        (length,) = struct.unpack_from("!I", content)
        message, owner = content[4 : 4 + length], content[4 + length :]
        if len(message) < length:
            raise BadEnvelopeError("cut off")
        if not hmac.compare_digest(owner, app_id.encode()):
            raise BadEnvelopeError("another account")
        return message


def verify_url(account: Account, query: Query, now: datetime) -> str:
    """Answer the question by which the console checks a callback's address.

    Args:
        account: Whose address.
        query: Of the GET.
        now: UTC.

    Returns:
        What the console wants to see. Official Accounts ask in plain in every mode, 微信客服
        always with cipher.

    Raises:
        BadEnvelopeError: The question does not come from WeChat.
    """
    echo = _given(query, "echostr")
    if account.official:
        _check_signature(account, query, "signature", now)
        if not _PLAIN_ECHO.fullmatch(echo):
            raise BadEnvelopeError("echostr")
        return echo
    if len(echo) > _ECHO_LENGTH:
        raise BadEnvelopeError("echostr")
    _check_signature(account, query, "msg_signature", now, echo)
    message, _ = _decrypted(account, echo)
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise BadEnvelopeError("echostr") from None


def open_envelope(account: Account, query: Query, body: bytes, now: datetime) -> Opened:
    """Take a message out of what was posted, once it is sure that WeChat has posted it.

    Args:
        account: At whose address.
        query: Of the POST.
        body: As it came.
        now: UTC.

    Returns:
        The message.

    Raises:
        BadEnvelopeError: Too large, a wrong or old signature, a cipher that none of the keys
            opens, the message of another account, or not in the mode of the account.
    """
    if len(body) > MOST_BYTES:
        raise BadEnvelopeError("too large")
    if not _sealed(account, query):
        _check_signature(account, query, "signature", now)
        return Opened(body, None)
    if not _SIGNATURE.fullmatch(_given(query, "msg_signature")):
        # Before anything of the body is read.
        raise BadEnvelopeError("msg_signature")
    try:
        cipher = fields_of(body).get("Encrypt")
    except BadMessageError as error:
        raise BadEnvelopeError(error.code) from None
    if not isinstance(cipher, str) or not cipher:
        raise BadEnvelopeError("no Encrypt")
    _check_signature(account, query, "msg_signature", now, cipher)
    return Opened(*_decrypted(account, cipher))


def seal_reply(account: Account, opened: Opened, xml: str, now: datetime) -> bytes:
    """Put a passive reply into an envelope like that of the message.

    Args:
        account: Who replies.
        opened: The message; its key closes the reply, since WeChat may not know another yet.
        xml: The reply.
        now: UTC.

    Returns:
        The body of the answer, UTF-8.
    """
    if opened.key is None:
        return xml.encode("utf-8")
    app_id = account.settings.app_id
    cipher: str = _crypto(account.aes_keys[opened.key]).encrypt(xml, app_id).decode("ascii")
    timestamp = str(int(now.timestamp()))
    nonce = str(secrets.randbelow(9 * 10**9) + 10**9)
    signature = sign(account.token, timestamp, nonce, cipher)
    return (
        f"<xml><Encrypt><![CDATA[{cipher}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp>"
        f"<Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ).encode("ascii")


def text_reply(message: Mapping[str, Any], text: str, now: datetime) -> str:
    """A text as the passive reply to a message.

    Args:
        message: Its fields.
        text: Whatever characters it holds, it stays one text.
        now: UTC.

    Returns:
        XML for `seal_reply`.
    """
    reply = TextReply(
        source=_inside(str(message.get("ToUserName", ""))),
        target=_inside(str(message.get("FromUserName", ""))),
        time=int(now.timestamp()),
        content=_inside(text),
    )
    xml: str = reply.render()
    return xml


def _inside(text: str) -> str:
    """A text between `<![CDATA[` and `]]>`, which wechatpy puts around it as it is."""
    return _UNSPEAKABLE.sub("\ufffd", text).replace("]]>", "]]]]><![CDATA[>")


def sign(*parts: str) -> str:
    """WeChat's signature: SHA-1 over the sorted parts (消息加解密说明), 40 hex digits."""
    joined = b"".join(sorted(part.encode("utf-8") for part in parts))
    # Given by WeChat; the token among the parts keeps it from being made by others.
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def _sealed(account: Account, query: Query) -> bool:
    """Whether a cipher has come, by the address; the account's mode has to allow it."""
    mode = account.settings.mode
    if not account.official:
        return True
    encrypted = _given(query, "encrypt_type") or "raw"
    if encrypted not in ("raw", "aes"):
        raise BadEnvelopeError("encrypt_type")
    sealed = encrypted == "aes"
    if (mode == "plain" and sealed) or (mode == "safe" and not sealed):
        raise BadEnvelopeError("mode")
    return sealed


def _check_signature(
    account: Account, query: Query, name: str, now: datetime, cipher: str | None = None
) -> None:
    given, timestamp = _given(query, name), _given(query, "timestamp")
    nonce = _given(query, "nonce")
    if not _SIGNATURE.fullmatch(given):
        raise BadEnvelopeError(name)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise BadEnvelopeError("timestamp")
    if not _NONCE.fullmatch(nonce):
        raise BadEnvelopeError("nonce")
    parts = [account.token, timestamp, nonce]
    if cipher is not None:
        parts.append(cipher)
    if not hmac.compare_digest(sign(*parts), given):
        raise BadEnvelopeError(name)
    if abs(int(timestamp) - now.timestamp()) > _SECONDS:
        raise BadEnvelopeError("old timestamp")


def _decrypted(account: Account, cipher: str) -> tuple[bytes, int]:
    """The message, and which key has opened it.

    Raises:
        BadEnvelopeError: None has; the code is that of the present key.
    """
    try:
        blocks = base64.b64decode(cipher.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadEnvelopeError("base64") from None
    first: BadEnvelopeError | None = None
    for place, key in enumerate(account.aes_keys):
        try:
            return _crypto(key).open(blocks, account.settings.app_id), place
        except BadEnvelopeError as error:
            first = first or error
    raise first or BadEnvelopeError("no key")


def _crypto(key: str) -> _Crypto:
    return _Crypto(base64.b64decode(key + "="))


def _given(query: Query, name: str) -> str:
    value = query.get(name)
    return value if isinstance(value, str) else ""
