"""Posts that speak of another trade than the room's.

A post about a trade that the business is not in can still look like one of its failures, since
money, waiting and rudeness are complained of in the same words everywhere. Signs that only the
other trade has take such a failure back; the complaint then stays unknown and goes to a person.
"""

import re

_SIGNS: dict[str, re.Pattern[str]] = {
    "hotel": re.compile(
        r"酒店|宾馆|旅馆|旅店|民宿|客栈|客房|房费|房价|房型|入住|退房|离店|订房|住宿|大床|标间|楼层|隔壁|前台|房间"
    ),
    "shop": re.compile(
        r"快递|包裹|发货|到货|收货|物流|下单|网购|商城|旗舰店|店铺|卖家|客服小二|退换|换货|退货|尺码|色差|商品|宝贝"
    ),
    "telecom": re.compile(
        r"宽带|光纤|光猫|话费|流量|月租|营业厅|基站|漫游|彩铃|携号|销户|销号|停机|电信|联通|移动公司|中国移动|运营商|"
        r"[2-5][Gg]网|[Ss][Ii][Mm]卡"
    ),
    "transport": re.compile(
        r"航班|航空|登机|值机|机票|机场|行李箱?托运|改签|退票|火车票|高铁|动车|车次|打车|网约车|叫车|公交|地铁"
    ),
    "bank": re.compile(
        r"信用卡|储蓄卡|贷款|理财|网银|柜员|[Aa][Tt][Mm]|开户行|股票|基金|保险公司|保单"
    ),
    "software": re.compile(r"输入法|浏览器|手游|游戏账号|网游|外挂|固件|刷机|越狱|闪退"),
}

# Trades that share their words: a travel agency books hotels, a department store sells goods.
# The other's words say nothing there.
_NEAR: dict[str, frozenset[str]] = {
    "restaurant": frozenset({"hotel", "shop"}),
    "retail": frozenset({"shop"}),
    "property": frozenset({"hotel", "shop"}),
    "travel": frozenset({"hotel", "shop", "transport"}),
}


def of_another_trade(text: str, industry: str) -> bool:
    """Whether a message speaks of other trades and of nothing that is the business's own.

    Args:
        text: The message.
        industry: Of the business. It is never guessed from the text; the text can only show that
            a failure which its words resemble is not meant.

    Returns:
        True where signs of other trades stand in the text and none of the own trade.
    """
    own = _SIGNS.get(industry)
    if own and own.search(text):
        return False
    passed_over = {industry, *_NEAR.get(industry, ())}
    return any(signs.search(text) for trade, signs in _SIGNS.items() if trade not in passed_over)
