"""What the check command tells an operator, and that its page says the same."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from desk.channels.wechat.checking import causes
from desk.channels.wechat.checking.check import check, of_callback, of_clock
from desk.channels.wechat.checking.connecting import connected
from desk.channels.wechat.checking.findings import Finding
from recovery.clock import utc_now
from recovery.settings import ENVIRONMENT, Settings
from recovery.wechat import Comments, LaterMessage, WeChatAccount
from tests.desk.people import PATIENCE
from tests.desk.wechat import letters
from tests.desk.wechat.scene import ACCOUNT, Scene
from tests.support.stack import ROOT, free_port
from tests.support.wechat.double import Double

PAGE = ROOT / "docs" / "wechat.md"
PUBLIC = "https://desk.example"


@pytest.fixture
def double() -> Iterator[Double]:
    with Double() as made:
        yield made


def settings_with(*accounts: dict[str, Any], **changes: object) -> Settings:
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    content |= {"wechat": list(accounts), "public_url": PUBLIC, "desk": {"port": free_port()}}
    return Settings.model_validate(content | changes)


async def found(settings: Settings, environ: dict[str, str], account: str = "") -> list[Finding]:
    account = account or settings.wechat[0].id
    return [one async for one in check(settings, account, environ, utc_now(), connected)]


def said(findings: list[Finding], level: str) -> str:
    return "\n".join(str(one) for one in findings if one.level == level)


async def test_a_sound_account_has_nothing_to_change(double: Double) -> None:
    double_settings, environ = double.account()
    findings = await found(settings_with(double_settings), environ)
    assert said(findings, "bad") == ""
    assert "能取到 access_token" in said(findings, "good")
    assert f"{PUBLIC}/wechat/{double_settings['id']}" in said(findings, "good")
    # What cannot be known from here is said to be unknown.
    assert "没有客服台" in said(findings, "hint")
    assert "只有微信知道" in said(findings, "hint")


async def test_a_sound_kf_account_has_nothing_to_change(double: Double) -> None:
    double_settings, environ = double.account("kf")
    findings = await found(settings_with(double_settings), environ)
    assert said(findings, "bad") == ""
    assert "open_kfid 在这个企业里" in said(findings, "good")


async def test_an_unknown_account_is_told_with_those_that_there_are(double: Double) -> None:
    double_settings, environ = double.account()
    findings = await found(settings_with(double_settings), environ, "gzh9")
    assert "gzh9" in said(findings, "bad")
    assert double_settings["id"] in said(findings, "bad")


async def test_every_missing_variable_is_named(double: Double) -> None:
    double_settings, environ = double.account(previous_key=True)
    names = {name: value for name, value in double_settings.items() if name.endswith("_env")}
    assert len(names) == 4
    findings = await found(settings_with(double_settings), {})
    for name, variable in names.items():
        assert f"{name}: {variable}" in said(findings, "bad")
    variable = names["token_env"]
    findings = await found(settings_with(double_settings), environ | {variable: "  "})
    assert said(findings, "bad").count("\n") == 0
    assert variable in said(findings, "bad")


async def test_malformed_keys_and_tokens_are_told(double: Double) -> None:
    double_settings, environ = double.account()
    key, token = double_settings["aes_key_env"], double_settings["token_env"]
    for spoilt in ("short", "x" * 44, "好" * 43, "!" * 43):
        findings = await found(settings_with(double_settings), environ | {key: spoilt})
        assert f"43个字母和数字：核对 {key}" in said(findings, "bad")
        assert spoilt not in said(findings, "bad")
    findings = await found(settings_with(double_settings), environ | {token: "has spaces in it"})
    assert "Token 应是3到32个字母或数字" in said(findings, "bad")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://192.168.1.7", "内网"),
        ("http://localhost", "内网"),
        ("https://desk.example:8443", "80和443"),
    ],
)
async def test_addresses_that_wechat_cannot_reach_are_told(
    double: Double, address: str, words: str
) -> None:
    double_settings, _ = double.account()
    findings = await found(settings_with(double_settings, public_url=address), {})
    assert words in said(findings, "bad")


async def test_without_a_public_address_its_form_is_told(double: Double) -> None:
    double_settings, _ = double.account()
    findings = await found(settings_with(double_settings, public_url=None), {})
    assert f"/wechat/{double_settings['id']}" in said(findings, "hint")


@pytest.mark.parametrize(
    ("code", "words"),
    [(40164, "白名单"), (40125, "AppSecret不对"), (40013, "AppID不对"), (40243, "冻结")],
)
async def test_why_there_is_no_token_is_told_with_what_to_do(
    double: Double, code: int, words: str
) -> None:
    double_settings, environ = double.account()
    told = "invalid ip 203.0.113.9, not in whitelist"
    double.fail("/cgi-bin/stable_token", code, errmsg=told, times=None)
    findings = await found(settings_with(double_settings), environ)
    assert words in said(findings, "bad")
    # The code to look up, and the address to put into the list.
    assert str(code) in said(findings, "bad")
    assert "203.0.113.9" in said(findings, "bad")


@pytest.mark.parametrize(
    ("code", "words"), [(60020, "可信IP"), (40013, "CorpID"), (40001, "Secret")]
)
async def test_the_same_for_a_kf_account(double: Double, code: int, words: str) -> None:
    double_settings, environ = double.account("kf")
    double.fail("/cgi-bin/gettoken", code, times=None)
    findings = await found(settings_with(double_settings), environ)
    assert words in said(findings, "bad")


async def test_a_wrong_secret_is_told_and_stands_nowhere(double: Double) -> None:
    double_settings, environ = double.account()
    wrong = "notTheSecretOfThisAccount0123456"
    findings = await found(
        settings_with(double_settings), environ | {double_settings["secret_env"]: wrong}
    )
    whole = "\n".join(map(str, findings))
    assert "AppSecret不对" in said(findings, "bad")
    assert wrong not in whole
    for value in environ.values():
        assert value not in whole


async def test_that_wechat_cannot_be_reached_is_told(double: Double) -> None:
    double_settings, environ = double.account()
    double.refuse_connections()
    findings = await found(settings_with(double_settings), environ)
    assert "连不上微信的接口" in said(findings, "bad")


async def test_rights_that_are_missing_are_told_with_the_setting(double: Double) -> None:
    double_settings, environ = double.account(
        comments={"articles": ["2247483654"]},
        later={"kind": "template", "id": "T1", "fields": {"thing1": "matter"}},
    )
    double.accounts[double_settings["id"]].rights.clear()
    findings = await found(settings_with(double_settings), environ)
    bad = said(findings, "bad")
    for words in ("custom_messages: false", "qrcode: false", "模板消息", "2247483654", "88000"):
        assert words in bad


async def test_an_account_that_may_send_no_menus_is_told(double: Double) -> None:
    double_settings, environ = double.account()
    double.fail("/cgi-bin/message/custom/send", 40200)
    findings = await found(settings_with(double_settings), environ)
    assert "msgmenu: false" in said(findings, "bad")


async def test_templates_have_to_be_there_with_the_same_fields(double: Double) -> None:
    fields = {"thing1": "matter", "time3": "time"}
    double_settings, environ = double.account(
        later={"kind": "template", "id": "T1", "fields": fields}
    )
    account = double.accounts[double_settings["id"]]
    account.templates = {"T2": "{{thing1.DATA}}"}
    settings = settings_with(double_settings)
    assert "没有模板 T1" in said(await found(settings, environ), "bad")
    account.templates = {"T1": "{{thing1.DATA}}\n{{phrase2.DATA}}"}
    bad = said(await found(settings, environ), "bad")
    assert "少了字段 phrase2" in bad
    assert "没有字段 time3" in bad
    account.templates = {"T1": "事项：{{thing1.DATA}}\n时间：{{time3.DATA}}"}
    findings = await found(settings, environ)
    assert said(findings, "bad") == ""
    assert "字段一致" in said(findings, "good")


async def test_another_kf_account_is_told_with_those_that_there_are(double: Double) -> None:
    double_settings, environ = double.account("kf")
    there = double_settings["open_kfid"]
    findings = await found(settings_with(double_settings | {"open_kfid": "wkOther"}), environ)
    assert "open_kfid 不在" in said(findings, "bad")
    assert there in said(findings, "bad")


async def test_nobody_sees_anything_of_a_check(double: Double) -> None:
    double_settings, environ = double.account()
    await found(settings_with(double_settings), environ)
    assert double.accounts[double_settings["id"]].customers == {}
    assert double.violations == []
    assert not double.calls("/cgi-bin/message/template/send")


def environ_of(scene: Scene, account: str = ACCOUNT) -> dict[str, str]:
    known, prefix = scene.double.accounts[account], f"HUIXIN_WECHAT_{account.upper()}"
    return {
        f"{prefix}_SECRET": known.secret,
        f"{prefix}_TOKEN": known.token,
        f"{prefix}_AES_KEY": known.keys[0],
    }


async def test_a_running_desk_is_asked_as_the_console_asks(scene: Scene) -> None:
    context = scene.desk.context
    port = int(scene.desk.url.rpartition(":")[2])
    settings = context.settings.model_copy(
        update={
            "desk": context.settings.desk.model_copy(update={"port": port}),
            "public_url": f"http://127.0.0.1:{port}",
        }
    )
    now = scene.clock()
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        ours = context.wechat.get(ACCOUNT)
        assert ours is not None
        answers = [one async for one in of_callback(settings, ours, now, http)]
        assert "正确回答了带签名的验证请求" in said(answers, "good")
        assert "经公网地址也能走到客服台" in said(answers, "good")
        # It was started with another token.
        other = replace(ours, token="anotherToken")
        answers = [one async for one in of_callback(settings, other, now, http)]
        assert said(answers, "bad").count("HTTP 403") == 2
        # It was started before the account was there.
        unknown = letters.account()
        answers = [one async for one in of_callback(settings, unknown, now, http)]
        assert "不认识这个账号" in said(answers, "bad")
    environ = environ_of(scene)
    findings = [one async for one in check(settings, ACCOUNT, environ, now, connected)]
    assert "正确回答了" in said(findings, "good")
    assert scene.received() == []


@pytest.mark.parametrize(("aside", "told"), [(0, False), (59, False), (400, True), (-400, True)])
async def test_a_clock_that_goes_wrong_is_told(aside: int, told: bool) -> None:
    theirs = letters.NOW + timedelta(seconds=aside)
    date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT")
    transport = httpx.MockTransport(lambda _: httpx.Response(404, headers={"Date": date}))
    async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as http:
        findings = [one async for one in of_clock(letters.account(), letters.NOW, http)]
    assert bool(findings) is told
    assert not told or "时间同步" in said(findings, "bad")


@pytest.mark.parametrize("date", ["", "soon", "Mon, 09 Mar 2026 02:30:00"])
async def test_an_answer_without_a_good_date_says_nothing_about_the_clock(date: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"Date": date}))
    async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as http:
        assert [one async for one in of_clock(letters.account(), letters.NOW, http)] == []


def checked(settings: Path, account: str, **environ: str) -> tuple[int, str]:
    """What the command says, in a process of its own as operators run it."""
    ended = subprocess.run(
        [sys.executable, "-m", "desk.channels.wechat", "check", account],
        cwd=ROOT,
        env={**os.environ, ENVIRONMENT: str(settings), "PYTHONIOENCODING": "utf-8", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    return ended.returncode, ended.stdout


def test_the_command_ends_with_a_verdict(double: Double, tmp_path: Path) -> None:
    double_settings, environ = double.account()
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    content |= {"wechat": [double_settings], "public_url": PUBLIC, "data": str(tmp_path / "var")}
    content["desk"] = {"port": free_port()}
    path = tmp_path / "huixin.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    status, said = checked(path, double_settings["id"])
    assert status == 1
    assert "处要改" in said
    status, said = checked(path, double_settings["id"], **environ)
    assert status == 0, said
    assert "没有发现要改的" in said
    # The desk's own data are not even made.
    assert not (tmp_path / "var").exists()
    path.write_text("businesses: 3", "utf-8")
    status, said = checked(path, "x")
    assert status == 1
    assert "设置文件用不了" in said


def codes_table() -> str:
    """The table of codes of the page; to renew it, print this."""
    lines = ["| errcode | 公众号 | 微信客服 |", "|---|---|---|"]
    for code in sorted({*causes.OFFICIAL, *causes.WECOM}):
        cells = [causes.OFFICIAL.get(code, ""), causes.WECOM.get(code, "")]
        lines.append(f"| {code} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_page_has_every_code_that_the_command_knows() -> None:
    page = PAGE.read_text("utf-8")
    assert f"<!-- codes -->\n{codes_table()}\n<!-- /codes -->" in page


def test_the_page_names_every_setting_and_its_example_can_be_used() -> None:
    page = PAGE.read_text("utf-8")
    for name in WeChatAccount.model_fields:
        assert f"`{name}`" in page
    for name in (*LaterMessage.model_fields, *Comments.model_fields):
        assert re.search(rf"\b{name}\b", page)
    example = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    for one in example["wechat"]:
        # Cut off in the page.
        if "open_kfid" in one:
            one["open_kfid"] = one["open_kfid"].rstrip(".")
    settings = Settings.model_validate(content | example)
    assert [one.kind for one in settings.wechat] == ["official", "kf"]
