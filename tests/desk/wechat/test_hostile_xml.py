"""Whatever is posted to a callback is a message, or is refused: nothing else happens."""

import base64
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desk.channels.wechat.incoming.envelope import (
    MOST_BYTES,
    BadEnvelopeError,
    open_envelope,
    verify_url,
)
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.incoming.parsing import BadMessageError, fields_of, inbound_of
from tests.desk.wechat.letters import (
    NOW,
    OPENID,
    Letter,
    account,
    cipher_of,
    encrypted,
    filled,
    packed,
    plain_letter,
    safe_letter,
    text_xml,
)
from tests.desk.wechat.scene import ACCOUNT, Scene

ACCOUNTS = [account("plain"), account("compatible"), account("safe"), account("safe", "kf")]
# An audit hook cannot be taken off again, so one stays and looks here.
_watched: list[list[str]] = []
_hooked: list[bool] = []


def read(letter: Letter, mode: str = "plain") -> Inbound:
    ours = account(mode)
    opened = open_envelope(ours, letter.query, letter.body, NOW)
    return inbound_of(ours, fields_of(opened.xml))


def refused(xml: str | bytes) -> str:
    """Refused in plain as well as inside a cipher; the code says why."""
    raw = xml.encode() if isinstance(xml, str) else xml
    with pytest.raises(BadMessageError) as caught:
        read(plain_letter(raw))
    with pytest.raises((BadMessageError, BadEnvelopeError)):
        read(safe_letter(encrypted(filled(packed(raw)))), "safe")
    return caught.value.code


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """What is opened or connected to within the block."""
    here = get_ident()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if (
            _watched
            and get_ident() == here
            and event in ("open", "socket.connect", "socket.getaddrinfo", "urllib.Request")
        ):
            _watched[-1].append(f"{event} {arguments[0]}")

    if not _hooked:
        sys.addaudithook(hook)
        _hooked.append(True)
    _watched.append([])
    try:
        yield _watched[-1]
    finally:
        _watched.pop()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("TOP-SECRET-CONTENT", "utf-8")
    return path


def with_dtd(dtd: str, content: str) -> str:
    return f'<?xml version="1.0"?><!DOCTYPE xml {dtd}>' + text_xml("X").replace(
        "<![CDATA[X]]>", content
    )


def test_no_file_is_read_and_nothing_is_connected_to(secret: Path) -> None:
    assert read(plain_letter(text_xml()))  # what is imported at first use is imported now
    texts = [
        with_dtd(f'[<!ENTITY x SYSTEM "file://{secret}">]', "&x;"),
        with_dtd(f'[<!ENTITY x SYSTEM "{secret}">]', "&x;"),
        with_dtd(f'[<!ENTITY x PUBLIC "p" "file://{secret}">]', "&x;"),
        with_dtd(f'[<!ENTITY % x SYSTEM "file://{secret}"> %x;]', "1"),
        with_dtd(f'SYSTEM "file://{secret}"', "1"),
        with_dtd('SYSTEM "http://127.0.0.1:9/evil.dtd"', "1"),
        with_dtd('[<!ENTITY x SYSTEM "http://127.0.0.1:9/">]', "&x;"),
        with_dtd(f'[<!ENTITY x SYSTEM "file://{secret}" NDATA n>]', "1"),
        with_dtd(f'[<!ATTLIST xml a CDATA #FIXED "{secret}">]', "1"),
    ]
    for text in texts:
        with opened_files() as opened:
            code = refused(text)
        assert opened == []
        assert "dtd" in code
        assert "TOP-SECRET" not in code
    # Not a DTD: XInclude and style sheets are words to us.
    include = f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file://{secret}"/>'
    style = f'<?xml-stylesheet href="file://{secret}"?>'
    with opened_files() as opened:
        fields = fields_of((style + text_xml("X").replace("<MsgId>", include + "<MsgId>")).encode())
    assert opened == []
    assert "TOP-SECRET" not in repr(fields)


def test_entities_do_not_multiply() -> None:
    laughs = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11)
    )
    assert "dtd" in refused(with_dtd(f"[{laughs}]", "&a10;"))
    blowup = f'<!ENTITY a "{"x" * 50_000}">'
    assert "dtd" in refused(with_dtd(f"[{blowup}]", "&a;" * 5_000))
    assert "dtd" in refused(with_dtd('[<!ENTITY a "&b;"><!ENTITY b "&a;">]', "&a;"))
    # Without any DTD there is nothing that could be expanded.
    assert "well-formed" in refused(text_xml("X").replace("<![CDATA[X]]>", "&a;"))


def test_the_envelope_around_a_cipher_is_read_as_carefully(secret: Path) -> None:
    cipher = cipher_of(text_xml())
    for dtd in (f'[<!ENTITY e SYSTEM "file://{secret}">]', f'SYSTEM "file://{secret}"'):
        body = f"<!DOCTYPE xml {dtd}><xml><Encrypt>{cipher}</Encrypt></xml>"
        letter = Letter(body.encode(), cipher)
        with opened_files() as opened, pytest.raises(BadEnvelopeError, match="dtd"):
            open_envelope(account("safe"), letter.query, letter.body, NOW)
        assert opened == []


@pytest.mark.parametrize("depth", [7, 1_000, 80_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    deep = "<a>" * depth
    assert len(deep) <= MOST_BYTES
    assert refused(f"<xml>{deep}") == "xml too deep"
    whole = f"<xml>{'<a>' * depth}{'</a>' * depth}</xml>".encode()
    with pytest.raises(BadMessageError):
        fields_of(whole)


def test_crowds_of_elements_are_refused() -> None:
    assert refused(f"<xml>{'<a/>' * 50_000}</xml>") == "xml too large"
    assert refused(f"<xml><{'n' * 100_000}/></xml>") == "xml too large"


def test_large_attributes_mean_nothing() -> None:
    many = "".join(f' a{n}="{n}"' for n in range(10_000))
    large = f' a="{"x" * 200_000}"'
    for attributes in (many, large):
        xml = text_xml("好").replace("<Content>", f"<Content{attributes}>")
        assert read(plain_letter(xml)).text == "好"


def test_a_megabyte_is_refused_unread() -> None:
    text = text_xml("长" * 350_000)
    assert len(text.encode()) > 1_000_000
    for letter, mode in (
        (plain_letter(text), "plain"),
        (safe_letter(cipher_of(text)), "safe"),
    ):
        with pytest.raises(BadEnvelopeError, match="too large"):
            read(letter, mode)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"<xml>\x00</xml>",
        b"<xml><Content>\xff\xfe</Content></xml>",
        b"<xml><Content>\xed\xa0\x80</Content></xml>",  # a surrogate
        b"<xml><Content>\xc0\xaf</Content></xml>",  # an overlong slash
        b"<xml><Content>\xf4\x90\x80\x80</Content></xml>",  # past the last character
        b"<xml><Content>&#0;</Content></xml>",
        b"<xml><Content>&#xD800;</Content></xml>",
        b"<xml><Content>&#x110000;</Content></xml>",
        b"<xml><Content>\x1b[31m</Content></xml>",
        "<xml><Content>好</Content></xml>".encode("utf-16"),
        "<xml><Content>好</Content></xml>".encode("gb18030"),
        b"<xml><Content>",
        b"<xml></xml><xml></xml>",
        b"<html></html>",
        b"<xml/>",
        b"<xml>text</xml>",
        b'{"xml": 1}',
        b"<xml xmlns='x'><a/></xml>",
    ],
)
def test_texts_that_are_none_are_refused(raw: bytes) -> None:
    assert refused(raw)


@pytest.mark.parametrize("encoding", ["gbk", "utf-7", "utf-16", "rot13", "zlib", "nowhere", "idna"])
def test_a_declared_encoding_chooses_no_codec(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    assert read(plain_letter(declared + text_xml("好😀"))).text == "好😀"


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "𠮷野家",
        "👨‍👩‍👧‍👦",
        "é",
        "\u202e倒",
        "\U0010fffd",
        "&lt;b&gt;",
        "</Content>",
        "' OR 1=1",
    ],
)
def test_whatever_customers_write_arrives_as_written(text: str) -> None:
    assert read(plain_letter(text_xml(text))).text == text
    assert read(safe_letter(cipher_of(text_xml(text))), "safe").text == text


def attempt(letter: Letter) -> None:
    """Post it to every kind of account; only the errors that are for it may come."""
    for ours in ACCOUNTS:
        try:
            opened = open_envelope(ours, letter.query, letter.body, NOW)
            inbound_of(ours, fields_of(opened.xml))
        except (BadEnvelopeError, BadMessageError):
            pass


@given(st.binary(max_size=400))
@example(b"<xml>" + b"<a>" * 100)
def test_random_bodies(body: bytes) -> None:
    attempt(plain_letter(body))
    attempt(Letter(body, "QUJD"))


@given(st.binary(max_size=400))
def test_random_bytes_inside_a_cipher(content: bytes) -> None:
    attempt(safe_letter(encrypted(filled(packed(content)))))
    blocks = content + b"\0" * (-len(content) % 16)
    attempt(safe_letter(encrypted(blocks)))
    attempt(safe_letter(base64.b64encode(content).decode()))


@given(st.text(max_size=200))
def test_random_ciphers(cipher: str) -> None:
    letter = Letter(b"", cipher.encode("utf-8", "replace").decode())
    letter.body = f"<xml><Encrypt><![CDATA[{letter.cipher}]]></Encrypt></xml>".encode()
    attempt(letter)


WHOLE = safe_letter(cipher_of(text_xml()))
PLAIN = plain_letter(text_xml())


@given(st.sampled_from([WHOLE, PLAIN]), st.integers(0, 2000))
def test_bodies_that_are_cut_off(whole: Letter, length: int) -> None:
    letter = Letter(whole.body[: length % len(whole.body)], whole.cipher)
    attempt(letter)
    if whole is WHOLE:
        with pytest.raises(BadEnvelopeError):
            open_envelope(account("safe"), letter.query, letter.body, NOW)


@given(st.sampled_from([WHOLE, PLAIN]), st.data())
@settings(max_examples=200)
def test_bodies_that_were_changed(whole: Letter, data: st.DataObject) -> None:
    body = bytearray(whole.body)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not body:
            break
    attempt(Letter(bytes(body), whole.cipher))


@given(st.integers(0, len(text_xml().encode()) + 60), st.integers(1, 255))
def test_a_cipher_that_was_changed_is_never_believed(place: int, flip: int) -> None:
    raw = bytearray(base64.b64decode(cipher_of(text_xml())))
    raw[place % len(raw)] ^= flip
    changed = safe_letter(base64.b64encode(raw).decode())
    changed.more = {"msg_signature": WHOLE.query["msg_signature"]}
    with pytest.raises(BadEnvelopeError):
        open_envelope(account("safe"), changed.query, changed.body, NOW)


ODD = st.text(max_size=60) | st.none() | st.lists(st.text(max_size=5), max_size=2)


@given(
    st.dictionaries(
        st.sampled_from("signature msg_signature timestamp nonce encrypt_type echostr".split()), ODD
    )
)
def test_random_addresses(query: dict[str, Any]) -> None:
    for ours in ACCOUNTS:
        with pytest.raises(BadEnvelopeError):
            open_envelope(ours, query, WHOLE.body, NOW)
        with pytest.raises(BadEnvelopeError):
            verify_url(ours, query, NOW)


def test_a_thousand_hostile_posts_leave_no_file_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(1_000):
        attempt(plain_letter(f"<!DOCTYPE x SYSTEM 'file:///{number}'><xml>{OPENID}</xml>"))
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_hostile_posts_over_http_change_nothing(scene: Scene) -> None:
    """The desk refuses them quietly, and serves on."""
    path = f"/wechat/{ACCOUNT}"
    whole = {"encrypt_type": "aes", "msg_signature": "0" * 40, "nonce": "1", "signature": "0" * 40}
    whole["timestamp"] = str(int(scene.clock().timestamp()))
    bodies = [b"", b"\x00" * 100, b"<xml>" * 1_000, WHOLE.body, b"x" * 1024 * 1024, b"{" * 200_000]
    async with httpx.AsyncClient(base_url=scene.desk.url, timeout=20, trust_env=False) as http:
        for body in bodies:
            for query in (
                {},
                whole,
                {"signature": ["a", "b"]},
                {"nonce": "\x00", "echostr": "<b>"},
            ):
                answer = await http.post(path, params=query, content=body)
                assert answer.status_code == (413 if len(body) > MOST_BYTES else 403)
                if answer.status_code == 403:
                    assert answer.content == b""
        answer = await http.get(path, params={**whole, "echostr": "<script>alert(1)</script>"})
        assert (answer.status_code, answer.content) == (403, b"")
        for other in (
            "/wechat/nobody",
            "/wechat/%00",
            "/wechat/..%2f..%2fetc%2fpasswd",
            "/wechat/",
        ):
            assert (await http.post(other, content=WHOLE.body)).status_code in (404, 405)
    assert scene.received() == []
    delivery = await scene.double.write("o-lan", "在吗")
    assert delivery.outcome in ("passive", "accepted")
    assert len(scene.received()) == 1
