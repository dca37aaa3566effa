"""The check of an account for operators: settings, rights, connections, and causes in Chinese."""
