"""``customers sync``: many customers written to JSM before their first login."""
