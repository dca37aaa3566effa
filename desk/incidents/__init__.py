"""Customers are written to before they complain, and all of one incident together.

`receiving` takes in what order systems report, `watch` works it off: `admitting` says whom it
concerns, `reaching` where they can be written to, `first_words` writes to one, `telling` brings
one text or offer to all, `suspecting` lets the bot propose incidents. `pages` is the staff page.
"""
