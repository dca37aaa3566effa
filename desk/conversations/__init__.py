"""The road of a message, and who has a conversation.

A message: `ingest` (`unread` for what cannot be read) -> `router` -> `rasa` -> `commit` (through
`turn`) -> outbox; `buttons`, `phrases`. Offers: `dealing`, `fulfilment`, `unasked`.
An owner: `ownership` (take, answer, give back), `passing` (among people), `closing`, `standing` and
`unanswered` (what is looked at before), `veil`. Waiting: `queueing`, `attendance`, `clock_watch`.
"""
