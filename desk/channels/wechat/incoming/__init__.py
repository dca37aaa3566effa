"""What WeChat brings, until it is on the road of every message.

`callback` -> `envelope` (signature, cipher) -> `parsing` (-> `inbound`) -> `receiving` -> `taking`
(one transaction: `arriving` who it is, `places` where the words go, `putting` them there). What has
to be fetched first waits in `lanes`; what comes at once is committed `together`. `passive`:
callbacks that still wait for a reply.
"""
