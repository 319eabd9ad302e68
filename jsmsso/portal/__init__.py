"""The hosted portal: JSM's customer portal served here, over its REST API, for the customer who signed in."""
