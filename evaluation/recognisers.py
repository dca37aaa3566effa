"""Our trained model outside Rasa, and what others would make of the same messages."""

import json
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.nlu import contract, pipeline
from bot.nlu.emotion import EmotionRecognizer
from bot.nlu.entities import EntityTagger  # noqa: F401 - registers itself with Rasa
from bot.nlu.intent_model import IntentModel
from evaluation.figures import Heard

Recogniser = Callable[[str], Heard]

# Some forty words and marks of anger, the least that anybody would begin with.
_WORDS = re.compile(
    "垃圾|骗|坑|投诉|无语|失望|太差|差劲|恶心|什么服务|态度|气死|愤怒|曝光|滚|傻|妈的|他妈|无耻|流氓|"
    "忽悠|敷衍|推脱|不负责|到底|凭什么|难道|第几次|多次|一直|崩溃|抓狂|怒|[!！]{2,}|[?？]{2,}|呵呵|鄙视|差评|再也不"
)


class Ours:
    """The model of an archive: emotion and intents."""

    def __init__(self, archive: Path) -> None:
        """Unpack the two components.

        Raises:
            LookupError: The archive holds no such model.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="huixin-eval-")
        with tarfile.open(archive) as packed:
            packed.extractall(self._folder.name)  # noqa: S202 - made by ourselves
        root = Path(self._folder.name)
        emotion = next((path.parent for path in root.rglob("meta.json")), None)
        intents = next((path.parent for path in root.rglob("intents.json")), None)
        if emotion is None or intents is None:
            raise LookupError(f"{archive.name} was trained without our components")
        self.size = sum(
            path.stat().st_size
            for folder in (emotion, intents)
            for path in folder.rglob("*")
            if path.is_file()
        )
        self._hears = pipeline.load(emotion)
        self._intents = IntentModel.load(intents)
        self._analyse = pipeline.analyser()
        self._thresholds = EmotionRecognizer.get_default_config()["thresholds"]

    def hear(self, text: str) -> Heard:
        """Hear one message."""
        made = self._hears(text)._.emotion
        parse = contract.emotion(*made, self._thresholds) if made else contract.calm()
        return Heard(
            parse["anger"],
            parse["score"],
            parse["probabilities"],
            parse["signals"],
            frozenset(parse["flags"]),
        )

    def intent(self, text: str, industry: str | None) -> str:
        """Give the likeliest intent."""
        return next(iter(self._intents.predict(self._analyse(text), industry)))


def word_list(text: str) -> Heard:
    """Count words and marks of anger."""
    count = len(_WORDS.findall(text))
    return Heard(min(count, 3), float(count))


def snownlp(text: str) -> Heard:
    """SnowNLP's sentiment, turned round; angry from 0.5 on."""
    from snownlp import SnowNLP

    score = 1 - SnowNLP(text).sentiments if text.strip() else 0.0
    return Heard(sum(score >= bound for bound in (0.25, 0.5, 0.9)), score)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a file of one JSON object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
