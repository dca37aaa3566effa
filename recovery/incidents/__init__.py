"""What went wrong for several customers at once: reported by order systems, told together."""
