"""Rasa's graph component for intents.

It learns from the examples of `data/nlu/` and from the patterns there whose names begin with
`about_` or `does_`. When the message comes with the industry of its business (our channel sends
it as `metadata.industry`), failures of other industries are not considered.
"""

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import intent_model, pipeline
from bot.nlu.emotion import ANALYSIS
from bot.nlu.intent_model import IntentModel, Patterns
from bot.nlu.sources import fingerprint

PREFIXES = ("about_", "does_")
RANKING = "intent_ranking"


class BadPatternError(RasaException):
    """A pattern of the training data is no regular expression."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TradeIntentClassifier(GraphComponent, IntentClassifier):
    """Sets `intent` and `intent_ranking` on each message."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        trained: IntentModel | None = None,
    ) -> None:
        """Keep what Rasa gives.

        Args:
            config: Of the component, defaults included.
            model_storage: Where the model goes.
            resource: Its name there.
            trained: The model; without one no message has an intent.
        """
        self._ranking: int = config["ranking_length"]
        self._model_storage = model_storage
        self._resource = resource
        self._model = trained
        self._analyse = pipeline.analyser()

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Give the defaults.

        Returns:
            `ranking_length`: how many intents are named with each message.
        """
        return {"ranking_length": 5}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Let a change of the modules below train the component again; Rasa sees only this one.

        Args:
            config: Of the component.

        Returns:
            See `bot.nlu.sources`.
        """
        return fingerprint(intent_model)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "TradeIntentClassifier":
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
    ) -> "TradeIntentClassifier":
        """Make a trained component, or one without a model if there were no examples."""
        with model_storage.read_from(resource) as folder:
            trained = IntentModel.load(folder) if (folder / "intents.json").exists() else None
        return cls(config, model_storage, resource, trained)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples that have an intent.

        Args:
            training_data: All of Rasa's.

        Returns:
            Where the model is stored.

        Raises:
            BadPatternError: A pattern is no regular expression.
        """
        examples = [
            (one.get(TEXT), one.get(INTENT))
            for one in training_data.intent_examples
            if one.get(TEXT) and one.get(INTENT)
        ]
        patterns = _patterns(training_data)
        with self._model_storage.write_to(self._resource) as folder:
            if examples:
                analyses = pipeline.analyses([text for text, _ in examples])
                intents = [intent for _, intent in examples]
                self._model = IntentModel.fit(analyses, intents, patterns)
                self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent of the messages.

        Args:
            messages: Any, those without text included.

        Returns:
            The same messages.
        """
        for message in messages:
            text = message.get(TEXT)
            if not text or self._model is None:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                continue
            industry = (message.get(METADATA) or {}).get("industry") or None
            analysis = message.get(ANALYSIS) or self._analyse(text)
            likely = self._model.predict(analysis, industry)
            ranking = [
                {"name": name, "confidence": share}
                for name, share in [*likely.items()][: self._ranking]
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(RANKING, ranking, add_to_output=True)
        return messages


def _patterns(training_data: TrainingData) -> Patterns:
    """The patterns meant for intents; several of one name are alternatives."""
    sources: dict[str, list[str]] = {}
    for feature in training_data.regex_features:
        if feature["name"].startswith(PREFIXES):
            sources.setdefault(feature["name"], []).append(feature["pattern"])
    for name, parts in sources.items():
        for part in parts:
            try:
                re.compile(part)
            except re.error as error:
                raise BadPatternError(f"The pattern {name} in data/nlu: {error}") from error
    return Patterns({name: "|".join(parts) for name, parts in sorted(sources.items())})
