"""`make replay FILE=...`: posts real first posts into a public room, and reports what came of it.

The desk is one of its own, on free ports and with data under `var/replay/<time>`. Everything goes
through the public interface, as pages do it; only whether a post was passed over in silence, and
what was understood, is read from the desk's database. Runs in the service environment.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from recovery.store.database import Database
from tools import model
from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.replaying.desk_records import DeskRecords
from tools.replaying.figures import count
from tools.replaying.posts import Post, read_posts
from tools.replaying.report import Setting, report, terminal, transcripts
from tools.replaying.visits import UnknownRoomError, Visit, visit_all
from tools.stack import Stack, started
from tools.steps import end_on_sigterm

ROOM = "qinghe-square"
AT_ONCE = 8
_SAY_EVERY = 50


def replay(
    places: Places, source: Path, folder: Path, options: argparse.Namespace, trained: Path
) -> None:
    """Post everything, and write the report into the folder.

    Args:
        places: The checkout.
        source: The dialogues, see `tools.replaying.posts`.
        folder: For data, logs, `report.md` and `transcripts.md`; exists.
        options: See `_options`.
        trained: The model.

    Raises:
        ToolError: The file cannot be read, or the desk has no such room or does not come up.
    """
    posts = read_posts(source, options.most)
    begun = datetime.now(UTC)
    say(f"replay: {len(posts)} posts into {options.room}; a desk of its own starts")
    try:
        with started(Stack(folder, trained, bind=True)) as stack:
            say(f"replay: {stack.url} is up, {options.at_once} customers at once")
            before = time.monotonic()
            visits = _visits(places, stack, posts, options)
            seconds = time.monotonic() - before
    except (UnknownRoomError, RuntimeError, TimeoutError) as error:
        raise ToolError(f"{error} (logs: {folder})") from error
    setting = Setting(begun, source.name, options.room, trained.stem, options.at_once, seconds)
    (folder / "report.md").write_text(report(visits, setting), encoding="utf-8")
    (folder / "transcripts.md").write_text(transcripts(visits), encoding="utf-8")
    say(f"\n{terminal(count(visits))}\n\nreport: {folder / 'report.md'}")


def _visits(
    places: Places, stack: Stack, posts: list[Post], options: argparse.Namespace
) -> list[Visit]:
    database = Database(f"sqlite:///{stack.data / 'desk.sqlite3'}")
    records = DeskRecords(database, places.root / "data" / "responses")

    def progress(over: int) -> None:
        if over % _SAY_EVERY == 0:
            say(f"replay: {over} of {len(posts)}")

    try:
        return asyncio.run(
            visit_all(posts, stack.url, options.room, records, options.at_once, progress)
        )
    finally:
        database.close()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make replay", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, help="dialogues as JSON Lines")
    parser.add_argument("--room", default=ROOM, help=f"where to post ({ROOM})")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"customers ({AT_ONCE})")
    parser.add_argument("--most", type=int, help="only so many dialogues")
    parser.add_argument("--model", type=Path, help="another model than that of the present data")
    options = parser.parse_args(arguments)
    if options.at_once < 1:
        parser.error("--at-once must be at least 1")
    return options


def main(arguments: list[str]) -> int:
    """Replay the posts of a file."""
    options = _options(arguments)
    end_on_sigterm()
    os.environ.update(model.RASA_ENVIRONMENT)
    places = here()
    source = options.file.resolve()
    if not source.is_file():
        raise ToolError(f"{source}: no such file")
    trained = options.model.resolve() if options.model else model.ensure(places)
    folder = places.root / "var" / "replay" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    replay(places, source, folder, options, trained)
    return 0


if __name__ == "__main__":
    run_main(main)
