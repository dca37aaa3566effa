"""How a call of WeChat's interface can end badly; each kind is answered by its meaning."""


class WeChatError(RuntimeError):
    """WeChat has refused a call: it was not carried out.

    Attributes:
        code: `errcode`.
    """

    def __init__(self, code: int, message: str = "") -> None:
        """Remember the code; the message is WeChat's own, without secrets."""
        super().__init__(f"errcode {code} {message}".strip())
        self.code = code


class NotReachedError(RuntimeError):
    """The call has not reached WeChat: it may be made again."""


class OutcomeUnknownError(RuntimeError):
    """The call was sent and no answer came: it may have been carried out."""
