"""The recogniser of anger and signals."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language

from bot.nlu import pipeline
from bot.nlu.contract import SIGNALS, calm, emotion
from bot.nlu.cues import Cues, CueTableError
from bot.nlu.emotion import BadLabelError, EmotionRecognizer
from bot.nlu.model import Example, decide, levels

CALM = ("请问{}几点开始", "你好，想问一下{}", "谢谢，{}收到了", "{}在哪里看", "麻烦查一下{}")
SAD = ("{}有点让人失望", "{}体验不好", "{}怎么还没弄好", "{}不太满意", "{}希望改进")
ANGRY = ("{}太差了！", "什么破{}！！", "{}坑人啊！", "{}到底管不管？！", "对{}无语了！！")
FURIOUS = (
    "{}就是骗子，等着被曝光！！！",
    "垃圾{}，我打12315投诉你们！！！",
    "{}去死吧，滚！！！",
    "再不解决{}我就起诉！！！",
    "{}无耻至极，找媒体曝光！！！",
)
THINGS = ("房间", "早餐", "快递", "退款", "空调", "耳机", "客服", "押金", "门锁", "订单")


def training() -> list[Example]:
    examples = []
    for anger, patterns in enumerate((CALM, SAD, ANGRY, FURIOUS)):
        for pattern in patterns:
            for thing in THINGS:
                signals = set()
                if anger:
                    signals.add("complaint")
                if "曝光" in pattern or "12315" in pattern or "起诉" in pattern:
                    signals.add("escalation")
                if "谢谢" in pattern:
                    signals.add("closure")
                examples.append(Example(pattern.format(thing), anger, frozenset(signals)))
    return examples


@pytest.fixture(scope="module")
def hears() -> Language:
    return pipeline.train(training())


def emotion_of(hears: Language, text: str) -> tuple[int, list[float], dict[str, float]]:
    heard: tuple[int, list[float], dict[str, float]] = hears(text)._.emotion
    return heard


def test_it_hears_what_it_has_learnt(hears: Language) -> None:
    for text, level in (
        ("请问电梯几点开始", 0),
        ("早饭有点让人失望", 1),
        ("电梯太差了！", 2),
        ("垃圾电梯，我打12315投诉你们！！！", 3),
    ):
        anger, probabilities, _ = emotion_of(hears, text)
        assert anger == level
        assert sum(probabilities) == pytest.approx(1)
    _, _, signals = emotion_of(hears, "垃圾电梯，我打12315投诉你们！！！")
    assert signals["escalation"] > 0.5
    assert signals["complaint"] > 0.5
    assert signals["closure"] < 0.5


def test_probabilities_are_calibrated(hears: Language) -> None:
    """On unseen words the mean probability of a level is near its share."""
    texts = [
        (pattern.format("行李"), level)
        for level, patterns in enumerate((CALM, SAD, ANGRY, FURIOUS))
        for pattern in patterns
    ]
    scored = np.array([emotion_of(hears, text)[1] for text, _ in texts])
    for level in range(4):
        assert scored[:, level].mean() == pytest.approx(0.25, abs=0.1)


def test_a_signal_without_examples_is_never_heard(hears: Language) -> None:
    for text in ("我要投诉", "受伤了", "转人工"):
        _, _, signals = emotion_of(hears, text)
        assert signals["safety"] == pytest.approx(0, abs=1e-6)
        assert signals["human"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("known", [{0}, {3}, {0, 3}, {1, 2}])
def test_levels_without_examples_are_never_heard(known: set[int]) -> None:
    hears = pipeline.train([example for example in training() if example.anger in known])

    for text in ("太差了！！！", "你好", "🙂"):
        anger, probabilities, _ = emotion_of(hears, text)
        assert anger in range(4)
        assert sum(probabilities[level] for level in known) == pytest.approx(1, abs=1e-6)


def test_one_example_is_enough_to_train() -> None:
    hears = pipeline.train([Example("你好", 0, frozenset({"closure"}))])

    anger, _, signals = emotion_of(hears, "随便")
    assert anger == 0
    assert signals["closure"] == pytest.approx(1)


def test_who_may_be_angry_is_taken_for_angry() -> None:
    assert decide(np.array([0.4, 0.2, 0.2, 0.2])) == 2
    assert decide(np.array([0.7, 0.2, 0.05, 0.05])) == 0
    assert decide(np.array([0.3, 0.5, 0.1, 0.1])) == 1
    assert decide(np.array([0.1, 0.1, 0.2, 0.6])) == 3


def test_levels_are_probabilities_whatever_their_scorers_say() -> None:
    for at_least in ((0.9, 0.5, 0.1), (0.1, 0.9, 0.2), (0.0, 0.0, 1.0), (0.3, 0.3, 0.3)):
        four = levels(np.array(at_least))
        assert (four >= 0).all()
        assert four.sum() == pytest.approx(1)
        assert four[3] == at_least[2]


def test_a_stored_pipeline_hears_the_same(hears: Language, tmp_path: Path) -> None:
    hears.to_disk(tmp_path)
    loaded = pipeline.load(tmp_path)

    for example in training()[::17]:
        assert emotion_of(loaded, example.text)[1] == pytest.approx(
            emotion_of(hears, example.text)[1], abs=1e-4
        )
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".pkl", ".pickle")]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 60e6


def test_a_pipeline_of_other_signals_is_refused(hears: Language, tmp_path: Path) -> None:
    hears.to_disk(tmp_path)
    next(tmp_path.rglob("signals.json")).write_text('["complaint"]')

    with pytest.raises(ValueError, match="train it again"):
        pipeline.load(tmp_path)


def test_training_again_gives_the_same(hears: Language) -> None:
    again = pipeline.train(training())

    assert emotion_of(again, "早餐太差了")[1] == emotion_of(hears, "早餐太差了")[1]


def test_any_text_has_an_emotion_that_is_plain_json(hears: Language) -> None:
    chance = random.Random(7)
    for _ in range(400):
        text = "".join(chr(chance.randrange(1, 0xD7FF)) for _ in range(chance.randrange(1, 80)))
        heard = hears(text)._.emotion
        if heard is None:
            continue  # nothing visible is left of it
        made = emotion(*heard, dict.fromkeys(SIGNALS, 0.5))
        assert json.loads(json.dumps(made)) == made
        assert type(made["anger"]) is int
        assert all(type(number) is float for number in made["probabilities"])
        assert 0 <= made["score"] <= 1


@pytest.mark.parametrize(
    "text", ["啊" * 20_000, "!" * 5_000, "a b " * 3_000, "@" * 900, "1" * 9_000]
)
def test_no_length_is_too_long(hears: Language, text: str) -> None:
    assert emotion_of(hears, text)[0] in range(4)


def test_what_was_noticed_can_be_shown(hears: Language) -> None:
    doc = hears("這是什麼破酒店，垃 圾，我要打12315！")
    shown = {(span.label_, span.text) for span in doc.spans[pipeline.SPANS]}
    assert "authority" in {label for label, _ in shown}
    assert "垃圾" in doc.text


@pytest.mark.parametrize(
    "table", [{"a": ["("]}, {"a": []}, {"a": ["x*"]}, {"a": ["x", "|y"]}, {"a": [3]}]
)
def test_a_bad_table_of_cues_is_refused(table: dict[str, list[Any]]) -> None:
    with pytest.raises(CueTableError, match="a"):
        Cues(table)


# The component, as Rasa drives it.


@pytest.fixture
def storage(tmp_path: Path) -> LocalModelStorage:
    return LocalModelStorage(tmp_path)


def component(storage: LocalModelStorage, **config: object) -> EmotionRecognizer:
    return EmotionRecognizer.create(
        {**EmotionRecognizer.get_default_config(), **config},
        storage,
        Resource("emotion"),
        ExecutionContext(GraphSchema({})),
    )


def loaded(storage: LocalModelStorage, **config: object) -> EmotionRecognizer:
    return EmotionRecognizer.load(
        {**EmotionRecognizer.get_default_config(), **config},
        storage,
        Resource("emotion"),
        ExecutionContext(GraphSchema({})),
    )


def labelled(text: str, **labels: object) -> Message:
    return Message({"text": text, "intent": "x", "metadata": {"example": labels}})


def messages() -> list[Message]:
    return [
        labelled(example.text, anger=example.anger, signals=sorted(example.signals))
        for example in training()
    ]


def heard(recogniser: EmotionRecognizer, text: str | None) -> dict[str, Any]:
    message = Message({} if text is None else {"text": text})
    recogniser.process([message])
    assert "emotion" in message.as_dict(only_output_properties=True)
    result: dict[str, Any] = message.get("emotion")
    return result


def test_the_component_learns_from_metadata_and_is_stored(storage: LocalModelStorage) -> None:
    unlabelled = [
        Message({"text": "垃圾骗子滚！！！", "intent": "x"}),
        Message({"text": "垃圾骗子滚！！！", "intent": "x", "metadata": {"example": {}}}),
    ]
    component(storage).train(TrainingData([*messages(), *unlabelled]))

    recogniser = loaded(storage)

    made = heard(recogniser, "垃圾电梯，我打12315投诉你们！！！")
    assert made["anger"] == 3
    assert {"complaint", "escalation"} <= set(made["flags"])
    assert made["score"] == pytest.approx(sum(made["probabilities"][2:]), abs=1e-3)
    assert made["signals"].keys() == set(SIGNALS)


def test_empty_text_is_calm(storage: LocalModelStorage) -> None:
    component(storage).train(TrainingData(messages()))
    recogniser = loaded(storage)

    for text in (None, "", "   ", "\u3000\n"):
        assert heard(recogniser, text) == calm()


def test_thresholds_make_the_flags(storage: LocalModelStorage) -> None:
    component(storage).train(TrainingData(messages()))

    assert "complaint" in heard(loaded(storage, thresholds={"complaint": 0.01}), "你好")["flags"]
    strict = loaded(storage, thresholds={"complaint": 1.0})
    assert "complaint" not in heard(strict, "什么破电梯！！")["flags"]


def test_without_labelled_examples_every_message_is_calm(storage: LocalModelStorage) -> None:
    component(storage).train(TrainingData([Message({"text": "你好", "intent": "x"})]))

    assert heard(loaded(storage), "垃圾！！！") == calm()


@pytest.mark.parametrize(
    "labels",
    [
        {"anger": 4},
        {"anger": "2"},
        {"anger": True},
        {"anger": 1, "signals": ["anger"]},
        {"anger": 1, "signals": "complaint"},
    ],
)
def test_wrong_labels_stop_the_training(
    storage: LocalModelStorage, labels: dict[str, object]
) -> None:
    with pytest.raises(BadLabelError, match="你好"):
        component(storage).train(TrainingData([labelled("你好", **labels)]))


@pytest.mark.parametrize("thresholds", [{"rage": 0.5}, {"human": 0}, {"human": 2}, {"human": "x"}])
def test_wrong_thresholds_are_refused(thresholds: dict[str, object]) -> None:
    with pytest.raises(InvalidConfigException):
        EmotionRecognizer.validate_config({"thresholds": thresholds})


def test_a_change_of_its_modules_trains_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = EmotionRecognizer.fingerprint_addon({})
    changed = tmp_path / "normaliser.py"
    changed.write_text("# changed")
    monkeypatch.setattr("bot.nlu.normaliser.__file__", str(changed))

    assert EmotionRecognizer.fingerprint_addon({}) != before
