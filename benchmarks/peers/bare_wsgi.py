"""The least that a server can be asked for: one redirect, always the same."""

HEADERS = [("Location", "https://acme.atlassian.net/servicedesk/customer/portal/3"), ("Content-Length", "0")]


def application(environ, start_response):
    start_response("302 Found", HEADERS)
    return [b""]
