"""A customer's record in JSM: found or created, on the service desk, in their organizations; once, and again when something changed."""
