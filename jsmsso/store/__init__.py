"""What must outlive a request and be seen by every worker."""
