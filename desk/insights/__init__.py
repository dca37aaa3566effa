"""The insights of the desk: facts kept up to date, figures served, alerts, weekly reports."""
