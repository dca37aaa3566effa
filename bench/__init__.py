"""Measures Huixin against stock Rasa on the machine it runs on: `python -m bench`."""
