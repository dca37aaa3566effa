"""The shorter way to intent and action gives what stock Rasa's way gives."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.graph import GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot import prediction

TEXTS = (
    "房间根本没打扫",
    "你好",
    "谢谢你们",
    "好的就这样",
    "订单SX20261122的东西坏了",
    "？？",
    "abc",
)
INTENTS = ("complain", "greet", "thanks", "accept", "entered", "crash", "chatter", "nlu_fallback")


@pytest.fixture(scope="module")
def quick(model: Path) -> Agent:
    prediction.apply()
    return Agent.load(str(model))


@pytest.fixture
def stock(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """The same model, loaded and asked by Rasa as it comes."""
    patch = monkeypatch.setattr
    patch(RulePolicy, "load", classmethod(prediction._stock_load_rules))
    patch(RulePolicy, "_get_possible_keys", prediction._stock_possible_keys)
    patch(RulePolicy, "_find_action_from_rules", prediction._stock_find)
    patch(DaskGraphRunner, "run", prediction._stock_run)
    yield Agent.load(str(model))


def component(agent: Agent, kind: type) -> object:
    nodes = agent.processor.graph_runner._instantiated_nodes.values()
    return next(node._component for node in nodes if isinstance(node._component, kind))


def conversations(agent: Agent) -> Iterator[DialogueStateTracker]:
    """Every pair of intents at every pair of stages, before the answer and after it."""
    stages = ("public", "hearing", None)
    for number, (first, second, before, after) in enumerate(
        itertools.product(INTENTS, INTENTS, stages, stages)
    ):
        tracker = DialogueStateTracker(str(number), agent.domain.slots)
        tracker.update(ActionExecuted("action_session_start"))
        tracker.update(SessionStarted())
        tracker.update(ActionExecuted("action_listen"))
        for intent, stage in ((first, before), (second, after)):
            if stage:
                tracker.update(SlotSet("stage", stage), agent.domain)
            tracker.update(UserUttered("话", {"name": intent, "confidence": 1.0}), agent.domain)
            yield tracker
            tracker.update(ActionExecuted("action_private"), agent.domain)
            tracker.update(BotUttered("好"), agent.domain)
            yield tracker
            tracker.update(ActionExecuted("action_listen"), agent.domain)


def understood(agent: Agent) -> list[dict[str, object]]:
    async def parse() -> list[dict[str, object]]:
        return [await agent.processor.parse_message(UserMessage(text)) for text in TEXTS]

    return asyncio.run(parse())


def test_understands_the_same(quick: Agent, stock: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = understood(stock)
    monkeypatch.undo()

    assert understood(quick) == expected


def test_predicts_the_same(quick: Agent, stock: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [
        (made.probabilities, made.policy_name, made.hide_rule_turn)
        for tracker in conversations(stock)
        if (made := stock.processor._predict_next_with_tracker(tracker))
    ]
    monkeypatch.undo()

    taken = [
        (made.probabilities, made.policy_name, made.hide_rule_turn)
        for tracker in conversations(quick)
        if (made := quick.processor._predict_next_with_tracker(tracker))
    ]

    assert taken == expected
    assert len({str(one) for one in taken}) > 3


def test_a_loaded_graph_needs_no_planning(quick: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan_again(*_: object) -> None:
        raise AssertionError("dask was asked")

    tracker = next(conversations(quick))
    monkeypatch.setattr("rasa.engine.runner.dask.dask.get", plan_again)

    assert quick.processor._predict_next_with_tracker(tracker).max_confidence == 1.0


def test_a_graph_that_makes_its_components_is_left_to_rasa() -> None:
    node = {"fn": "train", "constructor_name": "create", "config": {}, "needs": {}}
    lazy = GraphSchema({"one": SchemaNode(uses=RulePolicy, eager=False, is_target=True, **node)})
    runner = DaskGraphRunner.__new__(DaskGraphRunner)
    runner._graph_schema = lazy
    runner._instantiated_nodes = {}

    assert prediction._planned(runner, ("one",)) is None


def rule(*states: dict[str, object]) -> str:
    return json.dumps(states)


LISTENED = {"prev_action": {"action_name": "action_listen"}}
HEARD = {**LISTENED, "user": {"intent": "greet"}}
RULES = {
    rule(HEARD): "greets back",
    rule({"user": {"intent": "greet"}}): "only at the start",
    rule({**LISTENED, "user": {"intent": "thanks"}}): "thanks back",
    rule({**HEARD, "slots": {"stage": ["public"]}}): "in public",
    rule({**HEARD, "slots": {"stage": "should_not_be_set"}}): "without a stage",
    rule(HEARD, {"prev_action": {"action_name": "utter_hello"}}): "listens",
    rule({"prev_action": {"action_name": "utter_bye"}}): "after another action",
}
CONVERSATIONS = (
    [HEARD],
    [{**HEARD, "slots": {"stage": ("public",)}}],
    [HEARD, {"prev_action": {"action_name": "utter_hello"}, "user": {"intent": "greet"}}],
    [{"user": {"intent": "greet"}}],
    [{"user": {"intent": "thanks"}}],
    [{}],
    [{**LISTENED, "user": {"text": "你好"}}],
    [{**LISTENED, "user": {"intent": "unheard_of"}}],
    [],
)


@pytest.mark.parametrize("states", CONVERSATIONS, ids=str)
def test_the_index_finds_what_the_search_finds(states: list[dict[str, object]]) -> None:
    policy = RulePolicy.__new__(RulePolicy)

    found = prediction.RuleIndex(RULES).applicable(states)

    assert found == prediction._stock_possible_keys(policy, RULES, states)


@pytest.mark.parametrize(
    ("key", "matters"),
    [
        (rule(HEARD), False),
        (rule({"prev_action": {"action_name": "utter_bye"}}), False),
        (rule({**LISTENED, "user": {"text": "你好"}}), True),
        (rule({**LISTENED, "slots": {"stage": ["public"]}}), True),
        (rule({"slots": {"stage": ["public"]}}), True),
        (rule(), True),
    ],
)
def test_text_is_looked_for_where_a_rule_could_have_it(key: str, matters: bool) -> None:
    assert prediction.RuleIndex({key: "action"}).text_matters is matters
