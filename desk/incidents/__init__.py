"""Customers are written to before they complain, and all of one incident together.

`receiving` takes in what order systems report, `watch` works it off: `admitting` says whom it
concerns, `reaching` where they can be written to, `deciding` what they are offered, `first_words`
writes to one, `telling` brings one text or offer to each, `suspecting` lets the bot propose
incidents. Of the staff page: `pages` are the calls, `showing` what is read, `changing` what one
member does, `together` what goes to all.
"""
