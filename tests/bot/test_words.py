"""Which variant is said (docs/architecture.md, "Words")."""

import asyncio
import logging
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.words import ResponseSelector, variant_id


def variants(*rows: tuple[str, list[int] | None, list[str] | None]) -> list[dict[str, Any]]:
    made = []
    for text, anger, industry in rows:
        metadata: dict[str, Any] = {}
        if anger is not None:
            metadata["anger"] = anger
        if industry is not None:
            metadata["industry"] = industry
        made.append({"text": text, "metadata": metadata} if metadata else {"text": text})
    return made


RESPONSES = {
    "say_sorry": variants(
        ("零甲", [0], None),
        ("零乙", [0], None),
        ("一甲", [1], None),
        ("二甲", [2], None),
        ("二乙", [2], None),
        ("三甲", [3], None),
    ),
    "say_place": variants(("酒店", None, ["hotel"]), ("网店", None, ["shop"])),
    "say_matter": variants(("{matter}我们记下了", None, None), ("知道了", None, None)),
    "say_holes": variants(("{matter}在{place}", None, None)),
    "say_fury": variants(("三甲", [3], None)),
    "say_buttons": [
        {"text": "选一个", "buttons": [{"title": "{choice}", "payload": "p"}], "image": "i.png"}
    ],
}


def tracker(
    message_id: str = "m1", said: list[str] | None = None, **metadata: object
) -> DialogueStateTracker:
    made = DialogueStateTracker("k:0", [])
    made.update(
        UserUttered(
            "text",
            {"name": "complain"},
            message_id=message_id,
            metadata={"said": said or [], **metadata},
        )
    )
    return made


def say(
    conversation: DialogueStateTracker, response: str, **kwargs: object
) -> dict[str, Any] | None:
    selector = ResponseSelector(None, Domain.empty())
    selector.responses = RESPONSES
    return asyncio.run(selector.generate(response, conversation, "desk", **kwargs))


def text(conversation: DialogueStateTracker, response: str, **kwargs: object) -> str | None:
    said = say(conversation, response, **kwargs)
    return said and said["text"]


def ids(*texts: str, response: str = "say_sorry") -> list[str]:
    return [variant_id(response, each) for each in texts]


def test_a_variant_has_a_stable_id() -> None:
    said = say(tracker(), "say_fury", anger=3)

    assert said is not None
    assert said["variant"] == "2fa719406d"


def test_a_variant_fits_the_anger() -> None:
    for level, texts in enumerate(({"零甲", "零乙"}, {"一甲"}, {"二甲", "二乙"}, {"三甲"})):
        for number in range(20):
            assert text(tracker(f"m{number}"), "say_sorry", anger=level) in texts


def test_every_fitting_variant_gets_its_turn_and_a_retry_says_the_same() -> None:
    chosen = [text(tracker(f"m{number}"), "say_sorry", anger=2) for number in range(40)]

    assert set(chosen) == {"二甲", "二乙"}
    assert chosen == [text(tracker(f"m{n}"), "say_sorry", anger=2) for n in range(40)]


def test_the_industry_is_never_another_one() -> None:
    assert text(tracker(), "say_place", industry="shop") == "网店"
    assert text(tracker(industry="hotel"), "say_place") == "酒店"
    assert text(tracker(), "say_place", industry="airline") is None
    assert text(tracker(), "say_place") is None


def test_anger_comes_from_the_action_then_the_case_then_the_message() -> None:
    assert text(tracker(anger=3), "say_sorry", anger=1) == "一甲"
    assert text(tracker(anger=3), "say_sorry") == "三甲"
    heard = DialogueStateTracker("k:0", [])
    heard.update(UserUttered("x", parse_data={"emotion": {"anger": 1}}, message_id="m"))
    assert text(heard, "say_sorry") == "一甲"
    assert text(DialogueStateTracker("k:0", []), "say_sorry") in {"零甲", "零乙"}


def test_nothing_is_said_twice() -> None:
    said_before = tracker(said=ids("二甲"))
    assert text(said_before, "say_sorry", anger=2) == "二乙"

    uttered = tracker()
    uttered.update(BotUttered("二乙", metadata={"variant": ids("二乙")[0]}))
    assert text(uttered, "say_sorry", anger=2) == "二甲"

    assert text(tracker(), "say_sorry", anger=2, said_in_turn=ids("二甲")) == "二乙"


def test_then_the_milder_level_then_the_stronger_then_the_one_said_longest_ago() -> None:
    level = ids("二乙", "二甲")
    assert text(tracker(said=level), "say_sorry", anger=2) == "一甲"
    assert text(tracker(said=[*level, *ids("一甲")]), "say_sorry", anger=2) == "三甲"
    every = [*ids("一甲"), *level, *ids("三甲")]
    assert text(tracker(said=every), "say_sorry", anger=2) == "一甲"
    again = tracker(said=every)
    again.update(BotUttered("一甲", metadata={"variant": ids("一甲")[0]}))
    assert text(again, "say_sorry", anger=2) == "二乙"
    assert text(tracker(said=ids("零甲", "零乙")), "say_sorry", anger=0) == "一甲"


def test_an_optional_response_is_left_out_rather_than_repeated() -> None:
    every = ids("二甲", "二乙", "一甲", "三甲")

    assert text(tracker(said=every), "say_sorry", anger=2, optional=True) is None
    assert text(tracker(said=every[:3]), "say_sorry", anger=2, optional=True) == "三甲"


def test_words_for_far_levels_only_are_better_than_silence() -> None:
    assert text(tracker(), "say_fury", anger=0) == "三甲"


def test_variables_are_filled_in_once() -> None:
    filled = text(tracker("m"), "say_matter", matter="{place}没打扫")

    assert filled in {"{place}没打扫我们记下了", "知道了"}
    assert text(tracker(), "say_holes", matter="{place}", place="{matter}") == "{place}在{matter}"


def test_a_missing_variable_leaves_the_variant_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "bot.words"):
        for number in range(10):
            for missing in ({}, {"matter": None}, {"matter": ""}):
                assert text(tracker(f"m{number}"), "say_matter", **missing) == "知道了"
        assert text(tracker(), "say_holes", matter="地毯") is None

    assert "say_matter" in caplog.text
    assert "say_holes" in caplog.text
    assert "place" in caplog.text
    assert "地毯" not in caplog.text


def test_an_unknown_response_is_an_error_in_the_log_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert say(tracker(), "say_nothing_like_it") is None
    assert "say_nothing_like_it" in caplog.text


def test_buttons_and_pictures_go_with_the_words_and_the_domain_stays_clean() -> None:
    said = say(tracker(), "say_buttons", choice="好的")

    assert said is not None
    assert said["buttons"] == [{"title": "好的", "payload": "p"}]
    assert said["image"] == "i.png"
    assert "metadata" not in said
    said["buttons"].append({})
    again = say(tracker(), "say_buttons", choice="行")
    assert again is not None
    assert again["buttons"] == [{"title": "行", "payload": "p"}]


def test_slots_are_variables_too() -> None:
    from rasa.shared.core.slots import TextSlot

    conversation = DialogueStateTracker("k:0", [TextSlot("choice", [], initial_value="槽")])
    conversation.update(UserUttered("x", message_id="m"))

    said = say(conversation, "say_buttons")

    assert said is not None
    assert said["buttons"][0]["title"] == "槽"
