"""Intents, with the industry known from the business."""

from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intents import BadPatternError, TradeIntentClassifier

EXAMPLES = {
    "complain_room_not_clean": ("房间没打扫", "床单脏", "地上有头发", "卫生间很脏", "屋里到处是灰"),
    "complain_dirt": ("楼道没打扫", "楼梯脏", "电梯里有垃圾", "楼道很脏", "大堂到处是灰"),
    "complain_other": ("信号断断续续", "套餐改不了", "网速太慢", "短信收不到", "流量没了"),
    "thank": ("谢谢", "谢谢你们", "多谢", "非常感谢", "谢谢啦"),
    "greet": ("你好", "在吗", "您好", "有人吗", "哈喽"),
}


def component(folder: Path) -> TradeIntentClassifier:
    return TradeIntentClassifier.create(
        TradeIntentClassifier.get_default_config(),
        LocalModelStorage(folder),
        Resource("intents"),
        ExecutionContext(GraphSchema({})),
    )


def trained(folder: Path, patterns: tuple[str, ...] = ()) -> TradeIntentClassifier:
    messages = [
        Message({"text": text, "intent": intent})
        for intent, texts in EXAMPLES.items()
        for text in texts
    ]
    features = [{"name": "about_dirt", "pattern": pattern} for pattern in patterns]
    component(folder).train(TrainingData(messages, regex_features=features))
    return TradeIntentClassifier.load(
        TradeIntentClassifier.get_default_config(),
        LocalModelStorage(folder),
        Resource("intents"),
        ExecutionContext(GraphSchema({})),
    )


def intent(classifier: TradeIntentClassifier, text: str, industry: str | None = None) -> str:
    message = Message({"text": text, "metadata": {"industry": industry}})
    classifier.process([message])
    found: str = message.get("intent")["name"]
    ranking = message.get("intent_ranking")
    assert ranking[0]["name"] == found
    assert 0 < sum(one["confidence"] for one in ranking) <= 1 + 1e-6
    return found


def test_the_industry_decides_between_failures(tmp_path: Path) -> None:
    classifier = trained(tmp_path)

    assert intent(classifier, "到处没打扫很脏", "hotel") == "complain_room_not_clean"
    assert intent(classifier, "到处没打扫很脏", "property") == "complain_dirt"
    # A trade without failures of its own complains of something all the same.
    assert intent(classifier, "到处没打扫很脏", "telecom") == "complain_other"
    assert intent(classifier, "谢谢你", "property") == "thank"


def test_without_an_industry_every_failure_is_possible(tmp_path: Path) -> None:
    classifier = trained(tmp_path)

    assert intent(classifier, "楼道很脏") == "complain_dirt"
    assert intent(classifier, "卫生间很脏") == "complain_room_not_clean"


def test_trainers_patterns_are_learnt_from(tmp_path: Path) -> None:
    classifier = trained(tmp_path, ("楼道|楼梯|电梯|大堂", "单元门口"))

    assert intent(classifier, "单元门口", "property") == "complain_dirt"


def test_a_broken_pattern_stops_the_training(tmp_path: Path) -> None:
    with pytest.raises(BadPatternError, match="about_dirt"):
        trained(tmp_path, ("(楼道",))


def test_no_text_has_no_intent(tmp_path: Path) -> None:
    message = Message({})
    trained(tmp_path).process([message])

    assert message.get("intent") == {"name": None, "confidence": 0.0}
