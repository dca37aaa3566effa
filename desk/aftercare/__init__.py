"""What the desk does after the remedy: wishes heard, notice shown, survey, gesture, recommendation.

`hearing` when a message comes in, `beside` when one is answered, `watch` when a matter is solved
(`surveying`, `giving`), `settling` when a button of these is pressed, `survey_pages` for who
answers, `panel` for staff. The tables and rules stand in `recovery/aftercare`.
"""
