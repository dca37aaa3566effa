"""The remedy policy: from facts to a fair remedy, and the words for each remedy."""
