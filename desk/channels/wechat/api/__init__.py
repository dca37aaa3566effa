"""The interfaces of WeChat and WeCom over HTTP: calls, tokens, how a call can end."""
