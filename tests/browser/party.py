"""The people of one test, what they must not have met, and the evidence when a test fails."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error

from tests.browser.visitors import Agent, Guest, Visitor, unique


class Party:
    """Everybody who visits one desk in one test."""

    def __init__(self, browser: Browser, base: str) -> None:
        """Begin with nobody.

        Args:
            browser: The one Chromium.
            base: Address of the desk.
        """
        self._browser = browser
        self.base = base
        self.visitors: list[Visitor] = []

    def guest(self, name: str = "阿明", **options: Any) -> Guest:  # noqa: ANN401
        """A customer with a browser of their own.

        Args:
            name: What they want to be called; made unique.
            **options: Of Playwright's `new_context`.
        """
        guest = Guest(self._browser, self.base, unique(name), **options)
        self.visitors.append(guest)
        return guest

    def agent(self, **options: Any) -> Agent:  # noqa: ANN401
        """A member of staff with a browser of their own."""
        agent = Agent(self._browser, self.base, **options)
        self.visitors.append(agent)
        return agent

    def visitor(self, **options: Any) -> Visitor:  # noqa: ANN401
        """Somebody who only looks."""
        visitor = Visitor(self._browser, self.base, **options)
        self.visitors.append(visitor)
        return visitor

    def check(self) -> None:
        """Fail when somebody met what no test has named."""
        for visitor in self.visitors:
            # A round trip: what happened before it has been reported by now.
            visitor.page.evaluate("0")
            assert not visitor.witness.unexpected, "\n".join(visitor.witness.unexpected)

    def evidence(self, folder: Path) -> str:
        """Save what everybody sees and what their consoles say.

        Args:
            folder: Is made.

        Returns:
            What was saved, to be read below the failure.
        """
        folder.mkdir(parents=True, exist_ok=True)
        report = []
        for number, visitor in enumerate(self.visitors, 1):
            for tab, page in enumerate(visitor.context.pages, 1):
                picture = folder / f"{number}-{type(visitor).__name__.lower()}-{tab}.png"
                try:
                    page.screenshot(path=picture)
                except Error as error:
                    report.append(f"{picture.name}: no picture, {error}")
                report.append(f"{picture}: {page.url}")
            log = picture.with_suffix(".log")
            log.write_text(
                "\n".join([*visitor.witness.console, "---", *visitor.witness.complaints]), "utf-8"
            )
            report += [f"  {line}" for line in visitor.witness.unexpected]
        return "\n".join(report)

    def close(self) -> None:
        """Send everybody home."""
        for visitor in self.visitors:
            visitor.close()
