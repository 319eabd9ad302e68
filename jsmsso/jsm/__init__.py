"""Atlassian's REST API, as far as jsmsso needs it: the site, its service desks, their portals, and what our account may do."""
