"""Which passwords of staff are refused: short ones, and those that everybody tries first."""

import unicodedata

SHORTEST = 10
LONGEST = 200
# The commonest of at least ten characters, in Chinese lists of leaked ones and in others.
_COMMON = frozenset(
    (
        "1qaz2wsx3edc 1q2w3e4r5t q1w2e3r4t5 q1w2e3r4t5y6 1qazxsw23edc zaq12wsxcde qazwsxedcrfv "
        "qwertyuiop asdfghjkl; zxcvbnm,./ qwerty12345 qwerty123456 qwer1234asdf asdf123456 "
        "password12 password123 password1234 passw0rd123 p@ssw0rd123 p@ssword123 admin12345 "
        "admin123456 administrator root123456 test123456 welcome123 welcome1234 letmein123 "
        "iloveyou123 woaini1314 woaini5201314 woaini520 woaini123456 5201314520 1314520520 "
        "a123456789 aa123456789 aaa123456 abc123456 abc1234567 abcd123456 abcd1234567 abc123456789 "
        "123456789a 123456789abc 123456789q 1234567890q 123456abcdef 12345678910 1234567891 "
        "1472583690 147258369a 7894561230 9876543210 0987654321 1123581321 3.1415926535 "
        "qq123456789 wang123456 zhang123456 huixin123456 changeme123 kefu123456 huixin12345"
    ).split()
)
_ROWS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def weakness(password: str, login: str) -> str | None:
    """Why a password is refused, in Chinese; None where it is not.

    Args:
        password: As chosen.
        login: Of the account.
    """
    if len(password) < SHORTEST:
        return f"密码至少{SHORTEST}位"
    if len(password) > LONGEST:
        return f"密码最多{LONGEST}位"
    if "\0" in password or any("\ud800" <= char <= "\udfff" for char in password):
        return "密码里有不能用的字符"
    plain = unicodedata.normalize("NFKC", password).casefold()
    name = unicodedata.normalize("NFKC", login).casefold()
    # The login with a few signs behind it is what is tried next.
    if len(name) > 2 and name in plain and len(plain) - len(name) < SHORTEST // 2:
        return "密码里不能主要是账号名"
    if plain == name or _is_common(plain):
        return "这个密码太常见，请换一个别人猜不到的"
    return None


def _is_common(plain: str) -> bool:
    if plain in _COMMON or len(set(plain)) < len("abcd"):
        return True
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    return any(plain in row for row in rows)
