"""What actions read from: settings, database and order directory, opened once a process."""

from dataclasses import dataclass
from functools import cache

from recovery.business import Directory
from recovery.orders.several import open_orders
from recovery.orders.system import OrderSystem
from recovery.remedy.running import RunningPolicy, policy_of
from recovery.settings import Settings, load_settings
from recovery.store.database import Database


@dataclass(frozen=True)
class Context:
    """All that actions read from."""

    settings: Settings
    directory: Directory
    database: Database
    orders: OrderSystem
    policy: RunningPolicy


@cache
def current() -> Context:
    """The context of this process, made at the first use (`rasa shell` has no start of ours)."""
    settings = load_settings()
    database = Database(settings.database_url)
    database.migrate()
    orders, policy = open_orders(settings), policy_of(settings)
    return Context(settings, settings.directory(), database, orders, policy)
