"""What is wrong with a source of the generic channel, said in Chinese."""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime

from desk.channels.webhook.posting import Ending, open_http, post
from desk.channels.webhook.sources import Source, read_sources
from desk.channels.wechat.checking.findings import Finding, bad, good, hint
from recovery.clock import Clock
from recovery.settings import Settings, SettingsError
from recovery.store.database import stamp
from recovery.webhook import WebhookSource

PING = "ping"
"""Kind of what is sent to try an address; a source answers 2xx and shows nothing."""


async def check(
    settings: Settings, source_id: str, environ: Mapping[str, str], clock: Clock
) -> AsyncIterator[Finding]:
    """Look at one source.

    Args:
        settings: Of the desk.
        source_id: Its id in the settings.
        environ: The environment.
        clock: Of this machine; the source compares it with its own.

    Yields:
        What was found, in the order in which it was looked at.
    """
    named = next((one for one in settings.webhooks if one.id == source_id), None)
    if named is None:
        known = "、".join(one.id for one in settings.webhooks) or "一个也没有"
        yield bad(f"设置里没有来源 {source_id}（webhooks 下现有：{known}）")
        return
    try:
        [source] = read_sources((named,), environ)
    except SettingsError as error:
        yield bad(_secret_words(named, str(error)))
        return
    yield good(f"密钥在环境变量 {named.secret_env} 里")
    if named.previous_secret_env:
        yield hint(f"旧密钥 {named.previous_secret_env} 还收；对方换好以后从设置里删掉")
    for finding in _about_settings(settings, named):
        yield finding
    async for finding in _about_address(source, clock):
        yield finding


def _secret_words(named: WebhookSource, error: str) -> str:
    variable = named.secret_env
    if named.previous_secret_env and named.previous_secret_env in error:
        variable = named.previous_secret_env
    if "characters" in error:
        return f"环境变量 {variable} 里的密钥太短，至少32个字符"
    return f"没有设环境变量 {variable}（密钥，至少32个字符）"


def _about_settings(settings: Settings, named: WebhookSource) -> list[Finding]:
    path = f"/api/webhooks/{named.id}/messages"
    if settings.public_url:
        return [good(f"对方把消息送到 {settings.public_url}{path}")]
    found = [hint(f"对方把消息送到 <客服台的地址>{path}；public_url 没有写")]
    if named.private_messages:
        found.append(hint("没有 public_url，私聊邀请里不带网页链接，只请顾客直接回复"))
    return found


async def _about_address(source: Source, clock: Clock) -> AsyncIterator[Finding]:
    async with open_http() as http:
        ending = await post(http, source, _ping(clock()), clock())
        finding = _of_ping(source, ending)
        yield finding
        if finding.level != "good":
            return
        stranger = replace(source, secrets=(secrets.token_hex(32),))
        ending = await post(http, stranger, _ping(clock()), clock())
        if ending.status is not None and 200 <= ending.status < 300:
            yield bad("签名错的请求对方也收了：对方要核对签名，不对的回401")
        else:
            yield good("签名错的请求，对方会拒绝")


def _ping(now: datetime) -> dict[str, object]:
    return {
        "id": f"ping-{secrets.token_hex(8)}",
        "to": PING,
        "conversation": PING,
        "visibility": "private",
        "kind": PING,
        "author": "system",
        "text": "",
        "options": [],
        "at": stamp(now),
    }


def _of_ping(source: Source, ending: Ending) -> Finding:
    status = ending.status
    # What follows the question mark may be a secret of the other side's.
    url = source.settings.url.partition("?")[0]
    if status is None:
        if ending.problem and "private_addresses" in ending.problem:
            return bad("url 在内网里；确实要送到内网的话，设置里写 private_addresses: true")
        return bad(f"连不上 {url}（{ending.problem}），看域名、端口、证书和防火墙")
    if 200 <= status < 300:
        return good(f"{url} 收下了签过名的试送（HTTP {status}）")
    if status in (401, 403):
        return bad(f"对方说签名不对（HTTP {status}）：两边的密钥要一样，两边的时间差不能过5分钟")
    if 300 <= status < 400:
        return bad(f"对方要转到别的地址（HTTP {status}）：不会跟着转，请把 url 写成最后的地址")
    if status in (404, 405):
        return bad(f"这个地址上没有人收（HTTP {status}）：看 url 的路径")
    return bad(f"对方没有收下试送（HTTP {status}）：kind 是 ping 的要回2xx，不用给顾客看")
