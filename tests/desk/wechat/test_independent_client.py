"""Two ciphers from npm, which share no code with ours, and the desk understand each other."""

import os

import pytest

from desk.channels.wechat.incoming.envelope import open_envelope, seal_reply, text_reply, verify_url
from desk.channels.wechat.incoming.parsing import fields_of, inbound_of
from tests.desk.wechat.letters import (
    FORMER_KEY,
    KEY,
    NOW,
    TOKEN,
    Letter,
    account,
    safe_letter,
    text_xml,
)
from tests.support.wechat_npm.peer import LIBRARIES, AbsentError, Peer, install, unwire, wire

TEXTS = ["你好", "😡👨‍👩‍👧‍👦𠮷", "a" * 31, "b" * 32, "c" * 33, "投诉" * 3_000, "", "x ]] > <b>&"]
KINDS = ["official", "kf"]


@pytest.fixture(scope="module")
def peer() -> Peer:
    try:
        return install()
    except AbsentError as error:
        if os.environ.get("HUIXIN_REQUIRE_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def stamps() -> dict[str, str]:
    return {"token": TOKEN, "timestamp": str(int(NOW.timestamp())), "nonce": "1320562132"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_they_encrypt_is_read_with_either_key(peer: Peer, library: str, kind: str) -> None:
    ours = account("safe", kind, KEY, FORMER_KEY)
    app_id = ours.settings.app_id
    cases = [(key, place, text) for place, key in enumerate((KEY, FORMER_KEY)) for text in TEXTS]
    jobs = [
        {"library": library, "key": key, "id": app_id, "content": wire(text_xml(text)), **stamps()}
        for key, _, text in cases
    ]
    for (_, place, text), made in zip(cases, peer.run(jobs), strict=True):
        letter = safe_letter(made["cipher"])
        assert letter.query["msg_signature"] == made["signature"]
        opened = open_envelope(ours, letter.query, letter.body, NOW)
        assert opened.key == place
        assert opened.xml == text_xml(text).encode()
        if kind == "official":
            assert inbound_of(ours, fields_of(opened.xml)).text == text.strip()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_our_replies_are_read_by_them(peer: Peer, library: str, kind: str) -> None:
    ours = account("safe", kind, KEY, FORMER_KEY)
    app_id = ours.settings.app_id
    jobs, wanted = [], []
    for key in (KEY, FORMER_KEY):
        (asked,) = peer.run(
            [
                {
                    "library": library,
                    "key": key,
                    "id": app_id,
                    "content": wire(text_xml()),
                    **stamps(),
                }
            ]
        )
        letter = safe_letter(asked["cipher"])
        opened = open_envelope(ours, letter.query, letter.body, NOW)
        for text in TEXTS:
            xml = text_reply(fields_of(opened.xml), text, NOW)
            reply = fields_of(seal_reply(ours, opened, xml, NOW))
            jobs.append(
                {
                    "library": library,
                    "key": key,
                    "id": app_id,
                    "cipher": reply["Encrypt"],
                    "token": TOKEN,
                    "timestamp": reply["TimeStamp"],
                    "nonce": reply["Nonce"],
                }
            )
            wanted.append((xml, reply["MsgSignature"]))
    for (xml, signature), read in zip(wanted, peer.run(jobs), strict=True):
        assert unwire(read["content"]) == xml
        assert read["id"] == app_id
        assert read["signature"] == signature


@pytest.mark.parametrize("library", LIBRARIES)
def test_their_question_for_the_address_is_answered(peer: Peer, library: str) -> None:
    ours = account("safe", "kf")
    job = {"library": library, "key": KEY, "id": ours.settings.app_id, "content": wire("4811")}
    (made,) = peer.run([job | stamps()])
    letter = Letter(b"", made["cipher"], more={"echostr": made["cipher"]})
    assert letter.query["msg_signature"] == made["signature"]
    assert verify_url(ours, letter.query, NOW) == "4811"
