"""What becomes of something that WeChat has brought: words for its parts."""

from dataclasses import dataclass
from hashlib import sha256

from desk.conversations.ingest import PictureFile, Taken
from desk.conversations.turn import Committed
from recovery.store.inbox import Message
from recovery.store.wechat import received
from recovery.store.wechat.received import Received


class NotYetError(RuntimeError):
    """Something of the same contact that came before is not taken yet."""


@dataclass(frozen=True)
class Outcome:
    """What was committed.

    Attributes:
        row: As stored; None where nothing had to be.
        repeated: It had come before; nothing changed now.
        text: What is to be answered at once.
        taken: What became of it in the inbox.
        more: The same of what a long text goes on with.
        first: What the bot says something to before that.
        committed: To be published.
        expects: Whether words may follow that a waiting callback can carry.
    """

    row: Received | None = None
    repeated: bool = False
    text: str | None = None
    taken: Taken | None = None
    more: tuple[Taken, ...] = ()
    first: tuple[Message, ...] = ()
    committed: tuple[Committed, ...] = ()
    expects: bool = False

    @property
    def waits(self) -> bool:
        """Whether it was stored and is still to be taken."""
        return self.row is not None and self.row.state == received.NEW and not self.repeated


@dataclass(frozen=True)
class Picture:
    """What became of the file of a picture.

    Attributes:
        file: It, kept on disk.
        sentence: Why there is none, for the customer; None: it could not be fetched.
    """

    file: PictureFile | None = None
    sentence: str | None = None


def external_id(account: str, key: str) -> str:
    """The id in the inbox of what WeChat knows by a key."""
    return f"wx-{sha256(f'{account} {key}'.encode()).hexdigest()[:40]}"
