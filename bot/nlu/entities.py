"""Rasa's graph component for entities.

It learns from the marked examples of `data/nlu/`; the patterns and lookup tables there whose names
are kinds of entities lead it. Rasa's own `CRFEntityExtractor` keeps its examples instead of what it
learnt and trains again at each start.
"""

import tempfile
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import entity_model
from bot.nlu.entity_model import EntityModel, Span, gazetteer_of
from bot.nlu.sources import fingerprint


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class EntityTagger(GraphComponent, EntityExtractorMixin):
    """Sets `entities` on each message."""

    def __init__(
        self, model_storage: ModelStorage, resource: Resource, trained: EntityModel | None = None
    ) -> None:
        """Keep what Rasa gives.

        Args:
            model_storage: Where the model goes.
            resource: Its name there.
            trained: The model; without one nothing is found.
        """
        self._model_storage = model_storage
        self._resource = resource
        self._model = trained

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Let a change of the model's source train the component again.

        Args:
            config: Of the component; it has no settings.

        Returns:
            See `bot.nlu.sources`.
        """
        return fingerprint(entity_model)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EntityTagger":
        """Make an untrained component."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: object,
    ) -> "EntityTagger":
        """Make a trained component, or one without a model if there were no examples."""
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, EntityModel.load(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples, if anything is marked in them.

        Args:
            training_data: All of Rasa's.

        Returns:
            Where the model is stored.

        Raises:
            re.error: A pattern is no regular expression.
        """
        examples = [
            (message.get(TEXT), _marked(message))
            for message in training_data.nlu_examples
            if message.get(TEXT)
        ]
        with self._model_storage.write_to(self._resource) as folder:
            kinds = {kind for _, marks in examples for _, _, kind in marks}
            if kinds:
                gazetteer = gazetteer_of(
                    kinds, training_data.regex_features, training_data.lookup_tables
                )
                with tempfile.TemporaryDirectory() as draft:
                    self._model = EntityModel.fit(examples, gazetteer, Path(draft))
                self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Mark the messages.

        Args:
            messages: Any, those without text included.

        Returns:
            The same messages.
        """
        for message in messages:
            text = message.get(TEXT)
            found = self._model.predict(text) if self._model and text else []
            entities = [
                {"entity": kind, "start": start, "end": end, "value": text[start:end]}
                for start, end, kind in found
            ]
            message.set(ENTITIES, self.add_extractor_name(entities), add_to_output=True)
        return messages


def _marked(message: Message) -> list[Span]:
    return [(one["start"], one["end"], one["entity"]) for one in message.get(ENTITIES) or []]
