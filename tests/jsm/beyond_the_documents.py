"""Calls and fields that Atlassian's OpenAPI documents lack, described by hand from Atlassian's pages.

The documents are the Cloud ones; JSM's is an older edition. Whatever stands neither there nor here is not called.
"""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
HIDDEN_OR_TEXT: dict[str, Any] = {"type": ["string", "null"]}

# What DELETE takes, as POST at the same address does: account ids on Cloud, names on Data Center.
USERS: dict[str, Any] = {
    "type": "object",
    "properties": {"accountIds": {"type": "array", "items": TEXT}, "usernames": {"type": "array", "items": TEXT}},
    "additionalProperties": False,
}

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
# https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-user/#api-api-2-user-get
USER_OF_DATA_CENTER = {
    "type": "object",
    "required": ["self", "key", "name", "displayName", "active"],
    "properties": {"self": TEXT, "key": TEXT, "name": TEXT, "emailAddress": TEXT, "displayName": TEXT, "active": {"type": "boolean"}},
    "not": {"required": ["accountId"]},
}

# https://developer.atlassian.com/server/jira-servicedesk/rest/v1005/api-group-service-desk-customer/
CUSTOMER_OF_DATA_CENTER = {
    "type": "object",
    "required": ["name", "key", "displayName", "active", "_links"],
    "properties": {"name": TEXT, "key": TEXT, "emailAddress": TEXT, "displayName": TEXT, "active": {"type": "boolean"}},
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
    ("get", "/rest/api/2/myself"): {"parameters": {}, "answer": USER_OF_DATA_CENTER},
    # Data Center knows no `permissions` and answers with all of them.
    ("get", "/rest/api/2/mypermissions"): {
        "parameters": {"projectKey": TEXT, "permissions": TEXT},
        "answer": MY_PERMISSIONS_OF_DATA_CENTER,
    },
    # https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-user/#api-api-2-user-search-get
    ("get", "/rest/api/2/user/search"): {
        "parameters": {"username": TEXT, "startAt": NUMBER, "maxResults": NUMBER},
        "answer": {"type": "array", "items": USER_OF_DATA_CENTER},
    },
    ("get", "/rest/api/2/user"): {"parameters": {"username": TEXT, "key": TEXT}, "answer": USER_OF_DATA_CENTER},
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-organization/#api-rest-servicedeskapi-organization-organizationid-user-delete
    ("delete", "/rest/servicedeskapi/organization/{organizationId}/user"): {
        "parameters": {},
        "body": USERS,
        "status": 204,
        "answer": None,
    },
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-organization/#api-rest-servicedeskapi-servicedesk-servicedeskid-organization-delete
    ("delete", "/rest/servicedeskapi/servicedesk/{serviceDeskId}/organization"): {
        "parameters": {},
        "body": {
            "type": "object",
            "required": ["organizationId"],
            "properties": {"organizationId": NUMBER},
            "additionalProperties": False,
        },
        "status": 204,
        "answer": None,
    },
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-servicedesk/#api-rest-servicedeskapi-servicedesk-servicedeskid-customer-delete
    ("delete", "/rest/servicedeskapi/servicedesk/{serviceDeskId}/customer"): {
        "parameters": {},
        "body": USERS,
        "status": 204,
        "answer": None,
    },
    # https://support.atlassian.com/jira/kb/retrieve-my-atlassian-sites-cloud-id/
    ("get", "/_edge/tenant_info"): {
        "parameters": {},
        "answer": {"type": "object", "required": ["cloudId"], "properties": {"cloudId": TEXT}},
    },
}

FIELDS: dict[tuple[str, str], dict[str, Any]] = {
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-requesttype/#api-rest-servicedeskapi-requesttype-get
    ("jsm-openapi.json", "RequestTypeDTO"): {"portalId": TEXT},
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-organization/#api-rest-servicedeskapi-organization-post
    ("jsm-openapi.json", "OrganizationDTO"): {"scimManaged": {"type": "boolean"}},
    # The documents' own words allow what their types do not: "may be returned as null".
    ("jsm-openapi.json", "UserDTO"): {"emailAddress": HIDDEN_OR_TEXT},
    ("jira-platform-openapi.json", "User"): {"emailAddress": HIDDEN_OR_TEXT},
}

PARAMETERS: dict[tuple[str, str], dict[str, Any]] = {
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-customer/#api-rest-servicedeskapi-customer-post
    ("post", "/rest/servicedeskapi/customer"): {"strictConflictStatusCode": {"type": "boolean"}},
}

# Data Center answers with whom it added.
ANSWERS: dict[tuple[str, str], dict[int, dict[str, Any]]] = {
    ("post", "/rest/servicedeskapi/servicedesk/{serviceDeskId}/customer"): {200: CUSTOMER_OF_DATA_CENTER},
}

# Statuses that a document does not list for a call come in one of Atlassian's three shapes.
# https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#status-codes
ERRORS: dict[str, Any] = {
    "anyOf": [
        {"type": "object", "required": ["errorMessage"], "properties": {"errorMessage": TEXT}},
        {"type": "object", "required": ["errorMessages"], "properties": {"errorMessages": {"type": "array", "items": TEXT}}},
        {"type": "object", "required": ["message"], "properties": {"message": TEXT}},
    ]
}
