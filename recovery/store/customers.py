"""Customers and their sessions. A customer is a session until proved."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from recovery.ids import fingerprint, new_id, new_secret
from recovery.store.database import hold, stamp
from recovery.store.tables import customers, web_sessions


@dataclass(frozen=True)
class Customer:
    """One customer of one business.

    Attributes:
        external_id: Id at the host site, where the site has signed it.
    """

    id: str
    business: str
    name: str
    external_id: str | None

    @property
    def proved(self) -> bool:
        """Whether the host site vouches for the identity."""
        return self.external_id is not None


_COLUMNS = (customers.c.id, customers.c.business, customers.c.name, customers.c.external_id)
_LOAD = select(*_COLUMNS).where(customers.c.id == bindparam("this"))


def by_session(db: Connection, token: str, business: str) -> Customer | None:
    """Whose session a cookie is, at one business."""
    row = db.execute(
        select(*_COLUMNS)
        .join(web_sessions, web_sessions.c.customer_id == customers.c.id)
        .where(web_sessions.c.token_hash == fingerprint(token), web_sessions.c.business == business)
    ).first()
    return Customer(*row) if row else None


def all_of_session(db: Connection, token: str) -> list[Customer]:
    """The customers a cookie stands for, one for each business visited."""
    rows = db.execute(
        select(*_COLUMNS)
        .join(web_sessions, web_sessions.c.customer_id == customers.c.id)
        .where(web_sessions.c.token_hash == fingerprint(token))
    )
    return [Customer(*row) for row in rows]


def load(db: Connection, customer_id: str) -> Customer:
    """Read a customer that exists."""
    row = db.execute(_LOAD, {"this": customer_id}).one()
    return Customer(*row)


def begin_session(
    db: Connection,
    token: str | None,
    business: str,
    name: str,
    external_id: str | None,
    now: datetime,
) -> tuple[Customer, str]:
    """Bind a session to a customer of a business, making the customer where needed.

    Args:
        db: A writing transaction.
        token: The cookie's secret, None for a browser that has none; only its hash is stored.
        business: The business visited.
        name: What the customer wants to be called.
        external_id: Id signed by the host site, None for a stranger.
        now: The present moment.

    Returns:
        The customer and the secret that the cookie holds from now on. A stranger's cookie that
        comes back with a signed id turns into the known customer and gets a new secret, so that
        whoever knew the old one is left outside; the stranger's own talk stays with the
        stranger, since it was never proved.
    """
    if external_id or token:
        hold(db, f"session {business} {external_id or token}")
    present = by_session(db, token, business) if token else None
    if token and present and (external_id is None or present.external_id == external_id):
        if name and name != present.name:
            db.execute(update(customers).where(customers.c.id == present.id).values(name=name))
        return Customer(present.id, business, name or present.name, present.external_id), token
    if token is None:
        token = new_secret()
    elif external_id is not None:
        token = _renewed(db, token)
    customer = _known(db, business, external_id)
    if customer is None:
        customer = Customer(new_id("u"), business, name or "访客", external_id)
        db.execute(insert(customers).values(**vars(customer), created_at=stamp(now)))
    values = {"customer_id": customer.id, "created_at": stamp(now)}
    if present:
        db.execute(
            update(web_sessions)
            .where(
                web_sessions.c.token_hash == fingerprint(token),
                web_sessions.c.business == business,
            )
            .values(**values)
        )
    else:
        db.execute(
            insert(web_sessions).values(token_hash=fingerprint(token), business=business, **values)
        )
    return customer, token


def _renewed(db: Connection, token: str) -> str:
    """Give a session a new secret at every business it has visited."""
    fresh = new_secret()
    db.execute(
        update(web_sessions)
        .where(web_sessions.c.token_hash == fingerprint(token))
        .values(token_hash=fingerprint(fresh))
    )
    return fresh


def _known(db: Connection, business: str, external_id: str | None) -> Customer | None:
    if external_id is None:
        return None
    row = db.execute(
        select(*_COLUMNS).where(
            customers.c.business == business, customers.c.external_id == external_id
        )
    ).first()
    return Customer(*row) if row else None
