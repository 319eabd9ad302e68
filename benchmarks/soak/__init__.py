"""Thousands of logins and sessions at a server that runs on, and what happens when the provider or JSM is in trouble."""
