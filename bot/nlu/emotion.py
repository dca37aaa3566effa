"""Rasa's graph component for anger and signals.

It learns from the metadata of the examples in `data/nlu/`:

    - intent: complain_hotel
      examples:
      - text: |
          房间根本没打扫
        metadata: {anger: 1, signals: [complaint]}

Examples without `anger` teach it nothing. What it gives is in `bot.nlu.contract`.
"""

import logging
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import METADATA, METADATA_EXAMPLE, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language

from bot.nlu import contract, model, pipeline
from bot.nlu.model import Example
from bot.nlu.sources import fingerprint

logger = logging.getLogger(__name__)

EMOTION = "emotion"
ANALYSIS = "analysis"
"""Where the analysis of a message is left for the components that come after."""


class BadLabelError(RasaException):
    """The metadata of a training example is not as agreed."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class EmotionRecognizer(GraphComponent):
    """Sets `emotion` on each message."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        trained: Language | None = None,
    ) -> None:
        """Keep what Rasa gives.

        Args:
            config: Of the component, defaults included.
            model_storage: Where the model goes.
            resource: Its name there.
            trained: The pipeline; without one every message is calm.
        """
        self._thresholds: dict[str, float] = {
            **_default_thresholds(),
            **(config["thresholds"] or {}),
        }
        self._model_storage = model_storage
        self._resource = resource
        self._pipeline = trained

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Give the defaults.

        Returns:
            `thresholds`: from which probability on each signal is a flag.
        """
        return {"thresholds": _default_thresholds()}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse thresholds for unknown signals or outside 0 to 1.

        Args:
            config: Of the component.

        Raises:
            InvalidConfigException: It is wrong.
        """
        for name, threshold in (config.get("thresholds") or {}).items():
            if name not in contract.SIGNALS:
                raise InvalidConfigException(f"EmotionRecognizer: no signal is called {name!r}")
            if not isinstance(threshold, int | float) or not 0 < threshold <= 1:
                raise InvalidConfigException(
                    f"EmotionRecognizer: the threshold of {name} must be above 0 and at most 1"
                )

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Let a change of the modules below train the component again; Rasa sees only this one.

        Args:
            config: Of the component.

        Returns:
            See `bot.nlu.sources`.
        """
        return fingerprint(contract, model)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EmotionRecognizer":
        """Make an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: object,
    ) -> "EmotionRecognizer":
        """Make a trained component, or one without a model if there were no examples."""
        with model_storage.read_from(resource) as folder:
            trained = pipeline.load(folder) if (folder / "meta.json").exists() else None
        return cls(config, model_storage, resource, trained)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples that have `anger` in their metadata.

        Args:
            training_data: All of Rasa's.

        Returns:
            Where the model is stored.

        Raises:
            BadLabelError: A label is not as agreed.
        """
        examples = [
            example
            for message in training_data.training_examples
            if (example := _example(message)) is not None
        ]
        with self._model_storage.write_to(self._resource) as folder:
            if examples:
                self._pipeline = pipeline.train(examples)
                self._pipeline.to_disk(folder)
            else:
                logger.warning("No example has anger in its metadata: every message will be calm")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `emotion` on the messages.

        Args:
            messages: Any, those without text included.

        Returns:
            The same messages.
        """
        for message in messages:
            message.set(EMOTION, self._recognise(message), add_to_output=True)
        return messages

    def _recognise(self, message: Message) -> dict[str, Any]:
        text = message.get(TEXT)
        if self._pipeline is None or not text or not text.strip():
            return contract.calm()
        doc = self._pipeline(text)
        # The classifier of intents looks at the same things.
        message.set(ANALYSIS, pipeline.analysis(doc))
        heard = doc._.emotion
        return contract.emotion(*heard, self._thresholds) if heard else contract.calm()


def _default_thresholds() -> dict[str, float]:
    """From where on a signal is worth acting on: the dearer a miss, the lower."""
    return {
        "complaint": 0.5,
        "escalation": 0.5,
        "human": 0.35,
        "closure": 0.5,
        "private": 0.3,
        "safety": 0.15,
    }


def _example(message: Message) -> Example | None:
    labels = (message.get(METADATA) or {}).get(METADATA_EXAMPLE)
    text = message.get(TEXT)
    if not text or not isinstance(labels, dict) or labels.get("anger") is None:
        return None
    anger, signals = labels["anger"], labels.get("signals") or []
    if type(anger) is not int or not 0 <= anger < contract.ANGER_LEVELS:
        raise BadLabelError(f"anger must be 0 to 3, not {anger!r}, at the example {text!r}")
    if not isinstance(signals, list) or not set(signals) <= set(contract.SIGNALS):
        raise BadLabelError(
            f"signals must be some of {', '.join(contract.SIGNALS)}, not {signals!r}, "
            f"at the example {text!r}"
        )
    return Example(text, anger, frozenset(signals))
