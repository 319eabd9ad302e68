"""The profile, ``jsmsso.yaml``: found, read with every complaint at once, edited in place, its secrets looked up.

Nothing is imported here, so that ``jsmsso profile path`` does not pay for the model.
"""
