"""Access rules on the command line: decided about given claims, and edited."""
