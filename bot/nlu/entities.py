"""One entity a place, where extractors found several."""

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES
from rasa.shared.nlu.training_data.message import Message

PATTERN_EXTRACTOR = "RegexEntityExtractor"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EntityOverlapResolver(GraphComponent):
    """Keeps one of several overlapping entities.

    What a pattern found goes first, since its form is sure; then the longer one: 三天前 is a date
    and not a duration with something behind it.
    """

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EntityOverlapResolver":
        """Make the component; it has no settings."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Take the doubles out of each message.

        Args:
            messages: With what the extractors before found.

        Returns:
            The same messages, entities in the order of the text.
        """
        for message in messages:
            found = message.get(ENTITIES)
            if found:
                message.set(ENTITIES, resolved(found), add_to_output=True)
        return messages


def resolved(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep one of overlapping entities.

    Args:
        entities: As Rasa's extractors give them.

    Returns:
        Those kept, by their place in the text.
    """
    kept: list[dict[str, Any]] = []
    by_trust = sorted(
        entities,
        key=lambda entity: (
            entity.get("extractor") != PATTERN_EXTRACTOR,
            entity["start"] - entity["end"],
            entity["start"],
        ),
    )
    for entity in by_trust:
        if not any(
            entity["start"] < other["end"] and other["start"] < entity["end"] for other in kept
        ):
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity["start"])
