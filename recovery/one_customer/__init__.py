"""One customer, one case: which complaint goes on where, and how two cases become one."""
