"""Rasa's call of an action, mended, against a server that behaves and one that does not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from rasa.core.actions import action as rasa_actions
from rasa.core.actions import forms
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot import remote_action
from bot.remote_action import ActionFailedError, close_session, failed_actions
from bot.words import ResponseSelector
from tests.bot.standin import Actions, payload, utter

T = TypeVar("T")

RESPONSES = {
    "say_twice": [{"text": "甲"}, {"text": "乙"}],
    "say_matter": [{"text": "{matter}", "buttons": [{"title": "一", "payload": "1"}]}],
}


def conversation(sender: str, **metadata: object) -> DialogueStateTracker:
    tracker = DialogueStateTracker(sender, [])
    tracker.update(UserUttered("你好", {"name": "greet"}, message_id="m1", metadata=metadata))
    return tracker


def run(actions: Actions, tracker: DialogueStateTracker) -> list[Event]:
    return in_loop(lambda: call(actions, tracker))


def in_loop(work: Callable[[], Awaitable[T]]) -> T:
    async def scenario() -> T:
        try:
            return await work()
        finally:
            await close_session()

    return asyncio.run(scenario())


async def call(actions: Actions, tracker: DialogueStateTracker) -> list[Event]:
    selector = ResponseSelector(None, Domain.empty())
    selector.responses = RESPONSES
    remote = RemoteAction("action_public", EndpointConfig(actions.url))
    return await remote.run(CollectingOutputChannel(), selector, tracker, Domain.empty())


def test_every_remote_action_of_the_process_is_mended() -> None:
    assert RemoteAction.run is remote_action._run
    assert rasa_actions.RemoteAction is forms.RemoteAction


def test_another_rasa_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rasa.__version__", "3.6.22")

    with pytest.raises(RuntimeError, match=r"built on Rasa 3\.6\.21"):
        remote_action.apply()


def test_the_desks_messages_travel_without_events_and_others_with_all(
    actions: Actions, sender: str
) -> None:
    run(actions, conversation(sender, conversation="k"))
    run(actions, conversation(sender))

    with_desk, without = actions.of(sender)
    assert with_desk["tracker"]["events"] == []
    assert [event["event"] for event in without["tracker"]["events"]] == ["user"]
    assert with_desk["domain"] == without["domain"] == {}
    assert with_desk["next_action"] == "action_public"
    assert with_desk["tracker"]["latest_message"]["text"] == "你好"


def test_words_payloads_and_events_of_the_result(actions: Actions, sender: str) -> None:
    actions.on(
        sender,
        lambda _: (
            200,
            {
                "events": [{"event": "slot", "name": "stage", "value": "hearing"}],
                "responses": [
                    {
                        **utter("say_matter", matter="地毯", anger=2),
                        "buttons": [{"title": "二", "payload": "2"}],
                    },
                    payload({"do": "note"}),
                    {"text": "直说", "kind": "plain"},
                ],
            },
        ),
    )

    words, custom, plain, slot = run(actions, conversation(sender))

    assert isinstance(words, BotUttered)
    assert words.text == "地毯"
    assert [button["title"] for button in words.data["buttons"]] == ["一", "二"]
    # The variables of a text are not stored beside it.
    assert words.metadata.keys() == {"utter_action", "variant"}
    assert custom.data["custom"] == {"commands": [{"do": "note"}]}
    assert (plain.text, plain.metadata) == ("直说", {"kind": "plain"})
    assert isinstance(slot, SlotSet)
    assert slot.value == "hearing"


def test_words_of_one_turn_know_of_each_other(actions: Actions, sender: str) -> None:
    actions.on(sender, lambda _: (200, {"events": [], "responses": [utter("say_twice")] * 2}))

    said = run(actions, conversation(sender))

    assert {event.text for event in said} == {"甲", "乙"}


def test_an_optional_response_may_be_left_out(actions: Actions, sender: str) -> None:
    responses = [*[utter("say_twice")] * 2, utter("say_twice", optional=True)]
    actions.on(sender, lambda _: (200, {"events": [], "responses": responses}))

    assert len(run(actions, conversation(sender))) == 2


def test_a_rejection_is_rasas_own(actions: Actions, sender: str) -> None:
    actions.on(sender, lambda _: (400, {"action_name": "action_public", "error": "不行"}))

    with pytest.raises(ActionExecutionRejection, match="不行"):
        run(actions, conversation(sender))


@pytest.mark.parametrize(
    "reply",
    [
        (500, {"error": "秘密", "request_body": {"text": "秘密"}}),
        (404, {"action_name": "x", "error": "秘密"}),
        (400, {"error": "秘密"}),
        (200, None),
        (200, []),
        (200, b"\xff"),
        (200, {"events": {"event": "秘密"}}),
        (200, {"events": [{"event": "秘密"}]}),
        (200, {"responses": ["秘密"]}),
    ],
)
def test_a_broken_result_fails_and_is_not_quoted(
    actions: Actions, sender: str, reply: tuple[int, object]
) -> None:
    actions.on(sender, lambda _: reply)
    failures: list[str] = []

    async def scenario() -> None:
        failed_actions.set(failures)
        await call(actions, conversation(sender))

    with pytest.raises(ActionFailedError) as raised:
        in_loop(scenario)

    assert "秘密" not in str(raised.value)
    assert failures == ["action_public"]


def test_no_server_is_a_failure(sender: str) -> None:
    async def scenario() -> None:
        nobody = RemoteAction("action_public", EndpointConfig("http://127.0.0.1:9/webhook"))
        await nobody.run(
            CollectingOutputChannel(),
            ResponseSelector(None, None),
            conversation(sender),
            Domain.empty(),
        )

    with pytest.raises(ActionFailedError, match="no answer"):
        in_loop(scenario)


def test_the_environment_names_the_server(
    actions: Actions, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUIXIN_ACTIONS_URL", actions.url)

    async def scenario() -> list[Event]:
        remote = RemoteAction("action_public", EndpointConfig("http://127.0.0.1:9/webhook"))
        actions.on(sender, lambda _: (200, {"events": [], "responses": []}))
        return await remote.run(
            CollectingOutputChannel(),
            ResponseSelector(None, None),
            conversation(sender),
            Domain.empty(),
        )

    assert in_loop(scenario) == []


def test_connections_are_kept(actions: Actions, sender: str) -> None:
    async def scenario() -> None:
        for _ in range(5):
            await call(actions, conversation(sender))

    actions.connections.clear()
    in_loop(scenario)

    assert len(actions.connections) == 1
