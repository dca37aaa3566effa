"""A desk with WeChat accounts that dies where a test says; WeChat and Rasa live on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.scene import Member, Scene
from tests.desk.scripted_rasa import scripted_rasa
from tests.support.stack import Stack, wait_until
from tests.support.wechat.double import Double

PASSWORD = "正确的马和电池和订书钉"
ARTICLE = "2247483650"
CAREFUL, BOLD = "fuwu", "shiyong"
"""Of the second the settings say that what may have been lost is sent again."""


class WeChatScene(Scene):
    """The desk, and the WeChat that it talks to."""

    def __init__(self, stack: Stack, double: Double) -> None:
        """Prepare.

        Args:
            stack: Of which only the desk runs.
            double: WeChat.
        """
        super().__init__(stack)
        self.double = double

    def conversation(self, openid: str) -> str:
        """Where the words of a customer go."""
        query = "SELECT conversation_id FROM wechat_contacts WHERE openid = ?"
        return str(self.ledger.rows("desk", query, openid)[0][0])

    def sends(self, openid: str) -> list[tuple[str, str | None]]:
        """State and way of all that was to be sent to a customer, in order."""
        query = (
            "SELECT state, via FROM wechat_sends WHERE contact_id ="
            " (SELECT id FROM wechat_contacts WHERE openid = ?) ORDER BY id"
        )
        return [(row["state"], row["via"]) for row in self.ledger.rows("desk", query, openid)]

    def comment(self, number: int) -> str | None:
        """The state of a comment."""
        found = self.ledger.rows(
            "desk", "SELECT state FROM wechat_comments WHERE comment = ?", str(number)
        )
        return found[0]["state"] if found else None

    async def until(self, check: Callable[[], Any], what: str) -> None:
        """Wait for something in the desk's database or at WeChat."""
        await asyncio.to_thread(wait_until, check, what, 60.0)

    async def quiet(self, openid: str) -> None:
        """Wait until nothing is under way and nothing is left to send to a customer."""
        await self.ledger.rest()
        # The words are planned within moments of their commit.
        await self.until(
            lambda: (
                self._planned(openid)
                and not {"todo", "sending"} & {state for state, _ in self.sends(openid)}
            ),
            "everything to be sent",
        )

    def _planned(self, openid: str) -> bool:
        query = (
            "SELECT count(*) FROM wechat_threads AS t JOIN streams AS s"
            " ON s.name = 'private:' || t.conversation_id"
            " WHERE t.conversation_id = ? AND t.planned < s.last"
        )
        return self.ledger.count("desk", query, self.conversation(openid)) == 0

    @asynccontextmanager
    async def answering(self, openid: str) -> AsyncIterator[Member]:
        """A member of staff who has taken the conversation; the customer knows."""
        async with Member(self.stack.url) as staff:
            await staff.log_in("li", PASSWORD)
            assert (await staff.change(self.conversation(openid), "take"))[0] == 200
            await self.quiet(openid)
            yield staff

    def times(self, openid: str, text: str) -> int:
        """How often a customer has seen these words."""
        return sum(text in one.text for one in self.double.seen(openid))


@contextmanager
def wechat_scene(folder: Path) -> Iterator[WeChatScene]:
    """Desk and WeChat, for the length of the block."""
    with pytest.MonkeyPatch.context() as patch, scripted_rasa() as rasa, Double() as double:
        comments = {"articles": [ARTICLE], "every_seconds": 10}
        sections = []
        for name, more in ((CAREFUL, {"comments": comments}), (BOLD, {"resend_unknown": True})):
            section, environ = double.account(id=name, **more)
            sections.append(section)
            for variable, value in environ.items():
                patch.setenv(variable, value)
        # An article that may be commented on, and nobody has yet.
        double.accounts[CAREFUL].articles[ARTICLE, 0] = []
        public = "https://huixin.example"
        stack = Stack(folder, rasa=[rasa.url], wechat=sections, public_url=public)
        stack.add_staff("li", "李娜", PASSWORD)
        scene = WeChatScene(stack, double)
        double.serve(stack.url)
        try:
            scene.start("desk")
            stack.wait_ready()
            yield scene
        finally:
            stack.stop()
