"""Access tokens of WeChat accounts: the present one, sealed, and who fetches the next.

All desks share a row. Who writes its name into it fetches, the others wait: two that fetch at the
same time would kill each other's token, and both would be refused.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from recovery.logs import log
from recovery.second_factor import SealError, seal, unseal
from recovery.store.database import hold, stamp
from recovery.store.tables import wechat_tokens

# Longer than a fetch may take: the lease of a desk that has died runs out, no other does.
LEASE = timedelta(seconds=12)
# WeChat gives a new token by force 20 times a day, and not within 30 seconds of the one before.
_FORCED_APART, _FORCED_A_DAY = timedelta(seconds=30), 20
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Token:
    """One access token.

    Attributes:
        value: Secret.
        expires_at: When WeChat takes it no more.
        fetched_at: When WeChat has given it last.
    """

    value: str = field(repr=False)
    expires_at: datetime
    fetched_at: datetime


def load(db: Connection, account: str, key: str) -> Token | None:
    """The token that is kept, good or not.

    Args:
        db: A transaction.
        account: Id in the settings.
        key: Opens it.

    Returns:
        The token; None where there is none that this desk's key opens.
    """
    row = db.execute(
        select(wechat_tokens.c.token, wechat_tokens.c.expires_at, wechat_tokens.c.fetched_at).where(
            wechat_tokens.c.account == account
        )
    ).first()
    if row is None or row.token is None:
        return None
    try:
        value = unseal(row.token, key)
    except SealError:
        # A new one costs one call; it is not worth a word to anybody but operators.
        log.warning("access token cannot be opened, secrets.json is another one", account=account)
        return None
    return Token(
        value, datetime.fromisoformat(row.expires_at), datetime.fromisoformat(row.fetched_at)
    )


def lease(db: Connection, account: str, who: str, now: datetime) -> bool:
    """Take it upon oneself to fetch a token.

    Args:
        db: A writing transaction.
        account: Id in the settings.
        who: Name of the one who asks, another one for each process.
        now: The present moment.

    Returns:
        Whether nobody else is about it.
    """
    # There may be no row yet that could be locked.
    hold(db, f"wechat token {account}")
    row = db.execute(
        select(wechat_tokens.c.fetching, wechat_tokens.c.fetching_until).where(
            wechat_tokens.c.account == account
        )
    ).first()
    mine = {"fetching": who, "fetching_until": stamp(now + LEASE)}
    if row is None:
        db.execute(insert(wechat_tokens).values(account=account, **mine))
        return True
    if row.fetching not in (None, who) and row.fetching_until > stamp(now):
        return False
    db.execute(update(wechat_tokens).where(wechat_tokens.c.account == account).values(**mine))
    return True


def may_force(db: Connection, account: str, who: str, now: datetime) -> bool:
    """Spend one of the few new tokens by force; counted before it is asked for.

    Args:
        db: A writing transaction.
        account: Id in the settings.
        who: Who holds the lease.
        now: The present moment.

    Returns:
        Whether one may be asked for now. The lease begins anew then.
    """
    hold(db, f"wechat token {account}")
    row = db.execute(
        select(wechat_tokens.c.forced_at, wechat_tokens.c.forced_count).where(
            wechat_tokens.c.account == account, wechat_tokens.c.fetching == who
        )
    ).first()
    if row is None:
        return False
    count = 0
    if row.forced_at is not None:
        last = datetime.fromisoformat(row.forced_at)
        same_day = last.astimezone(_SHANGHAI).date() == now.astimezone(_SHANGHAI).date()
        count = row.forced_count if same_day else 0
        if now - last < _FORCED_APART or count >= _FORCED_A_DAY:
            return False
    db.execute(
        update(wechat_tokens)
        .where(wechat_tokens.c.account == account)
        .values(forced_at=stamp(now), forced_count=count + 1, fetching_until=stamp(now + LEASE))
    )
    return True


def keep(db: Connection, account: str, who: str, token: Token, key: str) -> None:
    """Store what was fetched, and give the lease back.

    Where the lease has gone to somebody else meanwhile, theirs is the newer token: it stays.
    """
    db.execute(
        update(wechat_tokens)
        .where(wechat_tokens.c.account == account, wechat_tokens.c.fetching == who)
        .values(
            token=seal(token.value, key),
            expires_at=stamp(token.expires_at),
            fetched_at=stamp(token.fetched_at),
            fetching=None,
            fetching_until=None,
        )
    )


def give_up(db: Connection, account: str, who: str) -> None:
    """Give the lease back without a token."""
    db.execute(
        update(wechat_tokens)
        .where(wechat_tokens.c.account == account, wechat_tokens.c.fetching == who)
        .values(fetching=None, fetching_until=None)
    )
