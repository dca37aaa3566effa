"""All that the parts of a desk share, put together once at start."""

from dataclasses import dataclass, field

from desk.channels.webhook.sources import Sources
from desk.channels.wechat.accounts import Accounts
from desk.hub import Hub
from desk.metrics import Metrics
from desk.storage import Storage
from recovery.business import Business, Directory
from recovery.clock import Clock
from recovery.follow_up.policy import FollowUpPolicy, load_follow_up_policy
from recovery.orders.system import OrderSystem
from recovery.promises.table import PromiseTable, load_promise_table
from recovery.queue.priority import QueueTables, load_queue_tables
from recovery.remedy.running import RunningPolicy
from recovery.settings import Secrets, Settings


@dataclass(frozen=True)
class Context:
    """Settings, stores and clock of one desk."""

    settings: Settings
    secrets: Secrets
    directory: Directory
    storage: Storage
    orders: OrderSystem
    policy: RunningPolicy
    clock: Clock
    queue: QueueTables = field(default_factory=load_queue_tables)
    hub: Hub = field(default_factory=Hub)
    metrics: Metrics = field(default_factory=Metrics)
    follow_up: FollowUpPolicy = field(default_factory=load_follow_up_policy)
    promises: PromiseTable = field(default_factory=load_promise_table)
    wechat: Accounts = field(default_factory=lambda: Accounts(()))
    webhooks: Sources = field(default_factory=Sources)

    def business(self, business_id: str) -> Business:
        """The business of a conversation.

        Raises:
            LookupError: It was taken out of the settings while conversations remain.
        """
        business = self.directory.business(business_id)
        if business is None:
            raise LookupError(f"business {business_id!r} is not configured any more")
        return business
