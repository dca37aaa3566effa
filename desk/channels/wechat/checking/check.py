"""Checks one account, as far as the desk's machine can, and says in Chinese what to change.

Nothing that a customer could see is sent.
"""

import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

import httpx

from desk.channels.wechat.accounts import Account, read_accounts
from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.official import OfficialApi
from desk.channels.wechat.checking.findings import Finding, bad, good, hint
from desk.channels.wechat.checking.rights import of_kf, of_official
from desk.channels.wechat.incoming.envelope import Opened, seal_reply, sign
from desk.channels.wechat.incoming.parsing import fields_of
from recovery.settings import Settings, SettingsError
from recovery.wechat import WeChatAccount

_SECONDS = 8.0
_TOKEN = re.compile(r"[A-Za-z0-9]{3,32}")
_ECHO = "2026030900000001"
_RIGHT = 0
_CLOCK_SECONDS = 60

Connect = Callable[[Settings, Account], AbstractAsyncContextManager[OfficialApi | KfApi]]


def before_calls(
    settings: Settings, one: WeChatAccount, environ: Mapping[str, str]
) -> tuple[list[Finding], Account | None]:
    """Check settings and environment.

    Args:
        settings: Of the desk.
        one: The account among them.
        environ: The environment.

    Returns:
        What was found, and the account if calls can be made for it.
    """
    found = [good(f"设置：{_kind(one)}“{one.name}”，商家 {one.business}，模式 {one.mode}")]
    prefix = "wx" if one.kind == "official" else "ww"
    if not one.app_id.startswith(prefix):
        name = "AppID" if one.kind == "official" else "CorpID"
        found.append(hint(f"app_id 一般以 {prefix} 开头，请核对{name}"))
    names = ("secret_env", "token_env", "aes_key_env", "previous_aes_key_env")
    wanted = {name: getattr(one, name) for name in names}
    missing = [
        f"{name}: {variable}"
        for name, variable in wanted.items()
        if variable is not None and not environ.get(variable, "").strip()
    ]
    found += [bad(f"环境变量没有设置：{each}") for each in missing]
    found += _address(settings, one)
    if missing:
        return found, None
    try:
        (account,) = read_accounts((one,), environ)
    except SettingsError:
        found.append(
            bad(
                "EncodingAESKey 应是43个字母和数字：核对 "
                + " 和 ".join(filter(None, (one.aes_key_env, one.previous_aes_key_env)))
            )
        )
        return found, None
    if not _TOKEN.fullmatch(account.token):
        found.append(bad(f"Token 应是3到32个字母或数字：{one.token_env}"))
    if len(set(account.aes_keys)) < len(account.aes_keys):
        found.append(hint("现在的和以前的 EncodingAESKey 是同一个，previous_aes_key_env 可以去掉"))
    found.append(good("环境变量齐全，密钥格式正确"))
    return found, account


def _kind(one: WeChatAccount) -> str:
    return "公众号" if one.kind == "official" else "微信客服"


def _address(settings: Settings, one: WeChatAccount) -> list[Finding]:
    if not settings.public_url:
        return [
            hint(
                "没有设置 public_url：给不了顾客网页的链接。在后台填的服务器地址（URL）是"
                f"“https://你的域名/wechat/{one.id}”"
            )
        ]
    parts = urlsplit(settings.public_url)
    url = f"{settings.public_url}/wechat/{one.id}"
    found = [good(f"在后台填的服务器地址（URL）：{url}")]
    if parts.port not in (None, 80, 443):
        found.append(bad("微信只访问80和443端口，public_url 不能带别的端口"))
    if _private(parts.hostname or ""):
        found.append(bad("public_url 是内网或本机的地址，微信访问不到"))
    elif parts.scheme != "https":
        found.append(hint("public_url 不是 https：顾客打开的网页会在网上明文传送"))
    return found


def _private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


async def of_callback(
    settings: Settings, account: Account, now: datetime, http: httpx.AsyncClient
) -> AsyncIterator[Finding]:
    """Ask the desk what the console asks: here, and by its public address."""
    port = settings.desk.port
    answer = await _asked(f"http://{_near(settings.desk.host)}:{port}", account, now, http)
    if answer is None:
        yield hint(f"这台机器的{port}端口上没有客服台，回调没有查：启动以后再查一次")
    elif answer == 404:
        yield bad("运行着的客服台不认识这个账号：改过设置的，重启客服台")
    elif answer == _RIGHT:
        yield good("客服台正确回答了带签名的验证请求（在后台点“提交”时，微信发的就是它）")
    else:
        yield bad(
            f"{port}端口没有接受带签名的验证请求（HTTP {answer}）：客服台启动时的Token、密钥或"
            "app_id和现在的不同，重启它；或者这个端口上是别的程序"
        )
    if not settings.public_url:
        return
    answer = await _asked(settings.public_url, account, now, http)
    if answer == _RIGHT:
        yield good("从这台机器经公网地址也能走到客服台（域名、证书、反向代理）")
    elif answer is None:
        yield hint(
            "从这台机器打不开公网地址：看域名、证书、防火墙。有的网络只是不能从里面绕回来，"
            "用手机流量打开它看看"
        )
    else:
        yield bad(
            f"公网地址没有把请求原样交给客服台（HTTP {answer}）：看反向代理是不是转发了"
            f"/wechat/{account.id} 和问号后面的参数"
        )
    yield hint(
        "从微信到客服台通不通，只有微信知道：在后台提交服务器配置时会当场验证。"
        "也可以用手机流量打开上面的URL，应看到空白页（403）"
    )


def _near(host: str) -> str:
    """Where this machine finds what listens on a host."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"


async def _asked(base: str, account: Account, now: datetime, http: httpx.AsyncClient) -> int | None:
    """Ask as the console does.

    Returns:
        `_RIGHT` for the right answer, else the HTTP status; None: there was no answer.
    """
    try:
        url = f"{base}/wechat/{account.id}?{urlencode(_question(account, now))}"
        answer = await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    right = answer.status_code == 200 and answer.text == _ECHO
    return _RIGHT if right else answer.status_code


def _question(account: Account, now: datetime) -> dict[str, str]:
    if account.official:
        timestamp, nonce = str(int(now.timestamp())), "1320562132"
        signature = sign(account.token, timestamp, nonce)
        return {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": _ECHO}
    sealed = fields_of(seal_reply(account, Opened(b"", 0), _ECHO, now))
    return {
        "msg_signature": sealed["MsgSignature"],
        "timestamp": sealed["TimeStamp"],
        "nonce": sealed["Nonce"],
        "echostr": sealed["Encrypt"],
    }


async def of_clock(
    account: Account, now: datetime, http: httpx.AsyncClient
) -> AsyncIterator[Finding]:
    """Compare the machine's clock with WeChat's: past five minutes every message is refused."""
    try:
        answer = await http.get(account.settings.address)
        theirs = parsedate_to_datetime(answer.headers["date"])
        aside = abs((theirs - now).total_seconds())
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError, TypeError):
        # No answer, or one without a date: what is wrong is said of the next call.
        return
    if aside > _CLOCK_SECONDS:
        yield bad(
            f"这台机器的时间和微信差{int(aside)}秒：差5分钟以上，微信的消息全都会被当作重放拒绝，"
            "请打开时间同步（NTP）"
        )


async def check(
    settings: Settings,
    account_id: str,
    environ: Mapping[str, str],
    now: datetime,
    connect: Connect,
) -> AsyncIterator[Finding]:
    """Check one account.

    Args:
        settings: Of the desk.
        account_id: Of the account among them.
        environ: The environment of the desk.
        now: UTC.
        connect: Gives the interface of an account for as long as its block lasts.

    Yields:
        What is found, one after the other.
    """
    one = next((each for each in settings.wechat if each.id == account_id), None)
    if one is None:
        known = "、".join(each.id for each in settings.wechat) or "一个也没有"
        yield bad(f"设置的 wechat 里没有账号 {account_id}（现有：{known}）")
        return
    found, account = before_calls(settings, one, environ)
    for finding in found:
        yield finding
    if account is None:
        yield hint("先把上面的改好，再查接口和回调")
        return
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as http:
        async for finding in of_clock(account, now, http):
            yield finding
        async with connect(settings, account) as api:
            async for finding in (
                of_official(account, api) if isinstance(api, OfficialApi) else of_kf(account, api)
            ):
                yield finding
        async for finding in of_callback(settings, account, now, http):
            yield finding
