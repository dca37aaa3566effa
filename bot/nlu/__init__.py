"""Graph components of the NLU pipeline and what they are made of."""
