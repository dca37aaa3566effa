"""Customers and their sessions. A customer is a session until proved."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from recovery.ids import fingerprint, new_id, new_secret
from recovery.store.database import hold, stamp
from recovery.store.tables import customers, web_sessions

NAMELESS = "访客"
"""What a customer is called who has given no name."""
OF_WECHAT = "wechat:"
"""Before the openid of a customer whom only WeChat knows; no host site may sign such an id."""


@dataclass(frozen=True)
class Customer:
    """One customer of one business.

    Attributes:
        external_id: Id at the host site, where the site has signed it.
        person: The same for all customers who were proved to be one person.
    """

    id: str
    business: str
    name: str
    external_id: str | None
    person: str

    @property
    def proved(self) -> bool:
        """Whether the host site vouches for the identity; WeChat only knows that it is the same."""
        return self.external_id is not None and not self.external_id.startswith(OF_WECHAT)

    def is_same_person(self, other: "Customer") -> bool:
        """Whether both were proved to be one person; of another business nobody is."""
        known = self.person != "" and self.person == other.person
        return self.business == other.business and (self.id == other.id or known)


_COLUMNS = tuple(customers.c[name] for name in Customer.__dataclass_fields__)
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


def add(db: Connection, customer_id: str, business: str, name: str, now: datetime) -> Customer:
    """Make a customer who has no page: one who called, or came by."""
    return _add(db, customer_id, business, name, None, now)


def of_wechat(db: Connection, business: str, openid: str, name: str, now: datetime) -> Customer:
    """The customer whom WeChat knows by this openid, made where there is none yet.

    Two accounts of 微信客服 of one company know somebody by the same id: it is one customer.

    Args:
        db: A writing transaction.
        business: Whose.
        openid: As WeChat gives it.
        name: For staff; WeChat tells none.
        now: The present moment.
    """
    external_id = OF_WECHAT + openid
    # Whoever holds the openid at one account does not hold it at the other.
    hold(db, f"customer {business} {external_id}")
    known = _known(db, business, external_id)
    if known is not None:
        return known
    return _add(db, new_id("u"), business, name, external_id, now)


def since(db: Connection, customer_id: str) -> str:
    """When a customer came first, as stored."""
    query = select(customers.c.created_at).where(customers.c.id == customer_id)
    return str(db.execute(query).scalar_one())


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
        return replace(present, name=name or present.name), token
    if token is None:
        token = new_secret()
    elif external_id is not None:
        token = _renewed(db, token)
    customer = _known(db, business, external_id)
    if customer is None:
        customer = _add(db, new_id("u"), business, name or NAMELESS, external_id, now)
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


def adopt(
    db: Connection, token: str | None, customer_id: str, now: datetime
) -> tuple[Customer, str]:
    """Make a session of a customer who has shown on another way who they are.

    Args:
        db: A writing transaction.
        token: The secret of the browser's present cookie, None for a browser that has none.
        customer_id: The customer.
        now: The present moment.

    Returns:
        The customer and the secret that the cookie holds from now on, always a new one: whoever
        knows the old one stays outside. At other businesses it is the same session; at this one
        what was talked before stays with who it was then. The old secret goes on to stand for
        just that, so that a browser which the answer does not reach has lost nothing.
    """
    customer = load(db, customer_id)
    fresh = new_secret()
    held = {customer.business: customer.id}
    for one in all_of_session(db, token) if token else ():
        held.setdefault(one.business, one.id)
    for business, whose in held.items():
        values = {"business": business, "customer_id": whose, "created_at": stamp(now)}
        db.execute(insert(web_sessions).values(token_hash=fingerprint(fresh), **values))
    return customer, fresh


def _add(
    db: Connection,
    customer_id: str,
    business: str,
    name: str,
    external_id: str | None,
    now: datetime,
) -> Customer:
    """Make a customer: a person of their own until something proves otherwise."""
    customer = Customer(customer_id, business, name, external_id, person=customer_id)
    db.execute(insert(customers).values(**vars(customer), created_at=stamp(now)))
    return customer


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
