"""Audit and replay of what the desk has stored, as the commands of `python -m recovery.remedy`."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError, ProgrammingError

from recovery.audit.fairness import Audit, audit
from recovery.audit.replay import Replay, replay
from recovery.audit.stored import Archive, within
from recovery.audit.wording import audit_in_words, replay_in_words
from recovery.remedy.release import UseError
from recovery.settings import Settings, SettingsError, load_settings
from recovery.store import decisions
from recovery.store.database import Database, is_away

Command = Literal["audit", "replay"]


@dataclass(frozen=True)
class Asked:
    """Which decisions are looked at.

    Attributes:
        settings: The settings file; None for the usual one.
        business: Its id; None for all.
        since: First day, by the clock of the business; None for all before.
        until: Last day; None for all after.
    """

    settings: Path | None = None
    business: str | None = None
    since: date | None = None
    until: date | None = None

    @property
    def scope(self) -> str:
        """What was asked for, in Chinese."""
        who = f"商家 {self.business}" if self.business else "全部商家"
        if self.since is None and self.until is None:
            return f"{who}，全部日期"
        return f"{who}，{self.since or '最早'} 至 {self.until or '最近'}"


def look_back(command: Command, asked: Asked) -> Audit | Replay:
    """Audit or replay what the desk has stored; nothing is written.

    Raises:
        UseError: Settings, business or days are wrong, or there is no such database.
    """
    if asked.since and asked.until and asked.since > asked.until:
        raise UseError(f"--since {asked.since} 晚于 --until {asked.until}")
    try:
        settings = load_settings(asked.settings)
    except SettingsError as error:
        raise UseError(f"设置不能用：{error}") from error
    rows, kept = _stored(settings, asked.business)
    if asked.business and not rows:
        known = [one.id for one in settings.businesses]
        if asked.business not in known:
            raise UseError(f"没有商家 {asked.business!r}；设置里有 {'、'.join(known)}")
    chosen, archive = within(rows, asked.since, asked.until), Archive(kept)
    return audit(chosen, archive) if command == "audit" else replay(chosen, archive)


def _stored(
    settings: Settings, business: str | None
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    url = make_url(settings.database_url)
    at_hand = url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()
    if not at_hand:
        raise UseError(f"还没有数据库 {url.database}：先启动一次回心，或用 --settings 指定设置文件")
    try:
        database = Database(settings.database_url)
    except (ImportError, NoSuchModuleError) as error:
        raise UseError(f"数据库的驱动没有装：{error}") from error
    try:
        with database.read() as db:
            return decisions.all_of(db, business), decisions.kept_policies(db)
    except (OperationalError, ProgrammingError) as error:
        if "decisions" in str(error.orig) or "policies" in str(error.orig):
            raise UseError("数据库还没有决定的表：先启动一次新版的回心") from error
        raise UseError(f"数据库读不出来：{error.orig}") from error
    except DBAPIError as error:
        why = "数据库连不上" if is_away(error) else "数据库读不出来"
        raise UseError(f"{why}：{error.orig}") from error
    finally:
        database.close()


def as_text(one: Audit | Replay, asked: Asked) -> str:
    """The report for people."""
    if isinstance(one, Audit):
        return audit_in_words(one, asked.scope)
    return replay_in_words(one, asked.scope)


def as_json(one: Audit | Replay, asked: Asked) -> str:
    """The report for programs; money in fen."""
    head = {
        "business": asked.business,
        "since": asked.since.isoformat() if asked.since else None,
        "until": asked.until.isoformat() if asked.until else None,
    }
    return json.dumps({**head, "found": one.found, **one.to_wire()}, ensure_ascii=False, indent=1)
