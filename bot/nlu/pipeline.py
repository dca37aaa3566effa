"""The spaCy pipeline that hears a message: normaliser and jieba, cues, sentiment, recogniser.

    doc = pipeline("垃 圾酒店")
    doc.text                 normalised and masked: 垃圾酒店
    doc.spans["cues"]        what was noticed, labelled with the cue's name
    doc._.emotion            (anger, probabilities, signals), see `bot.nlu.model`

It is written into Rasa's model archive with `to_disk` and read from there; nothing is downloaded.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jieba
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import DummyTokenizer
from spacy.vocab import Vocab

from bot.nlu.cues import Cues
from bot.nlu.features import Analysis
from bot.nlu.model import EmotionModel, Example
from bot.nlu.normaliser import mask, unify
from bot.nlu.sentiment import Lexicon

CUES = "huixin_cues"
SENTIMENT = "huixin_sentiment"
RECOGNISER = "huixin_emotion"
SPANS = "cues"

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "huixin.NormalisingJieba.v1"}}}


class NormalisingJieba(DummyTokenizer):  # type: ignore[misc]
    """spaCy's tokenizer: normalises, then cuts into words with jieba."""

    def __init__(self, vocab: Vocab) -> None:
        """Share the pipeline's vocabulary."""
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Cut a text.

        Args:
            text: Any text.

        Returns:
            The words of its masked text; `user_data` keeps the raw and the unified one.
        """
        unified = unify(text)
        masked = mask(unified)
        pieces = [*jieba.cut(masked)]
        words: list[str] = []
        spaces: list[bool] = []
        for piece in pieces:
            # Masked text has single spaces only, none at its ends.
            if piece == " ":
                spaces[-1] = True
            else:
                words.append(piece)
                spaces.append(False)
        doc = Doc(self.vocab, words=words, spaces=spaces)
        doc.user_data.update(raw=text, unified=unified)
        return doc


@spacy.registry.tokenizers("huixin.NormalisingJieba.v1")
def _make_tokenizer() -> Any:  # noqa: ANN401 - as spaCy wants it
    return lambda nlp: NormalisingJieba(nlp.vocab)


class CueMatcher:
    """spaCy's pipe that notices cues."""

    def __init__(self, cues: Cues) -> None:
        """Match these cues."""
        self.cues = cues

    def __call__(self, doc: Doc) -> Doc:
        """Mark the cues and count them."""
        found = self.cues.find(doc.text)
        doc.user_data["cues"] = tuple(self.cues.count(doc.text, found))
        doc.spans[SPANS] = [
            doc.char_span(start, end, name, alignment_mode="expand") for name, start, end in found
        ]
        return doc

    def to_disk(self, path: Path, exclude: Iterable[str] = ()) -> None:
        """Keep the table with the model that was trained on it."""
        path.mkdir(parents=True, exist_ok=True)
        (path / "cues.json").write_text(json.dumps(self.cues.table, ensure_ascii=False), "utf-8")

    def from_disk(self, path: Path, exclude: Iterable[str] = ()) -> "CueMatcher":
        """Read what `to_disk` wrote."""
        self.cues = Cues(json.loads((path / "cues.json").read_text("utf-8")))
        return self


@Language.factory(CUES)
def _make_matcher(nlp: Language, name: str) -> CueMatcher:
    return CueMatcher(Cues.read())


class SentimentMeter:
    """spaCy's pipe that measures praise and blame."""

    def __init__(self, lexicon: Lexicon) -> None:
        """Measure by this lexicon."""
        self.lexicon = lexicon

    def __call__(self, doc: Doc) -> Doc:
        """Leave the measures with the document."""
        words = tuple(token.text for token in doc)
        doc.user_data["sentiment"] = self.lexicon.measure(doc.text, words)
        return doc

    def to_disk(self, path: Path, exclude: Iterable[str] = ()) -> None:
        """Keep the table with the model that was trained on it."""
        path.mkdir(parents=True, exist_ok=True)
        weights = json.dumps(self.lexicon.weights, ensure_ascii=False)
        (path / "sentiment.json").write_text(weights, "utf-8")

    def from_disk(self, path: Path, exclude: Iterable[str] = ()) -> "SentimentMeter":
        """Read what `to_disk` wrote."""
        self.lexicon = Lexicon(json.loads((path / "sentiment.json").read_text("utf-8")))
        return self


@Language.factory(SENTIMENT)
def _make_meter(nlp: Language, name: str) -> SentimentMeter:
    return SentimentMeter(Lexicon.read())


class Recogniser:
    """spaCy's pipe that hears anger and signals; without a model it hears nothing."""

    def __init__(self) -> None:
        """Begin untrained."""
        self.model: EmotionModel | None = None

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.emotion`."""
        if self.model and len(doc):
            doc._.emotion = self.model.predict(analysis(doc))
        return doc

    def to_disk(self, path: Path, exclude: Iterable[str] = ()) -> None:
        """Write the model, if there is one."""
        path.mkdir(parents=True, exist_ok=True)
        if self.model:
            self.model.save(path)

    def from_disk(self, path: Path, exclude: Iterable[str] = ()) -> "Recogniser":
        """Read what `to_disk` wrote."""
        self.model = EmotionModel.load(path) if (path / "weights.npz").exists() else None
        return self


@Language.factory(RECOGNISER, assigns=["doc._.emotion"])
def _make_recogniser(nlp: Language, name: str) -> Recogniser:
    return Recogniser()


if not Doc.has_extension("emotion"):
    Doc.set_extension("emotion", default=None)


def analysis(doc: Doc) -> Analysis:
    """Give what the pipeline found, for the recogniser."""
    found = doc.user_data
    return Analysis(
        found["raw"],
        found["unified"],
        doc.text,
        tuple(token.text for token in doc),
        found["cues"],
        found["sentiment"],
    )


def analyser() -> Callable[[str], Analysis]:
    """Make what analyses a text without recognising anything in it."""
    nlp = build()
    nlp.disable_pipe(RECOGNISER)
    return lambda text: analysis(nlp(text))


_last_analysed: dict[str, Analysis] = {}


def analyses(texts: Sequence[str]) -> list[Analysis]:
    """Analyse the messages of a training.

    Two components learn from the same messages one after the other, so what was analysed last is
    kept in this process.

    Args:
        texts: The messages.

    Returns:
        What `analyser` gives for each.
    """
    global _last_analysed
    analyse = analyser()
    found = [_last_analysed.get(text) or analyse(text) for text in texts]
    _last_analysed = dict(zip(texts, found, strict=True))
    return found


def build() -> Language:
    """Make an untrained pipeline."""
    nlp = spacy.blank("zh", config=_CONFIG)
    nlp.add_pipe(CUES)
    nlp.add_pipe(SENTIMENT)
    nlp.add_pipe(RECOGNISER)
    return nlp


def train(examples: Sequence[Example]) -> Language:
    """Make a pipeline that has learnt from examples.

    Args:
        examples: At least one.

    Returns:
        The pipeline. The same examples in the same order give the same one.
    """
    nlp = build()
    found = analyses([example.text for example in examples])
    nlp.get_pipe(RECOGNISER).model = EmotionModel.fit(found, examples)
    return nlp


def load(folder: Path) -> Language:
    """Read a pipeline that `Language.to_disk` wrote.

    Args:
        folder: Where it is.

    Returns:
        The pipeline.

    Raises:
        ValueError: It was trained for other signals than ours.
    """
    return build().from_disk(folder)
