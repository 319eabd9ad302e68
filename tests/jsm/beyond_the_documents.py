"""Calls and fields that Atlassian's OpenAPI documents lack, described by hand from Atlassian's pages.

The documents are the Cloud ones; JSM's is an older edition. Whatever stands neither there nor here is not called.
"""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}

# https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-server-info/#api-rest-api-2-serverinfo-get
# https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-serverinfo/#api-api-2-serverinfo-get
SERVER_INFO = {
    "type": "object",
    "required": ["baseUrl", "version", "versionNumbers", "deploymentType"],
    "properties": {
        "baseUrl": TEXT,
        "version": TEXT,
        "versionNumbers": {"type": "array", "items": {"type": "integer"}},
        "deploymentType": {"enum": ["Cloud", "Server"]},
        "buildNumber": {"type": "integer"},
        "serverTitle": TEXT,
    },
}

# https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-myself/#api-api-2-myself-get
MYSELF_OF_DATA_CENTER = {
    "type": "object",
    "required": ["self", "key", "name", "displayName", "active"],
    "properties": {"self": TEXT, "key": TEXT, "name": TEXT, "emailAddress": TEXT, "displayName": TEXT, "active": {"type": "boolean"}},
    "not": {"required": ["accountId"]},
}

# https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-mypermissions/#api-api-2-mypermissions-get
MY_PERMISSIONS_OF_DATA_CENTER = {
    "type": "object",
    "required": ["permissions"],
    "properties": {
        "permissions": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["id", "key", "name", "type", "havePermission"],
                "properties": {
                    "id": TEXT,
                    "key": TEXT,
                    "name": TEXT,
                    "type": {"enum": ["GLOBAL", "PROJECT"]},
                    "havePermission": {"type": "boolean"},
                },
            },
        }
    },
}

CALLS: dict[tuple[str, str], dict[str, Any]] = {
    ("get", "/rest/api/2/serverInfo"): {"parameters": {}, "answer": SERVER_INFO},
    ("get", "/rest/api/2/myself"): {"parameters": {}, "answer": MYSELF_OF_DATA_CENTER},
    # Data Center knows no `permissions` and answers with all of them.
    ("get", "/rest/api/2/mypermissions"): {
        "parameters": {"projectKey": TEXT, "permissions": TEXT},
        "answer": MY_PERMISSIONS_OF_DATA_CENTER,
    },
}

# https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-requesttype/#api-rest-servicedeskapi-requesttype-get
FIELDS: dict[tuple[str, str], dict[str, Any]] = {("jsm-openapi.json", "RequestTypeDTO"): {"portalId": TEXT}}

PARAMETERS: dict[tuple[str, str], dict[str, Any]] = {}

# Statuses that a document does not list for a call come in one of Atlassian's three shapes.
# https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#status-codes
ERRORS: dict[str, Any] = {
    "anyOf": [
        {"type": "object", "required": ["errorMessage"], "properties": {"errorMessage": TEXT}},
        {"type": "object", "required": ["errorMessages"], "properties": {"errorMessages": {"type": "array", "items": TEXT}}},
        {"type": "object", "required": ["message"], "properties": {"message": TEXT}},
    ]
}
