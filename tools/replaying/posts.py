"""The posts to replay: the first one of each dialogue of a JSONL file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tools.console import ToolError

CUSTOMER = "customer"


@dataclass(frozen=True)
class Post:
    """What one customer writes.

    Attributes:
        dialogue: Id of the dialogue it opens.
        text: As written.
    """

    dialogue: str
    text: str


def read_posts(path: Path, most: int | None = None) -> list[Post]:
    """Read the first post of the customer in each dialogue.

    Args:
        path: JSON Lines, `{"id": "..", "turns": [{"sender": "customer", "text": ".."}, ...]}`;
            other keys and other senders are passed over, empty lines too.
        most: Stop after so many dialogues; None for all.

    Returns:
        One post for each dialogue, in the order of the file.

    Raises:
        ToolError: No such file, a line that is not a dialogue, an id that comes twice, or no
            dialogue at all.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"{path} cannot be read ({error})") from None
    posts: dict[str, Post] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if most is not None and len(posts) >= most:
            break
        post = _post(line, f"{path}, line {number}")
        if post.dialogue in posts:
            raise ToolError(f"{path}, line {number}: dialogue {post.dialogue} comes twice")
        posts[post.dialogue] = post
    if not posts:
        raise ToolError(f"{path} has no dialogue")
    return list(posts.values())


def _post(line: str, where: str) -> Post:
    try:
        dialogue = json.loads(line)
        texts = [turn["text"] for turn in dialogue["turns"] if turn["sender"] == CUSTOMER]
        post = Post(str(dialogue["id"]), texts[0])
    except (ValueError, KeyError, TypeError, IndexError):
        raise ToolError(
            f'{where}: expected {{"id": "..", "turns": [{{"sender": "customer", "text": ".."}}]}}'
        ) from None
    if not isinstance(post.text, str):
        raise ToolError(f"{where}: the customer's text is not a text")
    return post
