"""The contract "Desk -> Rasa" of docs/architecture.md, over HTTP with a real Rasa."""

import json
import random
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.bot.process import RasaProcess
from tests.bot.standin import (
    PATIENCE,
    TOKEN,
    Actions,
    Client,
    Gate,
    message,
    payload,
    sorry,
    utter,
)

ANGRY_SORRY = {
    "房间没打扫这样的事本不该发生，我们向您道歉。",
    "您为房间没打扫生气完全应该，是我们的错。",
}


def test_answers_with_words_commands_and_what_was_understood(client: Client, sender: str) -> None:
    answer = client.say(sender, "房间根本没打扫", "m1")

    assert answer.status == 200
    words, custom = answer.content["messages"]
    assert words["text"] in ANGRY_SORRY
    assert words["buttons"] == []
    assert words["response"] == "utter_sorry"
    assert len(words["variant"]) == 10
    assert custom == {"custom": {"commands": [{"do": "open_case", "case": "m1"}]}}
    understood = answer.content["understood"]
    assert understood["text"] == "房间根本没打扫"
    assert understood["intent"]["name"] == "complain"
    assert 0 < understood["intent"]["confidence"] <= 1
    assert understood["emotion"].keys() == {"anger", "score", "probabilities", "signals", "flags"}
    assert answer.content["repeated"] is False
    assert "failed" not in answer.content


def test_hears_entities(client: Client, sender: str) -> None:
    answer = client.say(sender, "订单SX20261122的东西坏了")

    found = [(e["entity"], e["value"]) for e in answer.content["understood"]["entities"]]
    assert found == [("order_number", "SX20261122")]


def test_hands_buttons_on(client: Client, actions: Actions, sender: str) -> None:
    actions.on(sender, lambda _: (200, {"events": [], "responses": [utter("utter_next")]}))

    answer = client.say(sender, "房间根本没打扫")

    assert answer.content["messages"][0]["buttons"] == [{"title": "好的", "payload": "ok"}]


def test_the_same_message_again_changes_nothing(
    client: Client, actions: Actions, sender: str
) -> None:
    first = client.say(sender, "房间根本没打扫", "m1")
    client.say(sender, "太差了", "m2")
    asked = len(actions.of(sender))

    again = client.say(sender, "房间根本没打扫", "m1")

    assert again.content == {**first.content, "repeated": True}
    assert len(actions.of(sender)) == asked
    third = client.say(sender, "你好", "m3")
    assert third.content["repeated"] is False


def test_two_at_once_are_answered_one_after_the_other(
    client: Client, actions: Actions, sender: str
) -> None:
    gate = Gate()
    actions.on(sender, gate)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.say, sender, "房间根本没打扫", "m1")
        assert gate.reached.wait(PATIENCE)
        second = pool.submit(client.say, sender, "房间根本没打扫", "m1")
        # Somebody else need not wait for this conversation.
        assert client.say(f"{sender}1", "你好").status == 200
        assert not second.done()
        gate.opened.set()
        answers = [first.result(PATIENCE), second.result(PATIENCE)]

    assert [answer.content["repeated"] for answer in answers] == [False, True]
    assert answers[0].content["messages"] == answers[1].content["messages"]
    assert len(actions.of(sender)) == 1


def test_a_desk_that_hangs_up_does_not_lose_the_turn(
    client: Client, actions: Actions, sender: str
) -> None:
    gate = Gate()
    actions.on(sender, gate)
    body = json.dumps(message(sender, "房间根本没打扫", "m1")).encode()
    with socket.create_connection(("127.0.0.1", client.port), timeout=PATIENCE) as desk:
        desk.sendall(
            b"POST /desk/messages HTTP/1.1\r\nHost: rasa\r\n"
            + f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        assert gate.reached.wait(PATIENCE)
    # The server has seen the closed connection before it answers another one on a new one.
    assert client.ask("GET", "/healthz").status == 200
    gate.opened.set()

    again = client.say(sender, "房间根本没打扫", "m1")

    assert again.content["repeated"] is True
    assert again.content["messages"][0]["text"] in ANGRY_SORRY
    assert len(actions.of(sender)) == 1


def test_the_desk_is_right_about_the_stage(client: Client, actions: Actions, sender: str) -> None:
    client.say(sender, "房间根本没打扫", "m1")
    client.say(sender, "房间根本没打扫", "m2", stage="hearing")
    client.say(sender, "房间根本没打扫", "m3", stage="hearing")
    client.say(sender, "房间根本没打扫", "m4", stage="public")

    asked = [call for call in actions.calls if call["sender_id"] == sender]
    assert [call["next_action"] for call in asked] == [
        "action_session_start",
        "action_public",
        "action_private",
        "action_private",
        "action_public",
    ]
    assert [call["tracker"]["slots"]["stage"] for call in asked][1:] == [
        "public",
        "hearing",
        "hearing",
        "public",
    ]


def test_a_given_intent_is_not_interpreted(client: Client, actions: Actions, sender: str) -> None:
    answer = client.say(
        sender,
        "好的",
        intent="accept",
        stage="hearing",
        anger=2,
        button={"offer": "o1", "act": "accept"},
    )

    understood = answer.content["understood"]
    assert understood["intent"] == {"name": "accept", "confidence": 1.0}
    assert understood["entities"] == []
    assert understood["emotion"]["anger"] == 2
    assert understood["emotion"]["probabilities"] == [0.0, 0.0, 1.0, 0.0]
    assert understood["emotion"]["flags"] == []
    (call,) = actions.of(sender, "action_private")
    latest = call["tracker"]["latest_message"]
    assert latest["metadata"]["button"] == {"offer": "o1", "act": "accept"}
    assert latest["emotion"]["anger"] == 2


def test_an_event_needs_no_text_and_is_calm(client: Client, sender: str) -> None:
    answer = client.say(sender, "", intent="entered", stage="hearing")

    assert "failed" not in answer.content
    assert answer.content["understood"]["emotion"]["anger"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        "//restart",
        " / /  /session_start",
        '/complain{"order_number": "1"}',
        "\x00/back",
    ],
)
def test_no_text_is_a_command(client: Client, actions: Actions, sender: str, text: str) -> None:
    client.say(sender, "房间根本没打扫", "m1")

    answer = client.say(sender, text, "m2")

    assert answer.status == 200
    assert not answer.content["understood"]["text"].startswith("/")
    assert answer.content["understood"]["entities"] == []
    # Had Rasa restarted, it would have forgotten what it said.
    assert client.say(sender, "房间根本没打扫", "m1").content["repeated"] is True
    assert len(actions.of(sender, "action_session_start")) == 1


TEXTS = {
    "empty": "",
    "slash": "/",
    "wide slash": " ／ ",
    "emoji": "😡😡😡",
    "mark": "?",
    "latin": "hello",
    "zero width": "\u200b",
    "byte order mark": "\u200b\ufeff",
    "long": "龘" * 4000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_any_text_is_answered(client: Client, sender: str, name: str) -> None:
    answer = client.say(sender, TEXTS[name])

    assert answer.status == 200
    assert "failed" not in answer.content
    assert answer.content["understood"]["emotion"]["anger"] in range(4)


def test_random_text_is_answered(client: Client, sender: str) -> None:
    chance = random.Random(20261122)
    for number in range(60):
        text = "".join(
            chr(chance.choice((chance.randrange(0x20, 0x3000), chance.randrange(0x4E00, 0x10FFFF))))
            for _ in range(chance.randrange(1, 60))
        )
        answer = client.say(f"{sender}-{number // 10}", text, f"m{number}")
        assert answer.status == 200, (text, answer)
        assert "failed" not in answer.content, (text, answer)


def test_an_action_that_breaks_is_a_failed_turn(
    client: Client, actions: Actions, sender: str
) -> None:
    for number, broken in enumerate(
        (
            lambda _: (500, {"error": "no"}),
            lambda _: (200, {"events": "none"}),
            lambda _: (200, b"<html>"),
            lambda _: (400, {"action_name": "action_public", "error": "rejected"}),
        )
    ):
        actions.on(sender, broken)
        answer = client.say(sender, "房间根本没打扫", f"m{number}")
        assert answer.status == 200
        assert answer.content["failed"] is True
        assert answer.content["messages"] == []
        again = client.say(sender, "房间根本没打扫", f"m{number}")
        assert again.content == {**answer.content, "repeated": True}

    actions.on(sender, sorry)
    assert "failed" not in client.say(sender, "房间根本没打扫", "after").content


def test_an_action_has_three_seconds(client: Client, actions: Actions, sender: str) -> None:
    gate = Gate()
    actions.on(sender, gate)
    try:
        answer = client.say(sender, "房间根本没打扫")
    finally:
        gate.opened.set()

    assert answer.status == 200
    assert answer.content["failed"] is True


def test_what_was_said_before_an_action_failed_is_kept(
    client: Client, actions: Actions, sender: str
) -> None:
    actions.on(
        sender,
        lambda _: (
            200,
            {
                "events": [{"event": "followup", "name": "action_crash"}],
                "responses": [utter("utter_next")],
            },
        ),
        "action_public",
    )
    actions.on(sender, lambda _: (500, {}), "action_crash")

    answer = client.say(sender, "房间根本没打扫", "m1")

    assert [m["response"] for m in answer.content["messages"]] == ["utter_next"]
    assert answer.content["failed"] is True
    assert client.say(sender, "房间根本没打扫", "m1").content["failed"] is True


def test_an_endless_turn_ends_as_failed_and_the_next_one_works(
    client: Client, actions: Actions, sender: str
) -> None:
    actions.on(
        sender,
        lambda _: (
            200,
            {"events": [{"event": "followup", "name": "action_public"}], "responses": []},
        ),
    )
    assert client.say(sender, "房间根本没打扫", "m1").content["failed"] is True

    actions.on(sender, sorry)
    assert "failed" not in client.say(sender, "房间根本没打扫", "m2").content


def test_saying_nothing_is_a_failure_but_commands_alone_are_not(
    client: Client, actions: Actions, sender: str
) -> None:
    actions.on(sender, lambda _: (200, {"events": [], "responses": []}))
    assert client.say(sender, "房间根本没打扫", "m1").content["failed"] is True

    actions.on(sender, lambda _: (200, {"events": [], "responses": [payload()]}))
    silent = client.say(sender, "房间根本没打扫", "m2").content
    assert silent["messages"] == [{"custom": {"commands": []}}]
    assert "failed" not in silent


def test_a_session_starts_without_its_action(client: Client, actions: Actions, sender: str) -> None:
    actions.on(sender, lambda _: (500, {}), "action_session_start")

    answer = client.say(sender, "房间根本没打扫")

    assert "failed" not in answer.content
    assert answer.content["messages"][0]["text"] in ANGRY_SORRY


def test_overheard_is_understood_and_remembered_but_not_answered(
    client: Client, actions: Actions, sender: str
) -> None:
    body = message(sender, "太差了，气死我了！！！", "m1", stage="hearing")
    del body["intent"]

    first = client.ask("POST", "/desk/overheard", body)
    again = client.ask("POST", "/desk/overheard", body)

    assert first.status == 200
    assert first.content.keys() == {"understood", "repeated"}
    assert first.content["understood"]["intent"]["name"] == "complain"
    assert again.content == {"understood": first.content["understood"], "repeated": True}
    assert [call for call in actions.calls if call["sender_id"] == sender] == []
    # The bot is listening, and a message that it gets after all is answered.
    late = client.say(sender, "太差了，气死我了！！！", "m1", stage="hearing")
    assert late.content["repeated"] is False
    assert late.content["messages"]
    assert client.say(sender, "", "m1", stage="hearing").content["repeated"] is True


def test_overheard_takes_no_intent(client: Client, sender: str) -> None:
    answer = client.ask("POST", "/desk/overheard", message(sender, "好", "m1", intent="accept"))

    assert answer.status == 400


def test_what_staff_said_is_remembered_once_and_is_no_answer_of_the_bot(
    client: Client, rasa_process: RasaProcess, sender: str
) -> None:
    before = client.say(sender, "房间根本没打扫", "m1")
    body = {
        "sender": sender,
        "message_id": "s1",
        "text": "我是小李，马上来",
        "metadata": {"by": "staff:3"},
    }

    assert client.ask("POST", "/desk/spoken", body).content == {"repeated": False}
    assert client.ask("POST", "/desk/spoken", body).content == {"repeated": True}

    assert (
        client.say(sender, "房间根本没打扫", "m1").content["messages"]
        == (before.content["messages"])
    )
    assert client.say(sender, "你好", "m2").content["repeated"] is False
    assert _stored(rasa_process, sender).count("staff:3") == 1


def test_staff_may_speak_first(client: Client, sender: str) -> None:
    body = {"sender": sender, "message_id": "s1", "text": "您好", "metadata": {"by": "staff:3"}}

    assert client.ask("POST", "/desk/spoken", body).content == {"repeated": False}
    assert "failed" not in client.say(sender, "房间根本没打扫").content


def test_every_route_needs_the_token(client: Client, sender: str) -> None:
    body = message(sender, "你好")
    for path in ("/desk/messages", "/desk/overheard", "/desk/spoken"):
        for token in (None, "", "wrong", f"{TOKEN}x", TOKEN[:-1], "t\xf6ken"):
            answer = client.ask("POST", path, body, token=token)
            assert answer.status == 401
            assert answer.content["error"]["code"] == "unauthorized"


def test_health_needs_no_token(client: Client) -> None:
    assert client.ask("GET", "/healthz", token=None).content == {"status": "up"}
    ready = client.ask("GET", "/readyz", token=None)
    assert ready.status == 200
    assert ready.content["status"] == "ready"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/version"),
        ("GET", "/status"),
        ("GET", "/conversations/x/tracker"),
        ("POST", "/conversations/x/messages"),
        ("POST", "/model/parse"),
        ("PUT", "/model"),
        ("GET", "/webhooks/rest/"),
        ("POST", "/webhooks/rest/webhook"),
        ("POST", "/webhooks/desk/desk/messages"),
        ("POST", "/webhooks/callback/webhook"),
        ("GET", "/desk/messages"),
    ],
)
def test_nothing_else_is_served(client: Client, method: str, path: str) -> None:
    answer = client.ask(method, path, {"sender": "x", "message": "y"})

    assert answer.status in (404, 405)
    assert "error" in answer.content


def _without(body: dict, *keys: str) -> dict:
    return {key: value for key, value in body.items() if key not in keys}


GOOD = message("k:0", "你好", "m1")
BAD_BODIES = {
    "not JSON": b"{",
    "not UTF-8": b'{"text": "\xff\xfe\xfa"}',
    "a list": b"[]",
    "a bomb": b"[" * 60000,
    "a deep object": json.dumps(
        {**GOOD, "metadata": {"x": json.loads("[" * 40 + "]" * 40)}}
    ).encode(),
    "NaN": json.dumps({**GOOD, "metadata": {"x": float("nan")}}).encode(),
    "infinite": b'{"sender":"k","message_id":"m","text":"x","metadata":{"x":1e999}}',
    "a huge number": json.dumps({**GOOD, "metadata": {"x": 10**30}}).encode(),
    "no sender": json.dumps(_without(GOOD, "sender")).encode(),
    "a strange sender": json.dumps({**GOOD, "sender": "a b"}).encode(),
    "a long sender": json.dumps({**GOOD, "sender": "a" * 129}).encode(),
    "a number for an id": json.dumps({**GOOD, "message_id": 1}).encode(),
    "no text": json.dumps(_without(GOOD, "text")).encode(),
    "null for text": json.dumps({**GOOD, "text": None}).encode(),
    "a long text": json.dumps({**GOOD, "text": "长" * 4001}).encode(),
    "no metadata": json.dumps(_without(GOOD, "metadata")).encode(),
    "a strange intent": json.dumps({**GOOD, "intent": "DROP TABLE"}).encode(),
    "an unknown intent": json.dumps({**GOOD, "intent": "buy_yacht"}).encode(),
    "an unknown stage": json.dumps(message("k:0", "你好", stage="heaven")).encode(),
    "anger as text": json.dumps(message("k:0", "你好", anger="2")).encode(),
    "anger out of range": json.dumps(message("k:0", "你好", anger=4)).encode(),
    "anger as truth": json.dumps(message("k:0", "你好", anger=True)).encode(),
    "said of numbers": json.dumps(message("k:0", "你好", said=[1])).encode(),
    "an unknown visibility": json.dumps(message("k:0", "你好", visibility="secret")).encode(),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_requests_are_refused(client: Client, name: str) -> None:
    answer = client.ask("POST", "/desk/messages", raw=BAD_BODIES[name])

    assert answer.status == 400, answer
    assert answer.content["error"]["code"] == "bad_request"


def test_large_bodies_are_refused(client: Client) -> None:
    answer = client.ask("POST", "/desk/messages", message("k:0", "你好", x="x" * 70000))

    assert answer.status == 413
    assert "error" in answer.content


def test_lone_surrogates_are_left_out(client: Client, sender: str) -> None:
    answer = client.say(sender, "房间\ud800根本没打扫\x00", said=["\udfff"])

    assert answer.status == 200
    assert answer.content["understood"]["text"] == "房间根本没打扫"


def test_the_action_gets_no_domain_and_no_events(
    client: Client, actions: Actions, sender: str
) -> None:
    client.say(sender, "房间根本没打扫", "m1")
    client.say(sender, "太差了", "m2")

    call = actions.of(sender)[-1]
    assert call["domain"] == {}
    assert call["tracker"]["events"] == []
    assert call["tracker"]["sender_id"] == sender
    assert call["tracker"]["latest_message"]["text"] == "太差了"
    assert call["tracker"]["latest_message"]["metadata"]["business"] == "lanting"


def test_a_store_that_cannot_be_written_is_an_error_not_amnesia(
    client: Client, rasa_process: RasaProcess, actions: Actions, sender: str
) -> None:
    client.say(sender, "房间根本没打扫", "m1")
    database = sqlite3.connect(rasa_process.log.parent / "rasa.sqlite3", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    try:
        broken = client.say(sender, "太差了", "m2")
    finally:
        database.execute("ROLLBACK")
        database.close()
    assert broken.status == 500
    assert broken.content["error"]["code"] == "turn_failed"

    again = client.say(sender, "太差了", "m2")

    assert again.status == 200
    assert again.content["repeated"] is False
    assert client.say(sender, "房间根本没打扫", "m1").content["repeated"] is True
    assert _stored(rasa_process, sender).count('"message_id": "m2"') == 1


def test_the_log_is_json_without_the_customers_words(
    client: Client, rasa_process: RasaProcess, actions: Actions, sender: str
) -> None:
    secret = "暗号青蛙"
    actions.on(sender, lambda call: (500, {"error": "x", "request_body": call}))
    client.say(sender, secret, "m1", stage="hearing", intent="crash")
    actions.on(sender, sorry)
    client.say(sender, secret, "m2")

    log = rasa_process.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert secret not in log
    assert secret.encode("unicode_escape").decode() not in log
    turns = {
        line["message_id"]: line
        for line in lines
        if line.get("message") == "turn" and line["sender"] == sender
    }
    assert turns["m1"]["failed"] is True
    assert turns["m2"]["failed"] is False
    assert turns["m2"]["milliseconds"] >= 0


def _stored(process: RasaProcess, sender: str) -> str:
    """What the database holds of a conversation, user and bot events without their copies."""
    database = sqlite3.connect(process.log.parent / "rasa.sqlite3")
    rows = database.execute(
        "SELECT data FROM events WHERE sender_id = ? ORDER BY id", (sender,)
    ).fetchall()
    database.close()
    kept = []
    for (data,) in rows:
        event = json.loads(data)
        event.pop("parse_data", None)
        kept.append(json.dumps(event, ensure_ascii=False))
    return "\n".join(kept)
