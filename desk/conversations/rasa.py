"""The road to Rasa: one call a message, to the process that has the conversation.

Over httpcore, the transport of httpx, alone: every message pays for this call, and what httpx adds
(cookies, redirects, authentication) costs it a millisecond and is of no use between our processes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any
from zlib import crc32

import httpcore

from desk.metrics import Metrics

_AWAY = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.ConnectionNotAvailable,
)


_AT_ONCE = 100


class RasaAwayError(RuntimeError):
    """Rasa did not answer, or not with an answer. The same message may be sent again."""


@dataclass(frozen=True)
class Answer:
    """What Rasa said to one message.

    Attributes:
        messages: In order: words (`text`, `response`, `variant`, `buttons`) and custom payloads.
        understood: The parse.
        failed: An action failed; what is said may be incomplete.
        repeated: It was given before, to the same message id.
    """

    messages: list[dict[str, Any]]
    understood: dict[str, Any]
    failed: bool
    repeated: bool = False


class Rasa:
    """Client of the channel in `bot/channel.py`."""

    def __init__(
        self, addresses: tuple[str, ...], token: str, seconds: float, metrics: Metrics
    ) -> None:
        """Prepare the connections.

        Args:
            addresses: One or more single-worker Rasa processes; conversations are spread over
                them by a hash of their id.
            token: As in `HUIXIN_RASA_TOKEN` of the Rasa processes.
            seconds: Limit of one call.
            metrics: Where calls are measured.
        """
        self._addresses = addresses
        self._metrics = metrics
        self._headers = [
            ("Authorization", f"Bearer {token}"),
            ("Content-Type", "application/json"),
        ]
        self._timeout = {"connect": 1.0, "read": seconds, "write": seconds, "pool": seconds}
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=64, max_keepalive_connections=32, keepalive_expiry=5.0
        )

    def _address(self, conversation: str) -> str:
        return self._addresses[crc32(conversation.encode()) % len(self._addresses)]

    async def _post(self, conversation: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._call(self._address(conversation), path, body)

    async def _call(self, address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        begun = perf_counter()
        try:
            response = await self._pool.request(
                "POST",
                address + path,
                headers=self._headers,
                content=json.dumps(body).encode(),
                extensions={"timeout": self._timeout},
            )
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            answer: dict[str, Any] = json.loads(response.content)
        except (*_AWAY, ValueError) as error:
            self._metrics.rasa_failures.inc()
            raise RasaAwayError(f"{path}: {type(error).__name__}") from error
        self._metrics.rasa.observe(perf_counter() - begun)
        return answer

    async def ask(self, conversation: str, body: dict[str, Any]) -> Answer:
        """Let the bot answer a message.

        Args:
            conversation: Id of the conversation, which chooses the process.
            body: As documented for `POST /desk/messages`.

        Returns:
            The answer; for a message id sent before, the answer given then.

        Raises:
            RasaAwayError: No answer.
        """
        answer = await self._post(conversation, "/desk/messages", body)
        return Answer(
            messages=answer.get("messages") or [],
            understood=answer.get("understood") or {},
            failed=bool(answer.get("failed")),
            repeated=bool(answer.get("repeated")),
        )

    async def overhear(self, conversation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Let the bot hear a message that a person answers.

        Returns:
            What was understood.

        Raises:
            RasaAwayError: No answer.
        """
        answer = await self._post(conversation, "/desk/overheard", body)
        understood: dict[str, Any] = answer.get("understood") or {}
        return understood

    async def told(self, conversation: str, body: dict[str, Any]) -> None:
        """Let the bot know what a person said.

        Raises:
            RasaAwayError: No answer.
        """
        await self._post(conversation, "/desk/spoken", body)

    async def forget(self, conversations: Iterable[str], before: datetime | None = None) -> int:
        """Let the bot forget conversations for good.

        Args:
            conversations: Their ids.
            before: Also all of them in which nothing was said since.

        Returns:
            How many episodes it has forgotten.

        Raises:
            RasaAwayError: No answer, of one of the processes; asking again is safe.
        """
        moment = before.timestamp() if before else None
        names, forgotten = list(conversations), 0
        for address in self._addresses:
            mine = [one for one in names if self._address(one) == address]
            portions = [mine[place : place + _AT_ONCE] for place in range(0, len(mine), _AT_ONCE)]
            for portion in portions or [[]] * (moment is not None):
                body = {"conversations": portion, "before": moment}
                answer = await self._call(address, "/desk/forget", body)
                forgotten += int(answer.get("forgotten") or 0)
        return forgotten

    async def ready(self) -> bool:
        """Whether every Rasa process has its model loaded."""
        timeout = {"connect": 1.0, "read": 2.0, "write": 2.0, "pool": 2.0}
        try:
            for address in self._addresses:
                response = await self._pool.request(
                    "GET", f"{address}/readyz", extensions={"timeout": timeout}
                )
                if response.status != 200:
                    return False
        except _AWAY:
            return False
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
