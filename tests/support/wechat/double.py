"""A WeChat of the tests' own, over HTTP, on both sides of the desk.

It answers the interface of Official Accounts and of 微信客服 (tokens, quotas, error codes), and it
calls the desk back as WeChat does: signs, seals, cuts the connection after five seconds, tries
three times, reads the passive reply. It shares no code with the desk. What each number is stands
in `rules`. A test:

    with Double(clock) as double:
        settings, environ = double.account(business="lanting")
        ... a desk with `wechat: [settings]` and that environment ...
        double.desk = desk.url
        await double.write("o-lan", "房间太吵")
        assert double.seen("o-lan")[-1].via == "passive"

All of it runs on a thread of its own; methods may be called from any loop or thread. By hand:
`python -m tests.support.wechat.double DESK_URL [PORT]` prints settings and environment, then lines
"openid words" go to the desk and what customers see is printed.
"""

import asyncio
import json
import sys
from collections import Counter

from tests.support.wechat.callbacks import Delivery
from tests.support.wechat.calls import Call
from tests.support.wechat.customers import Customers
from tests.support.wechat.kf_customers import KfCustomers
from tests.support.wechat.watching import Failing, Watching
from tests.support.wechat.wire import Fault
from tests.support.wechat.world import Account, Comment, Seen

__all__ = ["Account", "Call", "Comment", "Delivery", "Double", "Fault", "Seen"]


class Double(Customers, KfCustomers, Watching, Failing):
    """WeChat, while the block of `with` lasts (or from `start` to `stop`)."""


def main() -> None:
    """Be WeChat for a desk, by hand."""
    desk, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with Double(port=port) as double:
        settings, environ = double.account()
        double.desk = desk
        print(json.dumps({"wechat": [settings]}, ensure_ascii=False, indent=2))
        print("\n".join(f"export {name}={value}" for name, value in environ.items()), flush=True)
        shown: Counter[str] = Counter()
        for line in sys.stdin:
            openid, _, text = line.strip().partition(" ")
            if text:
                asyncio.run(double.write(openid, text))
            for known in double.accounts[settings["id"]].customers:
                for one in double.seen(known)[shown[known] :]:
                    print(known, one.via, one.text, *one.items, flush=True)
                    shown[known] += 1


if __name__ == "__main__":
    main()
