"""Customers' requests over Atlassian's REST API: what they are, who they are shared with, and everything that is done to them.

Every call here is the service account's, which sees far more than a customer may: who may see what is decided by the caller.
"""
