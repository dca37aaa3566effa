"""For how long what is kept, by the settings."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Days = Annotated[int, Field(ge=0, le=36_500)]


class Retention(BaseModel):
    """Days after which data goes; 0 keeps it.

    Attributes:
        conversations_days: What was said, and who said it, after the last word and the closing of
            the case. Three years: so long may either side still claim something.
        pictures_days: Pictures and their files.
        logs_days: Wrong tries at proofs and codes, notices to staff.
        audit_days: Details of the audit log; who did what and when stays.
        wechat_days: What came from WeChat and other sources and went there, as it was sent.
        trackers_days: Rasa's memory of conversations, after the last word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    conversations_days: _Days = 1095
    pictures_days: _Days = 365
    logs_days: _Days = 180
    audit_days: _Days = 1095
    wechat_days: _Days = 180
    trackers_days: _Days = 180

    def before(self, days: int, now: datetime) -> datetime | None:
        """The moment before which data of this many days is too old; None: it is kept."""
        return now - timedelta(days=days) if days else None
