"""WeChat accounts as the settings file names them; their secrets stand in the environment."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from recovery.business import is_loopback

_Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
_Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,63}$")]
_Article = Annotated[str, Field(pattern=r"^[0-9]{1,20}(:[0-7])?$")]
# What a message to the customer can put into a field of a template.
TemplateValue = Literal["matter", "state", "text", "time", "business"]

OFFICIAL_API = "https://api.weixin.qq.com"
WECOM_API = "https://qyapi.weixin.qq.com"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LaterMessage(_Section):
    """A message that reaches customers outside of the window in which one may write to them.

    Attributes:
        kind: `template` (模板消息) or `subscribe` (订阅通知: one for each tap of the customer).
        id: Of the template, as the console shows it.
        fields: What goes into which field, for example `{thing1: matter, time3: time}`.
    """

    kind: Literal["template", "subscribe"] = "template"
    id: str = Field(min_length=1, max_length=64)
    fields: dict[str, TemplateValue] = Field(min_length=1)


class Comments(_Section):
    """Comments under articles as a public channel.

    Attributes:
        articles: `<msg_data_id>` or `<msg_data_id>:<place in the mailing>`.
        every_seconds: How often new ones are asked for.
    """

    articles: tuple[_Article, ...] = Field(min_length=1)
    every_seconds: int = Field(default=120, ge=10, le=86_400)


class WeChatAccount(_Section):
    """One Official Account (公众号, 服务号), or one 微信客服 account of WeCom.

    Attributes:
        id: Stands in the address of the callback: `/wechat/<id>`.
        kind: `official` or `kf` (企业微信的微信客服).
        business: Whose.
        name: As customers find it in WeChat.
        app_id: AppID; for `kf` the CorpID.
        open_kfid: Of the 微信客服 account; only for `kf`.
        secret_env: Environment variable of AppSecret; for `kf` of the secret of 微信客服.
        token_env: Environment variable of the callback's Token.
        aes_key_env: Environment variable of EncodingAESKey (43 characters).
        previous_aes_key_env: The one before, for as long as messages may still come with it.
        mode: What the console says: `plain`, `compatible`, `safe`; `kf` is always `safe`.
        api: Where WeChat's interface answers, for a proxy.
        custom_messages: Whether the account may send 客服消息; without it only passive replies go.
        msgmenu: Whether it may send 菜单消息; else quick replies are numbered text.
        qrcode: Whether it may make QR codes with a scene, so that web customers can come over.
        resend_unknown: Send again what may or may not have arrived; WeChat knows no ids of ours.
        menu: Words that a click on a menu stands for, by its key.
        later: What carries a message outside of the window; None: it waits.
        comments: Comments as a public channel; off without it.
    """

    id: _Identifier
    kind: Literal["official", "kf"] = "official"
    business: _Identifier
    name: str = Field(min_length=1, max_length=40)
    app_id: str = Field(pattern=r"^[A-Za-z0-9_-]{4,64}$")
    open_kfid: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{4,64}$")
    secret_env: _Variable
    token_env: _Variable
    aes_key_env: _Variable | None = None
    previous_aes_key_env: _Variable | None = None
    mode: Literal["plain", "compatible", "safe"] = "safe"
    api: str = ""
    custom_messages: bool = True
    msgmenu: bool = True
    qrcode: bool = True
    resend_unknown: bool = False
    menu: dict[str, str] = Field(default_factory=dict)
    later: LaterMessage | None = None
    comments: Comments | None = None

    @field_validator("api")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        """An address to which tokens and words may be sent, a slash at the end taken off."""
        if not value:
            return value
        parts = urlsplit(value)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            raise ValueError("no address like https://api.weixin.qq.com")
        if parts.query or parts.fragment:
            raise ValueError("no query or fragment belongs into the address")
        if parts.scheme == "http" and not is_loopback(host):
            raise ValueError("only https:// to other machines, the token is secret")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> "WeChatAccount":
        if self.kind == "kf":
            if not self.open_kfid:
                raise ValueError("open_kfid is missing (kind: kf)")
            if self.mode != "safe":
                raise ValueError("mode: 微信客服 is always safe")
            if self.comments or self.later:
                raise ValueError("comments and later belong to kind: official")
        if self.mode != "plain" and not self.aes_key_env:
            raise ValueError(f"aes_key_env is missing (mode: {self.mode})")
        if self.previous_aes_key_env and not self.aes_key_env:
            raise ValueError("previous_aes_key_env without aes_key_env")
        return self

    @property
    def address(self) -> str:
        """Where its interface answers."""
        return self.api or (OFFICIAL_API if self.kind == "official" else WECOM_API)
