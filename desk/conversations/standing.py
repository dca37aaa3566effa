"""Whether who acts is still who was let in, asked in the transaction in which it is done."""

from sqlalchemy import Connection

from desk.errors import PageError
from recovery.store import staff
from recovery.store.staff import Staff


def require_unchanged(db: Connection, who: Staff) -> None:
    """Refuse what an account does that was disabled or changed after its call had come in.

    Raises:
        PageError: 401; all sessions of such an account have ended.
    """
    if not staff.as_it_was(db, who):
        raise PageError(401, "not_logged_in", "账号有变动，请重新登录")
