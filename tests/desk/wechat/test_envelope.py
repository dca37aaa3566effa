"""What an account accepts as coming from WeChat, and what it sends back."""

from datetime import timedelta

import pytest

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming.envelope import (
    MOST_BYTES,
    BadEnvelopeError,
    open_envelope,
    seal_reply,
    text_reply,
    verify_url,
)
from desk.channels.wechat.incoming.parsing import fields_of
from tests.desk.wechat.letters import (
    APP_ID,
    CORP_ID,
    FORMER_KEY,
    KEY,
    NOW,
    TOKEN,
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
from tests.support.wechat.sealing import decrypt, signature

MODES = ("plain", "compatible", "safe")


def opened(of: Account, letter: Letter) -> bytes:
    return open_envelope(of, letter.query, letter.body, NOW).xml


def refused(of: Account, letter: Letter) -> str:
    with pytest.raises(BadEnvelopeError) as caught:
        open_envelope(of, letter.query, letter.body, NOW)
    return caught.value.code


@pytest.mark.parametrize("mode", MODES)
def test_the_console_checks_the_address_of_an_official_account_in_plain(mode: str) -> None:
    letter = Letter(b"", more={"echostr": "5836284691236598745"})
    assert verify_url(account(mode), letter.query, NOW) == "5836284691236598745"


def test_the_console_checks_the_address_of_a_kf_account_with_cipher() -> None:
    cipher = cipher_of("1616140317555161061", app_id=CORP_ID)
    letter = Letter(b"", cipher, more={"echostr": cipher})
    assert verify_url(account("safe", "kf"), letter.query, NOW) == "1616140317555161061"


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce", "echostr"])
@pytest.mark.parametrize("value", [None, "", "x y", "x" * 5000, "<script>", "签名", "\x00", "1\n"])
def test_an_address_is_not_confirmed_to_whoever_asks(name: str, value: str | None) -> None:
    asked: dict[str, str | None] = {**Letter(b"", more={"echostr": "58"}).query, name: value}
    with pytest.raises(BadEnvelopeError):
        verify_url(account("safe"), asked, NOW)


def test_a_kf_address_is_not_confirmed_for_another_company() -> None:
    cipher = cipher_of("1616140317555161061", app_id="ww0000000000000000")
    with pytest.raises(BadEnvelopeError):
        verify_url(account("safe", "kf"), Letter(b"", cipher, more={"echostr": cipher}).query, NOW)


def test_plain_mode_takes_plain_messages_and_replies_in_plain() -> None:
    ours = account("plain")
    letter = plain_letter(text_xml())
    envelope = open_envelope(ours, letter.query, letter.body, NOW)
    assert envelope.plain
    assert envelope.xml == text_xml().encode()
    assert seal_reply(ours, envelope, "<xml/>", NOW) == b"<xml/>"
    assert refused(ours, safe_letter(cipher_of(text_xml()))) == "mode"


def test_raw_is_another_word_for_plain() -> None:
    letter = plain_letter(text_xml())
    letter.more = {"encrypt_type": "raw"}
    assert opened(account("compatible"), letter) == text_xml().encode()
    letter.more = {"encrypt_type": "rot13"}
    assert refused(account("compatible"), letter) == "encrypt_type"


def test_safe_mode_takes_no_plain_messages() -> None:
    assert refused(account("safe"), plain_letter(text_xml())) == "mode"
    assert opened(account("safe"), safe_letter(cipher_of(text_xml()))) == text_xml().encode()


def test_compatible_mode_believes_the_cipher_and_not_what_stands_beside_it() -> None:
    beside = "<Content><![CDATA[给我退款一万元]]></Content>"
    letter = safe_letter(cipher_of(text_xml("你好")), beside)
    assert fields_of(opened(account("compatible"), letter))["Content"] == "你好"


@pytest.mark.parametrize("kind", ["official", "kf"])
def test_the_key_that_opened_a_message_closes_the_reply(kind: str) -> None:
    ours = account("safe", kind, KEY, FORMER_KEY)
    app_id = ours.settings.app_id
    for key in (KEY, FORMER_KEY):
        letter = safe_letter(cipher_of(text_xml(), key, app_id))
        envelope = open_envelope(ours, letter.query, letter.body, NOW)
        assert envelope.xml == text_xml().encode()
        reply = fields_of(seal_reply(ours, envelope, "<xml>收到😀</xml>", NOW))
        assert decrypt(key, reply["Encrypt"], app_id) == "<xml>收到😀</xml>"
        assert reply["MsgSignature"] == signature(
            TOKEN, reply["TimeStamp"], reply["Nonce"], reply["Encrypt"]
        )


def test_a_key_that_was_never_ours_opens_nothing() -> None:
    assert refused(account("safe"), safe_letter(cipher_of(text_xml(), FORMER_KEY))) == "padding"


def test_the_same_reply_is_never_encrypted_the_same_way_twice() -> None:
    ours = account("safe")
    letter = safe_letter(cipher_of(text_xml()))
    envelope = open_envelope(ours, letter.query, letter.body, NOW)
    assert len({seal_reply(ours, envelope, "<xml/>", NOW) for _ in range(20)}) == 20


def test_a_message_of_another_account_is_refused() -> None:
    for other in ("wx0000000000000000", APP_ID + "0", APP_ID[:-1], "", APP_ID.upper(), "微信"):
        letter = safe_letter(cipher_of(text_xml(), app_id=other))
        assert refused(account("safe"), letter) == "another account"


@pytest.mark.parametrize("mode", MODES)
def test_a_signature_by_another_token_is_refused(mode: str) -> None:
    letter = plain_letter(text_xml()) if mode == "plain" else safe_letter(cipher_of(text_xml()))
    letter.token = "guessed"
    assert refused(account(mode), letter) in ("signature", "msg_signature")


def test_the_signature_of_a_cipher_speaks_for_this_cipher_only() -> None:
    ours, letter = account("safe"), safe_letter(cipher_of(text_xml("第一")))
    other = safe_letter(cipher_of(text_xml("第二")))
    with pytest.raises(BadEnvelopeError, match="msg_signature"):
        open_envelope(ours, letter.query, other.body, NOW)
    # The plain signature, which WeChat sends too, speaks for no cipher.
    letter.more = {"msg_signature": letter.query["signature"]}
    assert refused(ours, letter) == "msg_signature"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("aside", [301, 3_600, 10**8])
def test_old_and_future_messages_are_refused(mode: str, aside: int) -> None:
    for moment in (NOW - timedelta(seconds=aside), NOW + timedelta(seconds=aside)):
        letter = plain_letter(text_xml()) if mode == "plain" else safe_letter(cipher_of(text_xml()))
        letter.timestamp = str(int(moment.timestamp()))
        assert refused(account(mode), letter) == "old timestamp"


def test_clocks_may_differ_by_some_minutes() -> None:
    for aside in (-299, 299):
        letter = safe_letter(cipher_of(text_xml()))
        letter.timestamp = str(int(NOW.timestamp()) + aside)
        assert opened(account("safe"), letter)


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "１７７２０２０２２０", "9" * 40, " 1772"])
def test_a_timestamp_is_a_number_of_seconds(timestamp: str) -> None:
    letter = safe_letter(cipher_of(text_xml()))
    letter.timestamp = timestamp
    assert refused(account("safe"), letter) == "timestamp"


@pytest.mark.parametrize("nonce", ["", "n" * 129, "随机", "a b", "a\nb"])
def test_a_nonce_is_short_and_printable(nonce: str) -> None:
    letter = safe_letter(cipher_of(text_xml()))
    letter.nonce = nonce
    assert refused(account("safe"), letter) == "nonce"


def test_a_body_may_be_256_kb_and_not_a_byte_more() -> None:
    ours = account("plain")
    assert len(opened(ours, plain_letter(b" " * MOST_BYTES))) == MOST_BYTES
    assert refused(ours, plain_letter(b" " * (MOST_BYTES + 1))) == "too large"
    assert refused(account("safe"), plain_letter(b"<" * 1024 * 1024)) == "too large"


def test_wrong_paddings_are_refused() -> None:
    whole = filled(packed(text_xml().encode()))
    for last in (0, 33, 64, 255):
        spoilt = safe_letter(encrypted(whole[:-1] + bytes([last])))
        assert refused(account("safe"), spoilt) == "padding"
    uneven = whole[:-32] + b"\x01" * 31 + b"\x20"
    assert refused(account("safe"), safe_letter(encrypted(uneven))) == "padding"


def test_wrong_lengths_inside_the_cipher_are_refused() -> None:
    ours = account("safe")
    message = text_xml().encode()
    for length in (len(message) + 100, 2**32 - 1):
        letter = safe_letter(encrypted(filled(packed(message, length=length))))
        assert refused(ours, letter) == "cut off"
    for length in (0, len(message) - 1):
        letter = safe_letter(encrypted(filled(packed(message, length=length))))
        assert refused(ours, letter) == "another account"
    assert refused(ours, safe_letter(encrypted(filled(b"short")))) == "cut off"
    assert refused(ours, safe_letter(encrypted(b"\x20" * 32))) == "cut off"


@pytest.mark.parametrize("cipher", ["!", "QUJD", "QQ", "密文", "QUJD" * 3 + "QUJ="])
def test_what_is_no_cipher_is_refused(cipher: str) -> None:
    assert refused(account("safe"), safe_letter(cipher)) in ("base64", "no whole blocks")


def test_a_cipher_has_to_be_there_once() -> None:
    ours = account("safe")
    cipher = cipher_of(text_xml())
    twice = safe_letter(cipher, f"<Encrypt>{cipher}</Encrypt>")
    assert refused(ours, twice) == "no Encrypt"
    for body in (b"", b"<xml></xml>", b"<xml><Encrypt/></xml>", b"{}"):
        assert refused(ours, Letter(body, cipher))


def test_codes_tell_nothing_of_what_came() -> None:
    secret = "qwertyuiop"
    letter = safe_letter(cipher_of(f"<xml>{secret}</xml>", app_id=secret))
    with pytest.raises(BadEnvelopeError) as caught:
        open_envelope(account("safe"), letter.query, letter.body, NOW)
    assert secret not in str(caught.value)
    assert TOKEN not in repr(account("safe"))
    assert KEY not in repr(account("safe"))


@pytest.mark.parametrize(
    "text", ["您好😀，已收到", "a]]>b]]>", "<b>&amp;</b>", "一\n二\t三", "]]]]>>", "‮倒‬"]
)
def test_a_reply_says_exactly_what_it_was_given(text: str) -> None:
    xml = text_reply(fields_of(text_xml().encode()), text, NOW)
    reply = fields_of(xml.encode())
    assert reply["Content"] == text
    assert reply["FromUserName"] == "gh_0123456789ab"
    assert reply["ToUserName"].startswith("oABC")
    assert reply["CreateTime"] == str(int(NOW.timestamp()))
    assert reply["MsgType"] == "text"


def test_characters_that_xml_cannot_say_do_not_break_a_reply() -> None:
    xml = text_reply(fields_of(text_xml().encode()), "a\x00b\x1bc\ud800d\ufffe", NOW)
    assert fields_of(xml.encode())["Content"] == "a\ufffdb\ufffdc\ufffdd\ufffd"
