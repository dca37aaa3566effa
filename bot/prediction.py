"""Rasa's way from a message to the next action, without its detours.

Much of the time of a turn with rules goes, in stock Rasa 3.6.21, into work that changes no result:

- The rules are gone through one by one for each state of the conversation, and once more for
  rules about the very text of a message, of which there are none.
- dask plans the graph of the components anew for each run of it.

Here the rules are looked up by their intent, the search by text is left out where no rule could
be found by it, and the order of the components is planned once.
`apply()` puts this in place for the whole process when this
module is imported, which `bot.words` and `bot.channel` do. Training is left as it is: only loaded
models take the shorter way. `tests/bot/test_prediction.py` holds the results against stock Rasa's.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rasa.core.policies.rule_policy import RULES, RulePolicy
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.constants import (
    ACTION_LISTEN_NAME,
    PREVIOUS_ACTION,
    SHOULD_NOT_BE_SET,
    USER,
)
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

from bot.remote_action import require_rasa_version

State = Mapping[str, Mapping[str, Any]]
Found = tuple[str | None, str | None, bool]
# Name, node and the names of what it needs, in an order in which everything needed comes first.
Plan = list[tuple[str, GraphNode, list[str]]]

_PLANS = "_huixin_plans"
_INDEX = "_huixin_rules"

_stock_load_rules = RulePolicy.load.__func__
_stock_possible_keys = RulePolicy._get_possible_keys
_stock_find = RulePolicy._find_action_from_rules
_stock_run = DaskGraphRunner.run


def apply() -> None:
    """Let every model loaded from now on predict this way; harmless when repeated."""
    require_rasa_version()
    RulePolicy.load = classmethod(_load_rules)
    RulePolicy._get_possible_keys = _possible_keys
    RulePolicy._find_action_from_rules = _find_action_from_rules
    DaskGraphRunner.run = _run


# --- the rules ----------------------------------------------------------------------------


class RuleIndex:
    """The rules of a loaded policy, each read once, found by the intent of their last state."""

    def __init__(self, lookup: Mapping[str, str]) -> None:
        """Read the rules.

        Args:
            lookup: Rasa's: the states of each rule as JSON, oldest first, and its action.
        """
        self.lookup = lookup
        self._all: list[tuple[str, list[State]]] = []
        self._by_intent: dict[str | None, list[tuple[str, list[State]]]] = {}
        for key in lookup:
            states: list[State] = json.loads(key)[::-1]
            rule = (key, states)
            self._all.append(rule)
            self._by_intent.setdefault(_needed_intent(states), []).append(rule)
        self.text_matters = any(_may_match_text(states) for _, states in self._all)

    def applicable(self, states: list[State]) -> set[str]:
        """Find the rules that fit a conversation.

        Args:
            states: Of the conversation, oldest first.

        Returns:
            Their keys in the lookup, as Rasa's own search finds them.
        """
        latest_first = states[::-1]
        return {
            key
            for key, rule_states in self._candidates(latest_first)
            if all(map(_fits, rule_states, latest_first))
        }

    def _candidates(self, latest_first: list[State]) -> Iterable[tuple[str, list[State]]]:
        if not latest_first or not latest_first[0].get(PREVIOUS_ACTION):
            # At the start of a conversation the intent is not compared.
            return self._all
        intent = latest_first[0].get(USER, {}).get(INTENT)
        # Rules whose last state names no intent fit any.
        without = self._by_intent.get(None, [])
        return [*self._by_intent.get(intent, []), *without] if intent is not None else without


def _needed_intent(latest_first: list[State]) -> str | None:
    """Give the intent without which the rule never fits; None where there is no such."""
    intent = latest_first[0].get(USER, {}).get(INTENT) if latest_first else None
    return intent if isinstance(intent, str) and intent not in ("", SHOULD_NOT_BE_SET) else None


def _may_match_text(latest_first: list[State]) -> bool:
    """Tell whether the rule could fit right after a message of which only the text is looked at."""
    if not latest_first:
        return True
    if _needed_intent(latest_first) is not None:
        return False
    action = latest_first[0].get(PREVIOUS_ACTION, {}).get(ACTION_NAME)
    return action is None or action in (ACTION_LISTEN_NAME, SHOULD_NOT_BE_SET)


def _fits(rule_state: State, state: State) -> bool:
    """Compare one state of a rule as `RulePolicy._is_rule_applicable` does."""
    acted, rule_acted = state.get(PREVIOUS_ACTION), rule_state.get(PREVIOUS_ACTION)
    if not acted or not rule_acted:
        return not acted and not rule_acted
    return RulePolicy._does_rule_match_state(rule_state, state)


def _load_rules(cls: type[RulePolicy], *args: object, **kwargs: object) -> RulePolicy:
    policy = _stock_load_rules(cls, *args, **kwargs)
    rules = (policy.lookup or {}).get(RULES)
    if rules is not None:
        setattr(policy, _INDEX, RuleIndex(rules))
    return policy


def _possible_keys(self: RulePolicy, lookup: dict[str, str], states: list[State]) -> set[str]:
    index = getattr(self, _INDEX, None)
    # Training changes the lookup; the rules of forms have one of their own.
    if index is None or index.lookup is not lookup:
        return _stock_possible_keys(self, lookup, states)
    return index.applicable(states)


def _find_action_from_rules(
    self: RulePolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    use_text_for_last_user_input: bool,
) -> Found:
    index = getattr(self, _INDEX, None)
    if use_text_for_last_user_input and index is not None:
        if not index.text_matters and not tracker.active_loop_name:
            return None, None, False
    return _stock_find(self, tracker, domain, use_text_for_last_user_input)


# --- the graph ----------------------------------------------------------------------------


def _run(
    self: DaskGraphRunner,
    inputs: dict[str, Any] | None = None,
    targets: list[str] | None = None,
) -> dict[str, Any]:
    wanted = tuple(targets or self._graph_schema.target_names)
    plans: dict[tuple[str, ...], Plan | None] = self.__dict__.setdefault(_PLANS, {})
    if wanted not in plans:
        plans[wanted] = _planned(self, wanted)
    plan = plans[wanted]
    if plan is None:
        return _stock_run(self, inputs, targets)
    results = {name: (name, value) for name, value in (inputs or {}).items()}
    try:
        for name, node, needs in plan:
            if name not in results:
                # What is given by nobody is handed over by its name, as dask does.
                results[name] = node(*(results.get(need, need) for need in needs))
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return dict(results[target] for target in wanted)


def _planned(runner: DaskGraphRunner, wanted: tuple[str, ...]) -> Plan | None:
    """Put the nodes in order; None for a graph of training, whose nodes make their components."""
    nodes = runner._graph_schema.minimal_graph_schema(list(wanted)).nodes
    if not all(node.eager for node in nodes.values()):
        return None
    plan: Plan = []
    planned: set[str] = set()

    def visit(name: str) -> None:
        if name in planned or name not in nodes:
            return
        planned.add(name)
        needs = list(nodes[name].needs.values())
        for need in needs:
            visit(need)
        plan.append((name, runner._instantiated_nodes[name], needs))

    for target in wanted:
        visit(target)
    return plan


apply()
