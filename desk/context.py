"""All that the parts of a desk share, put together once at start."""

from dataclasses import dataclass, field

from desk.hub import Hub
from desk.metrics import Metrics
from desk.storage import Storage
from recovery.business import Business, Directory
from recovery.clock import Clock
from recovery.orders.system import OrderSystem
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
    hub: Hub = field(default_factory=Hub)
    metrics: Metrics = field(default_factory=Metrics)

    def business(self, business_id: str) -> Business:
        """The business of a conversation.

        Raises:
            LookupError: It was taken out of the settings while conversations remain.
        """
        business = self.directory.business(business_id)
        if business is None:
            raise LookupError(f"business {business_id!r} is not configured any more")
        return business
