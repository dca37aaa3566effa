"""The configured accounts with their secrets, which only the environment holds."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from recovery.settings import SettingsError
from recovery.wechat import WeChatAccount

_KEY_LENGTH = 43


@dataclass(frozen=True)
class Account:
    """One account that is ready for use.

    Attributes:
        settings: As the settings file has it.
        secret: AppSecret, or the secret of 微信客服.
        token: Of the callback.
        aes_keys: EncodingAESKey, the present one first.
    """

    settings: WeChatAccount
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_keys: tuple[str, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """As in the settings."""
        return self.settings.id

    @property
    def official(self) -> bool:
        """Whether it is an Official Account; else one of 微信客服."""
        return self.settings.kind == "official"


class Accounts:
    """All accounts of a desk."""

    def __init__(self, accounts: tuple[Account, ...]) -> None:
        """Take them in the order of the settings."""
        self._accounts = {account.id: account for account in accounts}

    def __iter__(self) -> Iterator[Account]:
        """Go through them in the order of the settings."""
        return iter(self._accounts.values())

    def get(self, account_id: str) -> Account | None:
        """One account by id."""
        return self._accounts.get(account_id)

    def of(self, business: str) -> Account | None:
        """The first account of a business to which customers can be led by a QR code."""
        return next(
            (
                one
                for one in self._accounts.values()
                if one.settings.business == business and one.settings.qrcode
            ),
            None,
        )


def read_accounts(settings: tuple[WeChatAccount, ...], environ: Mapping[str, str]) -> Accounts:
    """Put the accounts together with their secrets.

    Args:
        settings: From the settings file.
        environ: The environment.

    Raises:
        SettingsError: A variable is not set, or a key is none; names account and variable, never
            its content.
    """
    return Accounts(tuple(_account(one, environ) for one in settings))


def _account(one: WeChatAccount, environ: Mapping[str, str]) -> Account:
    def named(variable: str) -> str:
        value = environ.get(variable, "").strip()
        if not value:
            raise SettingsError(f"wechat.{one.id}: the environment variable {variable} is not set")
        return value

    keys = []
    for variable in (one.aes_key_env, one.previous_aes_key_env):
        if variable is not None:
            keys.append(_checked(named(variable), f"wechat.{one.id}: {variable}"))
    return Account(one, named(one.secret_env), named(one.token_env), tuple(keys))


def _checked(key: str, where: str) -> str:
    try:
        whole = len(key) == _KEY_LENGTH and len(base64.b64decode(key + "=", validate=True)) == 32
    except ValueError:
        # Also what is not ASCII.
        whole = False
    if not whole:
        raise SettingsError(f"{where}: an EncodingAESKey has 43 letters and digits")
    return key
