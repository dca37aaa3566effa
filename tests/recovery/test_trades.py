"""Signs of another trade take back a failure that the words resemble."""

import pytest

from recovery.dialogue.complaint import Complaint, read_complaint
from recovery.failures import TRADES, UNKNOWN
from recovery.trades import of_another_trade
from tests.recovery.talk import heard


@pytest.mark.parametrize(
    ("text", "industry", "elsewhere"),
    [
        ("话费多扣了两次", "shop", True),
        ("航班取消了不给退钱", "shop", True),
        ("离店以后押金没退", "shop", True),
        ("退房的时候多收了我一百", "hotel", False),
        ("快递员态度差", "shop", False),
        ("买的手机卡一直没发货，话费倒先扣了", "shop", False),  # speaks of both
        ("多收了我二十", "shop", False),  # of none
        ("快递丢了", "hotel", True),
        ("前台把我的快递弄丢了", "hotel", False),
    ],
)
def test_only_other_trades_without_the_own_one_count(
    text: str, industry: str, elsewhere: bool
) -> None:
    assert of_another_trade(text, industry) is elsewhere


@pytest.mark.parametrize(
    ("text", "failure"), [("话费多扣了两次", UNKNOWN), ("这单多收了我二十", "overcharge")]
)
def test_a_failure_of_another_trade_stays_unknown(text: str, failure: str) -> None:
    read = read_complaint(heard(text, "complain_overcharge", anger=1), "shop")
    assert isinstance(read, Complaint)
    assert read.failure == failure


OWN = {
    "hotel": (
        "房间根本没打扫",
        "隔壁吵了一夜",
        "订的大床给的双床",
        "到店说没房了",
        "空调坏了没人修",
        "前台办入住等了一个小时",
        "前台态度恶劣",
        "退房多收了一百",
        "早餐的盘子是脏的，服务员还甩脸",
        "被子上有头发",
        "马桶堵了",
        "热水半天不来",
        "枕头有股味道",
        "押金迟迟不退",
        "门卡刷不开，来回跑了三趟",
        "说好的海景房看不到海",
        "电视打不开",
        "浴室下水道反味",
        "酒店wifi连不上",
    ),
    "shop": (
        "发错货了",
        "少发一件",
        "杯子碎了",
        "耳机用两天就坏了",
        "快递一直不到",
        "包裹丢了",
        "怀疑是假货",
        "退款半个月没到账",
        "刚买就降价",
        "客服不理人",
        "多扣了我二十",
        "衣服色差太大",
        "鞋子尺码不对",
        "包装都烂了",
        "赠品没给",
        "颜色发错了",
        "收到的和图片不一样",
        "充电线充不进电",
        "茶叶味道不对",
        "壶漏水",
        "说好三天到现在没动静",
        "优惠没给我算",
        "买的手机卡死机了",
    ),
    "restaurant": (
        "上菜等了一个半小时",
        "菜上错了",
        "汤里有头发",
        "吃完拉肚子",
        "服务员态度差",
        "结账多收了三十",
        "外卖迟到一个小时",
        "骑手把汤洒了",
        "鱼不新鲜",
        "饭是凉的",
        "餐具没洗干净",
        "包间说好的没留",
        "催了五次都没人理",
        "账单对不上",
        "米饭夹生",
        "肉是生的",
        "排队排到了还让别人先进",
        "点单点错还不认",
        "牛肉里吃出一根铁丝",
        "空调太冷了没人管，吃得难受",
    ),
    "retail": (
        "收银多收了",
        "标价和结账不一样",
        "牛奶过期了",
        "锅用三天就掉漆",
        "退货不给退",
        "导购态度差",
        "货架标签写着九块九结账十五",
        "买的酸奶鼓包",
        "电饭煲坏了不给换",
        "会员价没给我打",
        "小票丢了就不给退",
        "柜台的人爱理不理",
        "面包发霉了",
        "刀一用就卷刃",
        "促销说好的赠品没有",
        "大米里有虫",
        "保安拦着不让走还翻包",
        "秤不准",
        "超市的肉发臭",
        "充电宝买回来充不进电",
    ),
    "property": (
        "报修三天没人来",
        "楼道脏",
        "地库停车位被占",
        "家里漏水",
        "电梯又停了",
        "楼上太吵",
        "物业费多收了",
        "门禁坏了小偷进来",
        "保安态度差",
        "垃圾堆了一周",
        "路灯不亮",
        "水管爆了没人管",
        "楼道里的快递被偷了",
        "管家电话打不通",
        "外卖员随便进小区",
        "天花板渗水",
        "绿化带都是狗屎",
        "快递柜占了消防通道",
        "充电桩坏了",
        "单元门锁不上",
        "装修噪音没人管",
        "高空抛物没人查",
        "业主群里被踢了",
        "家里停水没通知",
        "酒店式公寓的电梯总坏",
    ),
    "travel": (
        "行程改了没说",
        "酒店降了两档",
        "被带去购物店",
        "取消以后不退团费",
        "导游骂人",
        "大巴晚到两个小时",
        "多收了门票钱",
        "说好的五星住的是三星",
        "景点少去了三个",
        "航班改签没通知我们",
        "领队丢下我们走了",
        "签证没办下来钱不退",
        "团餐吃不饱",
        "自费项目强迫交钱",
        "高铁票买错了日期",
        "接机的人没来",
        "房间是民宿不是酒店",
        "导游强制买玉",
        "旅行社电话打不通",
        "定金不退",
        "行李被大巴拉走了",
        "地接社不管我们",
    ),
}


@pytest.mark.parametrize(
    ("industry", "text"), [(trade, text) for trade, texts in OWN.items() for text in texts]
)
def test_no_complaint_of_a_trade_is_taken_for_another_ones(industry: str, text: str) -> None:
    assert not of_another_trade(text, industry)


def test_every_trade_has_typical_complaints() -> None:
    assert set(OWN) == set(TRADES)


@pytest.mark.parametrize(
    ("industry", "text"),
    [
        ("shop", "酒店前台态度差"),
        ("shop", "离店以后押金没退"),
        ("shop", "酒店房间没打扫"),
        ("retail", "酒店房间太脏"),
        ("retail", "民宿的前台骂人"),
        ("property", "宽带老是断线"),
        ("restaurant", "话费多扣了"),
        ("retail", "话费多扣了两次"),
        ("hotel", "快递丢了"),
        ("hotel", "话费乱扣"),
        ("travel", "宽带断网"),
        ("travel", "信用卡多扣了钱"),
        ("restaurant", "航班晚点四个小时"),
        ("retail", "航班取消不退钱"),
        ("property", "航班取消不给退钱"),
        ("property", "信用卡被盗刷"),
        ("shop", "航班取消了不给退钱"),
    ],
)
def test_what_only_another_trade_does_is_taken_back(industry: str, text: str) -> None:
    assert of_another_trade(text, industry)
