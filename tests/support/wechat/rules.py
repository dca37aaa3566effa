"""What WeChat allows, each number once, after the reference on WeChat (C1, C2).

Codes marked "recalled" are not in that document: nothing of the desk may hang on their value.
"""

from datetime import timedelta

# 客服消息: five for each message of the user, within 48 hours; three within a minute after a click
# on a menu, a follow, a scan. 微信客服 has the first of the two.
PER_MESSAGE, MESSAGE_WINDOW = 5, timedelta(hours=48)
PER_ACT, ACT_WINDOW = 3, timedelta(minutes=1)
TEXT_BYTES = 2048

# A callback is cut after five seconds and tried three times.
PATIENCE_SECONDS = 5.0
ATTEMPTS = 3
UNAVAILABLE = "该公众号暂时无法提供服务，请稍后再试"

TOKEN_LIFE = timedelta(seconds=7200)
# The usual mode gives the same token until five minutes before its end; both hold as long.
TOKEN_OVERLAP = timedelta(minutes=5)
FORCED_APART, FORCED_A_DAY = timedelta(seconds=30), 20
TOKEN_LETTERS = 512

TYPING_AFTER_EXCHANGE = timedelta(seconds=30)
TYPING_LASTS = timedelta(seconds=15)

MEDIA_KEPT = timedelta(days=3)
IMAGE_BYTES = 10 * 1024 * 1024

COMMENTS_A_PAGE = 49
COMMENT_REPLY_LETTERS = 600

# 微信客服
SYNC_MOST = 1000
SYNC_KEPT = timedelta(days=3)
SYNC_TOKEN_LIFE = timedelta(minutes=10)
MSGID_BYTES = 32
WELCOME_LIFE = timedelta(seconds=20)
SESSION_LIFE = timedelta(hours=48)
NEW, ASSISTANT, POOL, HUMAN, ENDED = range(5)
MOVES = {
    NEW: {ASSISTANT, POOL, HUMAN, ENDED},
    ASSISTANT: {POOL, HUMAN, ENDED},
    POOL: {HUMAN, ENDED},
    HUMAN: {POOL, HUMAN, ENDED},
    ENDED: set[int](),
}
MENU_ITEMS = 10


class RefusedError(Exception):
    """What a call is refused with."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or MESSAGES.get(code, "refused")


MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40007: "invalid media_id",
    40013: "invalid appid",
    40014: "invalid access_token",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40200: "invalid account type",
    41001: "access_token missing",
    42001: "access_token expired",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43117: "too many requests to this openid",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",  # recalled
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "command is invalid",
    45080: "no message exchanged within 30 seconds",
    45081: "already typing",
    47003: "argument invalid",  # recalled
    48001: "api unauthorized",
    88000: "without comment privilege",
    88001: "msg_data is not exists",  # recalled
    88005: "already reply",  # recalled
    88007: "reply content beyond max len or content len is zero",  # recalled
    88008: "comment is not exists",  # recalled
    88010: "count range error",  # recalled
    95000: "invalid open_kfid",  # recalled
    95001: "out of message count limit",
    95002: "out of message time limit",
    95007: "invalid msg token",
    95013: "session has ended",
    95014: "servicer is not active",
    95016: "session state change not allowed",  # recalled
    95018: "session state does not allow sending",  # recalled
}
