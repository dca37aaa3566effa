"""Practice for staff: a simulated customer, timed, reviewed; never in the figures."""
