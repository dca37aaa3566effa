"""The generic channel: any app, platform or gateway that posts signed messages and takes answers.

In: `incoming` (HTTP), `reading` (what a body says), `taking` and `places` (one transaction for
each message). Out: `planning` and `rendering` (from the streams to what a source is sent),
`posting` (one call), `verdicts` (what its end means), `deliverer`. `links` lets a writer open a
conversation in a browser. `sources` holds what the settings name, `service` all of it together;
rows stand in `recovery.store.webhook`. For who connects a source: docs/webhook.md.
"""
