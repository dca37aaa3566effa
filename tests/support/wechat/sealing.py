"""Signatures, cipher and XML as WeChat makes them; shares no code with the desk."""

import base64
import hashlib
import os
import re
import struct
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32


class BadAnswerError(Exception):
    """What the desk has answered is nothing that WeChat takes."""


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - WeChat's choice


def new_key() -> str:
    """An EncodingAESKey: 43 letters and digits that are 32 bytes."""
    while True:
        key = base64.b64encode(os.urandom(32)).decode()[:43]
        if key.isalnum():
            # The last letter carries four bits only; decoders that are strict want the rest zero.
            return base64.b64encode(base64.b64decode(key + "=")).decode()[:43]


def _cipher(key: str) -> Cipher[modes.CBC]:
    raw = base64.b64decode(key + "=")
    return Cipher(algorithms.AES(raw), modes.CBC(raw[:16]))


def encrypt(key: str, content: str, app_id: str) -> str:
    """16 random bytes, length, content, AppID; PKCS#7 to 32 bytes; AES-256-CBC; base64."""
    body = content.encode()
    whole = os.urandom(16) + struct.pack(">I", len(body)) + body + app_id.encode()
    missing = _BLOCK - len(whole) % _BLOCK
    engine = _cipher(key).encryptor()
    sealed = engine.update(whole + bytes([missing]) * missing) + engine.finalize()
    return base64.b64encode(sealed).decode()


def decrypt(key: str, sealed: str, app_id: str) -> str:
    """Open what `encrypt`, or the desk, has made.

    Raises:
        BadAnswerError: Another key, another AppID, or no such thing at all.
    """
    try:
        engine = _cipher(key).decryptor()
        whole = engine.update(base64.b64decode(sealed, validate=True)) + engine.finalize()
        missing = whole[-1]
        if not 1 <= missing <= _BLOCK or whole[-missing:] != bytes([missing]) * missing:
            raise BadAnswerError("padding")
        body = whole[16:-missing]
        (size,) = struct.unpack(">I", body[:4])
        if body[4 + size :].decode() != app_id:
            raise BadAnswerError("AppID")
        return body[4 : 4 + size].decode()
    except (ValueError, IndexError, struct.error) as error:
        raise BadAnswerError(f"cipher: {error}") from error


def xml(fields: Mapping[str, Any]) -> str:
    """Fields as WeChat writes them: numbers plain, words in CDATA, maps and lists nested."""
    return f"<xml>{_inner(fields)}</xml>"


def _inner(fields: Mapping[str, Any]) -> str:
    parts = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(f"<{name}>{_value(one)}</{name}>")
    return "".join(parts)


def _value(value: Any) -> str:  # noqa: ANN401 - whatever a field holds
    if isinstance(value, Mapping):
        return _inner(value)
    if isinstance(value, (int, float)):
        return str(value)
    # Control characters that XML cannot hold never leave WeChat.
    clean = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", str(value))
    return "<![CDATA[" + clean.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def read_xml(content: bytes | str) -> dict[str, str]:
    """The fields of the desk's answer, nested ones as `Image.MediaId`.

    Raises:
        BadAnswerError: It is no XML of WeChat's kind.
    """
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - of the desk under test
    except ElementTree.ParseError as error:
        raise BadAnswerError(f"XML: {error}") from error
    if root.tag != "xml":
        raise BadAnswerError(f"<{root.tag}> instead of <xml>")
    found = {}
    for one in root:
        found[one.tag] = one.text or ""
        found.update({f"{one.tag}.{below.tag}": below.text or "" for below in one})
    return found
