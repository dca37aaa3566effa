"""What a customer's words tell of harm done and of the form wished for; nobody is asked."""

import pytest

from recovery.dialogue.forms import FORM_WORDS, read_choice
from recovery.dialogue.harm import read_harm
from recovery.dialogue.hearing import _NO_PICTURE
from recovery.remedy.facts import CHOICES, HARMS

INJURY = (
    "孩子吃完就过敏了，身上起了一片红疹",
    "我拉肚子拉了一天",
    "拉了两天，人都虚了",
    "全家上吐下泻",
    "我妈吃完吐了一地",
    "昨晚去医院挂了急诊",
    "送医院输液了",
    "老人在大堂滑倒，手都肿了",
    "浴室地上有水，我摔了一跤",
    "被碎玻璃划伤了手",
    "手被柜门夹伤",
    "杯子裂口把嘴划破了",
    "被热水烫伤",
    "医生说是食物中毒",
    "我们被困在电梯里四十分钟",
    "缝了三针",
    "导游不管，我爱人中暑晕倒了",
    "脚崴了一下，膝盖磕破皮流血了",
)
LOSS = (
    "水漏下来把我家地板都泡了",
    "天花板掉下来一块",
    "把我的外套弄脏了",
    "洗衣服务搞坏了我一件衬衫",
    "行李箱被你们弄坏了，我新买的相机摔坏了",
    "我自己掏钱在外面住了一晚",
    "最后我自己打车回来的",
    "垫付了三百块药费",
    "额外花了两百多",
    "损失了好几百",
    "误工费谁出",
    "家具都泡坏了",
    "墙纸全起皮了",
    "我的电动车被偷了",
    "我的钱包在房间里不见了",
    "电脑进水开不了机",
    "多花了一百八的车费",
)
PLANS = (
    "耽误我第二天开会了",
    "误了飞机",
    "错过了末班车",
    "没赶上高铁",
    "面试迟到了半小时",
    "孩子生日都被毁了",
    "婚礼就这么被毁了",
    "白跑一趟",
    "白跑了两趟",
    "我为这事请了半天假",
    "请了一天的假在家等师傅",
    "只好改签明天的票",
    "吵得一整晚没睡",
    "一晚上都没合眼",
    "停水没法做饭",
    "电梯坏了，老人没办法出门",
    "整个行程全乱了",
    "打乱了我们的计划",
    "聚会泡汤了",
    "出差的时间都被你们耽误了",
    "来不及去考试，考试都迟到了",
)
NONE = (
    "房间没打扫",
    "太慢了，等了一个小时",
    "气死我了！！什么破店！",
    "还好没受伤",
    "幸好没有过敏",
    "差点摔倒",
    "差点误了飞机",
    "倒也没耽误什么",
    "怕耽误明天的会",
    "会不会耽误我上班",
    "这样会耽误我的飞机吗？",
    "万一滑倒怎么办",
    "不会过敏吧",
    "我对花粉过敏，房间里别放花",
    "我有过敏史",
    "过敏体质能吃吗",
    "不好意思耽误您一下",
    "耽误你们几分钟",
    "别误会了",
    "快递把我的杯子摔坏了",
    "收到的货压坏了我很生气",
    "我的包裹丢了",
    "我的快递不见了",
    "我的订单被弄丢了",
    "没有流血",
    "没有额外花钱",
    "感情受伤的总是顾客",
    "我松了一口气，吐了一口气",
    "没被困在电梯里",
    "以免耽误行程",
    "担心会拉肚子",
    "不至于错过航班",
    "发货太慢",
    "态度差，让人心里不舒服",
    "下次别再迟到",
    "",
)


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        *((text, "injury") for text in INJURY),
        *((text, "loss") for text in LOSS),
        *((text, "plans") for text in PLANS),
        *((text, None) for text in NONE),
    ],
)
def test_harm_is_read_from_what_happened(text: str, harm: str | None) -> None:
    assert read_harm(text) == harm


@pytest.mark.parametrize("known", HARMS)
@pytest.mark.parametrize("text", [INJURY[0], LOSS[0], PLANS[0], NONE[0]])
def test_harm_never_becomes_milder(text: str, known: str) -> None:
    told = read_harm(text, known)
    assert told is None or HARMS.index(told) > HARMS.index(known)


def test_the_worst_that_is_told_counts() -> None:
    assert read_harm("误了飞机，还摔了一跤，又花了两百") == "injury"


CHOSEN = {
    "refund": (
        "换成退款可以吗",
        "不要券，直接退钱",
        "不要券直接退钱",
        "别给券了退我现金吧",
        "我不要代金券，要现金",
        "代金券能不能换成现金",
        "把券换成退款",
        "积分我用不上，退钱吧",
        "能不能退钱",
        "我要退款",
        "退给我就行",
        "直接退吧",
        "可以退吗",
        "我想退货",
        "全额退款",
        "把钱退给我",
        "折现吧",
        "优惠券折成现金",
        "原路退回来",
        "不换了，退钱",
        "不换新的了，退钱",
        "不用补寄了，退款吧",
        "别补发了，直接退款",
        "把团费退一部分给我",
        "退我一半的钱",
        "赔我钱就行",
        "给我钱吧，别的不要",
        "这顿免单吧",
        "把物业费退给我",
        "退款吧，不需要积分",
    ),
    "exchange": (
        "给我换一件新的",
        "能换货吗",
        "换个新的给我",
        "换台新的",
        "不退了，换个新的",
        "我不要退款，给我换新",
        "退款换成换货",
        "换一双吧",
        "换一件就行",
        "帮我更换",
    ),
    "resend": (
        "补寄一份给我",
        "重新发一个吧",
        "再寄一件",
        "不要退款，重发就行",
        "少的补给我",
        "补发吧",
        "不用退了，补一件给我",
    ),
    "voucher": (
        "换成代金券吧",
        "我更想要券",
        "给我优惠券",
        "折成券",
        "退款换成券",
        "发个红包吧",
        "积分换成代金券",
        "再送我一张券",
    ),
    "points": (
        "能换成积分吗",
        "给我积分吧",
        "券换成积分",
        "不要券，给积分",
        "全换成积分",
    ),
    "waiver": (
        "从物业费里扣吧",
        "抵物业费行不行",
        "减免一个月物业费",
        "换成减免费用",
        "免一个月管理费",
        "下期物业费少交一点",
        "能不能抵停车费",
    ),
    None: (
        "换一种形式",
        "能换个别的吗",
        "换个方案",
        "有没有别的办法",
        "我想退房",
        "换个房间",
        "不要券",
        "我不要退款",
        "要么退款要么换货",
        "退款和积分都行",
        "换个人跟我说",
        "这些我都用不上",
        "还有别的吗",
        "把方案再发我一遍",
        "先不换",
        "",
    ),
}


@pytest.mark.parametrize(
    ("text", "choice"), [(text, choice) for choice, texts in CHOSEN.items() for text in texts]
)
def test_a_form_is_read_from_what_is_wanted(text: str, choice: str | None) -> None:
    assert read_choice(text) == choice


def test_every_form_has_words_and_is_read_from_them() -> None:
    assert set(FORM_WORDS) == set(CHOICES) - {""}
    for choice, words in FORM_WORDS.items():
        assert read_choice(f"换成{words}") == choice


@pytest.mark.parametrize(
    "text",
    [
        "没拍照",
        "没有照片",
        "没有",
        "没了",
        "没法拍",
        "我没来得及拍照",
        "不方便拍",
        "拍不了",
        "忘了拍",
        "忘记拍了",
        "已经扔了",
        "吃完了，哪还有图",
        "照片删了",
        "菜早被收走了",
        "退房了，拍不到",
        "我没有拍",
    ],
)
def test_who_has_no_picture_is_understood(text: str) -> None:
    assert _NO_PICTURE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "没问题，我拍",
        "不好意思，照片马上发",
        "好的，我去拍",
        "稍等，我拍一下",
        "没关系我现在就拍",
        "不急，我拍给您",
        "这就拍照",
        "怎么发照片",
        "不知道怎么发照片",
        "到底退不退",
        "我没收到货",
        "没有人管吗",
    ],
)
def test_who_goes_to_take_one_is_waited_for(text: str) -> None:
    assert not _NO_PICTURE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        *("我流血流汗赚的钱", "急得我发烧", "我被气得住院了", "气到吐血", "手机壳压坏了我的心情"),
        *("心都碎了", "恶心到我吐了一地"),
    ],
)
def test_figures_of_speech_are_no_harm(text: str) -> None:
    """Worth must not lean on heated words."""
    assert read_harm(text) is None


def test_the_air_is_not_a_figure() -> None:
    assert read_harm("天气的事耽误了我们的行程") == "plans"
