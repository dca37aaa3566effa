"""What cases taught: facts of each case, figures over many, causes, what rises."""
