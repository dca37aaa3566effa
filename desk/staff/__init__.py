"""What staff see and do, by what a member of staff would call it.

Who is there: `session` (login, who may), `own_account`, `accounts` (with the audit log),
`presence`, `notices`; `masking` says whose data who sees.

What is shown: `lists` (rows), `detail` (one conversation, from `look`, in sections: `summary`,
`curve`, `earlier`, `remedy_view`), `search`, `board`; live over `live`, to all pages `audience`.

A conversation: `conversations` (take, answer, hand on, give back; all changes through `changes`),
`closing`, `notes`, `labels`, `canned`, `coach` (suggestions, warnings), `speaking` (`pictures`,
`calls`), `by_hand` (a case without a page).

Remedies: `facts` and `matters` (what staff find out), `advice` (what the policy gives),
`proposals` (what staff would give, judged), `offers`, `settling`, `requests`, `remedies`.
"""
