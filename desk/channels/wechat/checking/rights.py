"""What an account may do, found out by calls that no customer can see."""

import re
from collections.abc import AsyncIterator

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.official import OfficialApi
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.checking.causes import cause
from desk.channels.wechat.checking.findings import Finding, bad, good, hint
from recovery.wechat import WeChatAccount

# Nobody has it, so that what is sent there reaches nobody.
_NOBODY = "huixin-check-nobody-has-this"
_FIELD = re.compile(r"\{\{\s*([A-Za-z_0-9]+)\.DATA\s*\}\}")
_FAILURES = (WeChatError, NotReachedError, OutcomeUnknownError)


async def of_kf(account: Account, api: KfApi) -> AsyncIterator[Finding]:
    """Check the interface of 微信客服."""
    try:
        await api.token_works()
    except _FAILURES as error:
        yield bad(f"取token：{cause(error, official=False)}")
        return
    yield good("企业ID和Secret正确，能取到access_token")
    try:
        known = await api.accounts()
    except _FAILURES as error:
        yield bad(f"读客服账号：{cause(error, official=False)}")
        return
    if account.settings.open_kfid in known:
        yield good("客服账号 open_kfid 在这个企业里，由这个应用管理")
    else:
        some = "、".join(known[:5]) or "一个也没有"
        yield bad(
            f"open_kfid 不在应用能管理的客服账号里（现有：{some}）：核对它，"
            "并在“微信客服—API—可调用接口的应用”里选上这个账号"
        )


async def of_official(account: Account, api: OfficialApi) -> AsyncIterator[Finding]:
    """Check the interface of an Official Account, and what the account may."""
    try:
        await api.token_works()
        addresses = await api.callback_addresses()
    except _FAILURES as error:
        yield bad(f"取token：{cause(error, official=True)}")
        return
    yield good("AppID 和 AppSecret 正确，IP在白名单里，能取到 access_token")
    yield good(f"微信来访的IP有{len(addresses)}段，防火墙只放行部分IP的，请全部放行")
    for right in (_custom, _menu, _qrcode, _later, _comments):
        async for finding in right(account.settings, api):
            yield finding


async def _custom(one: WeChatAccount, api: OfficialApi) -> AsyncIterator[Finding]:
    if not one.custom_messages:
        yield hint("custom_messages: false：只用被动回复，5秒以后才有的话要等顾客下一条消息")
        return
    try:
        await api.typing(_NOBODY, on=False)
    except WeChatError as error:
        if error.code in (48001, 48004, 50002):
            text = f"客服消息：{cause(error, official=True)}"
            yield bad(f"{text}；没有权限的话写 custom_messages: false，只用被动回复")
            return
        # Nobody has this OpenID, which WeChat may say in several ways.
    except (NotReachedError, OutcomeUnknownError) as error:
        yield hint(f"客服消息的权限没有查成：{cause(error, official=True)}")
        return
    yield good("有客服消息的权限")


async def _menu(one: WeChatAccount, api: OfficialApi) -> AsyncIterator[Finding]:
    if not (one.msgmenu and one.custom_messages):
        yield good("不用菜单消息，选项写成编号")
        return
    try:
        await api.send_menu(_NOBODY, "检查", [("check", "检查")])
    except WeChatError as error:
        if error.code == 40200:
            yield bad(f"菜单消息：{cause(error, official=True)}")
        else:
            yield hint("菜单消息没有被拒，但不发给真的顾客看不准；真被拒时会自动改发编号")
    except (NotReachedError, OutcomeUnknownError) as error:
        yield hint(f"菜单消息的权限没有查成：{cause(error, official=True)}")


async def _qrcode(one: WeChatAccount, api: OfficialApi) -> AsyncIterator[Finding]:
    if not one.qrcode:
        yield good("不用带参数的二维码（网页上的顾客不能扫码过来）")
        return
    try:
        await api.scene_url("huixin-check", 60)
        yield good("能生成带参数的二维码，网页上的顾客可以扫码过来")
    except _FAILURES as error:
        yield bad(f"带参数的二维码：{cause(error, official=True)}；不用的话写 qrcode: false")


async def _later(one: WeChatAccount, api: OfficialApi) -> AsyncIterator[Finding]:
    later = one.later
    if later is None:
        yield hint("没有设置 later：超出48小时或条数的消息，等顾客下一次来消息时再发")
        return
    name = "模板消息" if later.kind == "template" else "订阅通知"
    try:
        known = await api.templates()
    except _FAILURES as error:
        yield bad(f"{name}：{cause(error, official=True)}")
        return
    if later.id not in known:
        yield bad(f"{name}：账号里没有模板 {later.id}，在后台的“{name}—我的模板”里核对")
        return
    wanted, given = set(_FIELD.findall(known[later.id])), set(later.fields)
    if wanted == given:
        yield good(f"{name}的模板在，字段一致")
    if wanted - given:
        yield bad(f"{name}：later.fields 少了字段 {'、'.join(sorted(wanted - given))}")
    if given - wanted:
        yield bad(f"{name}：模板里没有字段 {'、'.join(sorted(given - wanted))}")


async def _comments(one: WeChatAccount, api: OfficialApi) -> AsyncIterator[Finding]:
    if one.comments is None:
        return
    for article in one.comments.articles:
        try:
            total, _ = await api.comments(article, 0, 1)
            yield good(f"文章 {article} 的留言已打开，现有{total}条")
        except _FAILURES as error:
            yield bad(f"文章 {article} 的留言：{cause(error, official=True)}")
