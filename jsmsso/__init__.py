"""jsmsso puts Jira Service Management customer portals behind a company's own login."""

__version__ = "0.1.0"
