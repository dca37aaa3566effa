"""Sources of the generic channel as the settings file names them; their secrets stand outside."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from recovery.business import is_loopback

_Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
_Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,63}$")]
Visibility = Literal["public", "private"]

# What other channels are called: a conversation remembers where it goes on by this name.
_TAKEN = frozenset({"web", "wechat", "comment", "phone", "street", "other", "webhook"})


class WebhookSource(BaseModel):
    """One app, platform or gateway that brings messages and takes the answers.

    Attributes:
        id: Stands in the address, `/api/webhooks/<id>/messages`, and names the channel of its
            conversations.
        business: Whose.
        name: As customers know it.
        url: Where answers are posted to.
        secret_env: Environment variable of the secret that both sides sign with.
        previous_secret_env: Of the one before, for as long as both are in use.
        visibility: Who reads its messages, where a message does not say so itself.
        private_messages: Whether it can show words to one customer alone.
        room: Room of the business in which its public posts stand, also on the web page; None
            for a room of its own that no page shows.
        reach: How customers reach the business in private, said in public where the source
            cannot show words to one of them alone.
        private_addresses: Whether `url` may lead into private networks.
        burst: Messages that may come at once.
        per_second: Messages a second in the long run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,15}$")]
    business: _Identifier
    name: str = Field(min_length=1, max_length=40)
    url: str = Field(max_length=500)
    secret_env: _Variable
    previous_secret_env: _Variable | None = None
    visibility: Visibility = "private"
    private_messages: bool = True
    room: _Identifier | None = None
    reach: str | None = Field(default=None, min_length=1, max_length=80)
    private_addresses: bool = False
    burst: int = Field(default=100, ge=1)
    per_second: float = Field(default=20.0, gt=0)

    @field_validator("id")
    @classmethod
    def _free_name(cls, value: str) -> str:
        if value in _TAKEN:
            raise ValueError(f"{value!r} is the name of another channel")
        return value

    @field_validator("url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        """An address to which customers' matters may be sent."""
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise ValueError("no address like https://app.example/huixin") from error
        odd = not value.isascii() or not value.isprintable() or " " in value or "\\" in value
        if odd or parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            raise ValueError("no address like https://app.example/huixin")
        if parts.fragment:
            raise ValueError("no fragment belongs into the address")
        if parts.scheme == "http" and not is_loopback(host):
            raise ValueError("only https:// to other machines")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "WebhookSource":
        if self.visibility == "private" and not self.private_messages:
            raise ValueError("private_messages: false belongs to visibility: public")
        if self.previous_secret_env == self.secret_env:
            raise ValueError("previous_secret_env is the same variable as secret_env")
        return self

    @property
    def posts_in(self) -> str:
        """The room in which its public posts stand."""
        return self.room or f"wh-{self.id}"
