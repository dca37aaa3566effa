"""Errors that a page shows: a code for programs, a Chinese sentence for people."""

from sanic import HTTPResponse
from sanic.exceptions import SanicException
from sanic.response import json


class PageError(SanicException):
    """A request that is refused.

    Attributes:
        code: For the page's program.
        sentence: For the person in front of it.
    """

    def __init__(self, status: int, code: str, sentence: str) -> None:
        """Remember what to answer."""
        super().__init__(sentence, status_code=status, quiet=True)
        self.code = code
        self.sentence = sentence


_SENTENCES = {
    400: ("bad_request", "请求的格式不对"),
    401: ("not_logged_in", "请先登录"),
    403: ("forbidden", "没有权限"),
    404: ("not_found", "没有找到"),
    405: ("bad_request", "请求的格式不对"),
    413: ("too_large", "内容太大了"),
    429: ("too_fast", "操作太快了，请稍等再试"),
}


def not_found() -> PageError:
    """The one answer for what does not exist and for what is somebody else's."""
    return PageError(404, *_SENTENCES[404])


def error_response(error: Exception) -> HTTPResponse:
    """Answer an exception as JSON; its text is never shown unless it is a `PageError`."""
    status = getattr(error, "status_code", 500)
    if isinstance(error, PageError):
        code, sentence = error.code, error.sentence
    else:
        other = _SENTENCES[400] if status < 500 else ("error", "服务出了点问题，请稍后再试")
        code, sentence = _SENTENCES.get(status, other)
    return json({"error": {"code": code, "message": sentence}}, status=status)
