"""Rasa's call of a custom action, mended.

Stock Rasa 3.6.21 builds the JSON schema of the result anew for every call, sends the whole
domain and every event of the conversation, opens a new HTTP session and waits up to five
minutes. That is most of the cost of a turn with one trivial action. Here the validator is
compiled once, the domain is left out, the events are left out where the case store already
knows the story (a message of the desk carries `conversation` in its metadata), connections are
kept open, and an action has three seconds.

`apply()` replaces `RemoteAction.run` for the whole process. It is called when this module is
imported, and both `bot.words` and `bot.channel` import it, so that `rasa run`, `rasa shell`
and `python -m bot` all call actions alike.
"""

import asyncio
import atexit
import json
import logging
import os
import ssl
import time
import warnings
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
import rasa
from jsonschema import Draft7Validator
from rasa.core.actions.action import (
    ActionExecutionRejection,
    RemoteAction,
    create_bot_utterance,
)
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import EndpointConfig

logger = logging.getLogger(__name__)

RASA_VERSION = "3.6.21"
TIMEOUT_SECONDS = 3.0
URL_VARIABLE = "HUIXIN_ACTIONS_URL"

# What a response of the action server may say about the message itself. Its other keywords are
# the variables of the text; stock Rasa would store them with every utterance.
_MESSAGE_KEYS = frozenset(
    {"text", "buttons", "quick_replies", "elements", "custom", "image", "attachment"}
)

_validator = Draft7Validator(RemoteAction.action_response_format_spec())
_sessions: "WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession]" = (
    WeakKeyDictionary()
)

failed_actions: ContextVar[list[str] | None] = ContextVar("failed_actions", default=None)
"""Names of the actions that failed in the present turn, for whoever set a list.

Rasa logs a failing action as executed and goes on, so that nobody could tell afterwards.
"""


class ActionFailedError(RasaException):
    """The action server did not give a usable result. Its text names no customer data."""


def require_rasa_version() -> None:
    """Refuse any other Rasa than the one whose inner parts we rely on.

    Raises:
        RuntimeError: Another version is installed. Not an ImportError: Rasa takes that for a
            misspelt module name and goes on without our class.
    """
    if rasa.__version__ != RASA_VERSION:
        raise RuntimeError(
            f"Huixin's bot is built on Rasa {RASA_VERSION}, but {rasa.__version__} is installed. "
            "bot/ uses inner parts of Rasa: check them against the new version, then change "
            "RASA_VERSION in bot/remote_action.py."
        )


def apply() -> None:
    """Let every custom action of this process be called by `run`; harmless when repeated."""
    require_rasa_version()
    RemoteAction.run = _run


def call_body(name: str, tracker: DialogueStateTracker) -> dict[str, Any]:
    """Build what the action server is sent.

    Args:
        name: The action.
        tracker: The conversation.

    Returns:
        The request of Rasa's action protocol. `domain` is empty, not absent: rasa-sdk 3.21
        answers an absent one with 449. `tracker.events` is empty when the latest message comes
        from the desk, else it holds all events.
    """
    from_desk = bool((tracker.latest_message.metadata or {}).get("conversation"))
    state = tracker.current_state(EventVerbosity.NONE if from_desk else EventVerbosity.ALL)
    if from_desk:
        state["events"] = []
    return {
        "next_action": name,
        "sender_id": tracker.sender_id,
        "tracker": state,
        "domain": {},
        "version": rasa.__version__,
    }


async def _run(
    self: RemoteAction,
    output_channel: OutputChannel,
    nlg: NaturalLanguageGenerator,
    tracker: DialogueStateTracker,
    domain: Domain,
) -> list[Event]:
    """Run the action on the action server and turn its result into events.

    Args:
        self: The action, which holds its name and endpoint.
        output_channel: Where the words go; only its name is used.
        nlg: Makes texts of response names.
        tracker: The conversation.
        domain: Not sent; part of Rasa's signature.

    Returns:
        The utterances, then the events of the result.

    Raises:
        ActionExecutionRejection: The server answered 400.
        ActionFailedError: It could not be reached, was too slow or answered nonsense.
    """
    try:
        result = await _ask(self, call_body(self.name(), tracker))
        utterances = await _utter(result.get("responses") or [], output_channel, nlg, tracker)
        return [*utterances, *deserialise_events(result.get("events") or [])]
    except ActionExecutionRejection:
        raise
    # Whatever it was (network, protocol, words), the turn has to know that its action failed.
    except Exception:
        failures = failed_actions.get()
        if failures is not None:
            failures.append(self.name())
        raise


async def _ask(action: RemoteAction, body: dict[str, Any]) -> dict[str, Any]:
    endpoint = action.action_endpoint
    url = os.environ.get(URL_VARIABLE) or (endpoint.url if endpoint else None)
    if not url:
        raise ActionFailedError(
            f"Action '{action.name()}' has no endpoint: set action_endpoint in endpoints.yml."
        )
    endpoint = endpoint or EndpointConfig(url)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    data = json.dumps(body).encode()
    try:
        try:
            status, answer = await _post(endpoint, url, data, deadline)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A kept connection that the server closed at this very moment. Actions only read,
            # so that asking again is safe.
            status, answer = await _post(endpoint, url, data, deadline)
    except asyncio.TimeoutError:
        raise ActionFailedError(
            f"Action '{action.name()}' did not answer within {TIMEOUT_SECONDS:g} seconds."
        ) from None
    except aiohttp.ClientError as error:
        raise ActionFailedError(
            f"Action '{action.name()}': no answer from the action server ({type(error).__name__})."
        ) from None
    return _result(action.name(), status, answer)


async def _post(
    endpoint: EndpointConfig, url: str, data: bytes, deadline: float
) -> tuple[int, bytes]:
    left = max(deadline - time.monotonic(), 0.001)
    auth = endpoint.basic_auth
    async with _session().post(
        url,
        data=data,
        headers={"Content-Type": "application/json", **endpoint.headers},
        params=endpoint.combine_parameters(),
        auth=aiohttp.BasicAuth(auth["username"], auth["password"]) if auth else None,
        ssl=ssl.create_default_context(cafile=endpoint.cafile) if endpoint.cafile else None,
        timeout=aiohttp.ClientTimeout(total=left),
    ) as response:
        return response.status, await response.read()


def _result(name: str, status: int, answer: bytes) -> dict[str, Any]:
    """Check what the server answered. No error may quote it: it can echo customer data."""
    try:
        result = json.loads(answer)
    except ValueError:
        result = None
    if status == 400 and isinstance(result, dict) and "action_name" in result:
        raise ActionExecutionRejection(result["action_name"], result.get("error"))
    if status != 200:
        raise ActionFailedError(f"Action '{name}': the action server answered {status}.")
    wrong = next(_validator.iter_errors(result), None)
    if wrong is not None:
        raise ActionFailedError(
            f"Action '{name}': the result is malformed at {wrong.json_path} ({wrong.validator})."
        )
    checked: dict[str, Any] = result
    return checked


async def _utter(
    responses: list[dict[str, Any]],
    output_channel: OutputChannel,
    nlg: NaturalLanguageGenerator,
    tracker: DialogueStateTracker,
) -> list[BotUttered]:
    """Make utterances of an action's responses, each knowing what was said just before it."""
    utterances: list[BotUttered] = []
    for given in responses:
        given = dict(given)
        name = given.pop("response", None)
        buttons = given.pop("buttons", None) or []
        if name:
            # Utterances reach the tracker only when the action is done.
            given["said_in_turn"] = [
                said.metadata["variant"] for said in utterances if "variant" in said.metadata
            ]
            draft = await nlg.generate(name, tracker, output_channel.name(), **given)
            if not draft:
                continue
            draft["utter_action"] = name
            given = {key: value for key, value in given.items() if key in _MESSAGE_KEYS}
        else:
            draft = {}
        if buttons:
            draft["buttons"] = [*(draft.get("buttons") or []), *buttons]
        draft.update({key: value for key, value in given.items() if value})
        utterances.append(create_bot_utterance(draft))
    return utterances


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100))
        _sessions[loop] = session
    return session


async def close_session() -> None:
    """Close the kept connections of the running event loop; call it when a server stops."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()


@atexit.register
def _drop_connections() -> None:
    """Close what nobody closed; `rasa shell` has no place from which to call us."""
    for session in list(_sessions.values()):
        connector = session.connector
        session.detach()
        if connector is not None:
            with warnings.catch_warnings():
                # There is no event loop left to await in; the sockets are closed at once anyway.
                warnings.simplefilter("ignore")
                connector.close()


apply()
