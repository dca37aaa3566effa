"""What the error codes of WeChat and WeCom mean for an operator, and what to do, in Chinese."""

from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError

_WHITELIST = (
    "这台机器的出口IP不在白名单里：到公众号后台“设置与开发—开发接口管理—基本配置—IP白名单”"
    "加上错误信息里的IP（经过代理的，加代理的出口IP），几分钟后生效"
)
_WRONG_APP = (
    "AppSecret不对，或不是这个AppID的：到“基本配置”核对；重置过的，把新的写进环境变量再重启客服台"
)
# developers.weixin.qq.com: 全局返回码，各接口的返回码
OFFICIAL = {
    -1: "微信一时繁忙，过一会儿再查",
    40001: _WRONG_APP,
    40003: "OpenID不是这个公众号的，或这位顾客没有关注",
    40013: "AppID不对：在“基本配置”里核对app_id，注意大小写",
    40014: "access_token失效：客服台会自己换一次；反复出现时看是不是有别的程序也在取token",
    40037: "没有这个模板：在“模板消息”或“订阅通知”里核对later.id",
    40125: _WRONG_APP,
    40164: _WHITELIST,
    40200: "这个账号类型不能发菜单消息（要已认证的公众号）：写 msgmenu: false，改发编号",
    40243: "AppSecret被冻结：到“基本配置”里解冻，或重置后换上新的",
    42001: "access_token过期：客服台会自己换；反复出现时核对机器的时间",
    43004: "这位顾客没有关注",
    43101: "这位顾客没有（或已用完）订阅这个通知的次数",
    43117: "给同一位顾客发得太密，过一分钟再发",
    45009: "今天的调用次数用完了，零点（北京时间）恢复；可在后台“接口权限”里看用量",
    45011: "调用太频繁，下一分钟再试",
    45015: "这位顾客超过48小时没有来消息，或取消了关注，现在不能发客服消息",
    45047: "这位顾客来消息以后的客服消息条数用完了，要等顾客再来消息",
    47003: "模板的字段不对：按模板内容核对later.fields里的字段名和长度",
    48001: "这个账号没有这项接口权限：到“接口权限”里查看（多数要先做微信认证）",
    48004: "这个接口因违规被封：到公众号后台的通知里看原因",
    50002: "账号被限制或冻结：登录公众号后台看通知",
    65400: "新版客服还没有开通：在公众号后台的“客服”里开通",
    88000: "没有留言功能或权限：到“留言”里确认已开通",
    88001: "没有这篇文章：核对comments.articles里的msg_data_id（群发以后才有）",
    89503: "这次调用要管理员在微信里确认：请管理员点同意，再查一次",
    89506: "这个IP今天两次被管理员拒绝：24小时后再试，或换一个IP",
    89507: "这个IP一小时内被管理员拒绝过：一小时后再试",
}
# developer.work.weixin.qq.com: 全局错误码
WECOM = {
    -1: "企业微信一时繁忙，过一会儿再查",
    40001: "Secret不对：要用在“微信客服—API”里指定的应用的Secret，不是通讯录或别的应用的",
    40013: "CorpID不对：到“我的企业—企业信息”最下面核对app_id",
    40014: "access_token失效：客服台会自己换一次；反复出现时核对Secret",
    42001: "access_token过期：客服台会自己换；反复出现时核对机器的时间",
    45009: "调用太频繁，过一会儿再试",
    45033: "同时调用的太多，过一会儿再试",
    48002: "没有接口权限：在“微信客服—API”里允许这个应用管理客服账号",
    60020: "这台机器的出口IP不在企业可信IP里：到应用的“企业可信IP”加上错误信息里的IP",
    95000: "没有这个客服账号：核对open_kfid",
    95001: "给这位顾客的条数用完了，要等顾客再来消息",
    95002: "顾客超过48小时没有来消息，现在不能发",
    95004: "没有这个客服账号：核对open_kfid，并在“微信客服—API”里让应用管理它",
    95013: "会话已经结束，要等顾客再来消息",
    95014: "没有接待人员在线",
    95016: "会话不能这样转换",
    95018: "会话在企业微信里由接待人员接待着，现在不能用接口发",
}


def cause(error: Exception, *, official: bool) -> str:
    """Say in Chinese why a call has failed and what to do.

    Args:
        error: As the interface raises it.
        official: Whether the account is an Official Account; else of 微信客服.

    Returns:
        One line; with WeChat's own words, which name the address that is not in the whitelist.
    """
    if isinstance(error, WeChatError):
        known = (OFFICIAL if official else WECOM).get(error.code, "微信拒绝了这次调用")
        return f"{known}（{_tame(str(error))}）"
    if isinstance(error, NotReachedError):
        return "连不上微信的接口：看这台机器能不能上网、域名解析、代理、api设置和防火墙"
    if isinstance(error, OutcomeUnknownError):
        return "微信没有答复或答复不完整：看网络和代理，过一会儿再查"
    return f"意外的错误（{type(error).__name__}）"


def _tame(words: str) -> str:
    """Words from outside, for one line of a terminal."""
    return "".join(letter for letter in words if letter.isprintable())[:200]
