"""The domain of service recovery: cases, invitations, remedies. Knows no web framework."""
