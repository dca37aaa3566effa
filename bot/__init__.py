"""The Rasa side of Huixin: the channel Rasa listens on, its words, its memory and its ears.

Runs in the nlu environment only (Python 3.10, Rasa 3.6.21) and speaks to the other processes
over HTTP. Of our own code it may import `recovery.privacy` and `recovery.faults`, which need
nothing but the standard library.
"""
