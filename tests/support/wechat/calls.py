"""The calls of the interface: which there are, who may make them, what was asked."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.wechat.official import Official
from tests.support.wechat.rules import RefusedError
from tests.support.wechat.wecom import WeCom
from tests.support.wechat.wire import Answer, Request
from tests.support.wechat.world import Account, Clock, Token

_STABLE, _WECOM_TOKEN = "/cgi-bin/stable_token", "/cgi-bin/gettoken"
_MEDIA = ("/cgi-bin/media/get", "/cgi-bin/media/upload")


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        account: Id; empty where no token told of one.
        query: Without secrets.
        body: JSON; empty for files.
        code: errcode of the answer; HTTP status where it was told to fail without one.
        token: A fingerprint, to tell tokens apart.
    """

    path: str
    account: str
    query: dict[str, str]
    body: dict[str, Any]
    code: int
    at: datetime
    token: str = ""


class Interface:
    """Answers the calls of all accounts.

    Attributes:
        calls: In order.
        violations: Sends that a quota has refused.
        wrong: Calls that are against the rules.
    """

    def __init__(
        self,
        accounts: dict[str, Account],
        clock: Clock,
        ended: Callable[..., None],
        told: Callable[[Account, dict[str, Any]], None],
        slow: float,
    ) -> None:
        self.calls: list[Call] = []
        self.violations: list[tuple[str, str, int]] = []
        self.wrong: list[str] = []
        self._accounts, self._clock, self._slow = accounts, clock, slow
        self._official = Official(self.violations, ended)
        self._wecom = WeCom(self.violations, told)
        for path in _MEDIA:
            self._wecom.calls[path] = self._official.calls[path]
        self.paths = {_STABLE, _WECOM_TOKEN, *self._official.calls, *self._wecom.calls}

    async def answer(self, request: Request) -> Answer:
        """Carry one call out."""
        if self._slow:
            await asyncio.sleep(self._slow)
        account: Account | None = None
        code, now = 0, self._clock()
        try:
            if request.path in (_STABLE, _WECOM_TOKEN):
                account, answer = self._token(request, now)
            else:
                account = self._whose(request, now)
                answer = self._carried_out(account, request, now)
        except RefusedError as error:
            code = error.code
            message = f"{error.message} rid: 6543-21"
            answer = Answer({"errcode": code, "errmsg": message})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            code = 47001
            self.wrong.append(f"{request.path}: {error!r}")
            answer = Answer({"errcode": code, "errmsg": "data format error"})
        self._note(request, account, code, now)
        return answer

    def failed(self, request: Request, answer: Answer) -> None:
        """Note a call that was told to fail."""
        now = self._clock()
        try:
            account = self._whose(request, now)
        except RefusedError:
            account = None
        content = answer.content if isinstance(answer.content, dict) else {}
        self._note(request, account, content.get("errcode", answer.status), now)

    def _note(self, request: Request, account: Account | None, code: int, now: datetime) -> None:
        token = request.query.get("access_token", "")
        query = {
            name: value
            for name, value in request.query.items()
            if name not in ("access_token", "corpsecret")
        }
        try:
            body = {name: one for name, one in request.json.items() if name != "secret"}
        except ValueError:
            body = {}
        print_ = hashlib.sha256(token.encode()).hexdigest()[:8] if token else ""
        id = account.id if account else ""
        self.calls.append(Call(request.path, id, query, body, code, now, print_))

    def _token(self, request: Request, now: datetime) -> tuple[Account, Answer]:
        if request.path == _STABLE:
            body = request.json
            if request.method != "POST" or body.get("grant_type") != "client_credential":
                raise RefusedError(40002, "invalid grant_type")
            account = self._known("official", body.get("appid"), body.get("secret"))
            token = account.tokens.fetch(now, bool(body.get("force_refresh")))
            return account, _given(token, now)
        query = request.query
        account = self._known("kf", query.get("corpid"), query.get("corpsecret"))
        answer = _given(account.tokens.fetch(now), now)
        return account, Answer({"errcode": 0, "errmsg": "ok", **answer.content})

    def _known(self, kind: str, app_id: Any, secret: Any) -> Account:  # noqa: ANN401 - of a body
        for account in self._accounts.values():
            if account.kind == kind and account.app_id == app_id:
                if account.secret != secret:
                    raise RefusedError(40125 if kind == "official" else 40001)
                return account
        raise RefusedError(40013)

    def _whose(self, request: Request, now: datetime) -> Account:
        token = request.query.get("access_token")
        if not token:
            raise RefusedError(41001)
        for account in self._accounts.values():
            if account.tokens.check(token, now):
                return account
        raise RefusedError(40014)

    def _carried_out(self, account: Account, request: Request, now: datetime) -> Answer:
        calls = self._official.calls if account.kind == "official" else self._wecom.calls
        if request.path not in calls:
            self.wrong.append(f"{request.path}: no such call")
            return Answer(b"", 404)
        answer = calls[request.path](account, request, now)
        return answer if isinstance(answer, Answer) else Answer(answer)


def _given(token: Token, now: datetime) -> Answer:
    left = int((token.expires - now).total_seconds())
    return Answer({"access_token": token.value, "expires_in": left})
