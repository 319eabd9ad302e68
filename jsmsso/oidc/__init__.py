"""The relying party of OpenID Connect: one file per message of the protocol. Knows no Jira and no web framework."""
