"""One login at a provider from the terminal: what is checked before it, the login, what came of it, and how that is shown."""
