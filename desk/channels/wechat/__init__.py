"""WeChat: Official Accounts (公众号, 服务号) and 微信客服 of WeCom.

`incoming`: from a callback to the road of every message. `outgoing`: from the streams to what
WeChat has taken, within its quota. `api`: the calls of both interfaces, with their tokens. `kf`:
what is of 微信客服 alone. `public`: comments under articles. `scenes`: going over between web and
WeChat. `checking`: `python -m desk.channels.wechat check`. `accounts` holds what the settings name,
`service` all of it together; rows stand in `recovery.store.wechat`.
"""
