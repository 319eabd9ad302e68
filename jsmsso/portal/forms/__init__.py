"""A request type's fields as a form: widgets to fill in, and what was filled in, read and judged."""
