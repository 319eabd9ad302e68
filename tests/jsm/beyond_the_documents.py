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

# https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-search/#api-api-2-search-post
SEARCH_OF_DATA_CENTER = {
    "type": "object",
    "required": ["jql"],
    "properties": {
        "jql": TEXT,
        "startAt": NUMBER,
        "maxResults": NUMBER,
        "fields": {"type": "array", "items": TEXT},
        "validateQuery": {"type": "boolean"},
    },
    "additionalProperties": False,
}
FOUND_ON_DATA_CENTER = {
    "type": "object",
    "required": ["startAt", "maxResults", "total", "issues"],
    "properties": {
        "expand": TEXT,
        "startAt": NUMBER,
        "maxResults": NUMBER,
        "total": NUMBER,
        "issues": {"type": "array", "items": {"type": "object", "required": ["id", "key", "self", "fields"]}},
    },
    "additionalProperties": False,
}

# https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-attachments/#api-rest-api-3-attachment-meta-get
ATTACHMENT_SETTINGS = {
    "type": "object",
    "required": ["enabled"],
    "properties": {"enabled": {"type": "boolean"}, "uploadLimit": NUMBER},
    "additionalProperties": False,
}

NUMBERS: dict[str, Any] = {"type": "array", "items": NUMBER}
FILE: dict[str, Any] = {"description": "a file, not JSON"}

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
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/#api-rest-servicedeskapi-request-issueidorkey-participant-delete
    ("delete", "/rest/servicedeskapi/request/{issueIdOrKey}/participant"): {
        "parameters": {"start": NUMBER, "limit": NUMBER},
        "body": USERS,
        "answer": {"$ref": "urn:jsm-openapi.json#/components/schemas/PagedDTOUserDTO"},
    },
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-servicedesk/#api-rest-servicedeskapi-servicedesk-servicedeskid-requesttype-permissions-check-post
    ("post", "/rest/servicedeskapi/servicedesk/{serviceDeskId}/requesttype/permissions/check"): {
        "parameters": {},
        "body": {
            "type": "object",
            "required": ["accountId", "permissions", "requestTypeIds"],
            "properties": {
                "accountId": TEXT,
                "permissions": {"type": "array", "items": {"enum": ["canCreateRequest", "canAdminister"]}},
                "requestTypeIds": NUMBERS | {"maxItems": 50},
            },
            "additionalProperties": False,
        },
        "answer": {
            "type": "object",
            "properties": {"canCreateRequest": NUMBERS, "canAdminister": NUMBERS},
            "additionalProperties": False,
        },
    },
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/#api-rest-servicedeskapi-request-issueidorkey-attachment-attachmentid-get
    ("get", "/rest/servicedeskapi/request/{issueIdOrKey}/attachment/{attachmentId}"): {"parameters": {}, "answer": FILE},
    ("get", "/rest/servicedeskapi/request/{issueIdOrKey}/attachment/{attachmentId}/thumbnail"): {"parameters": {}, "answer": FILE},
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-knowledgebase/
    ("get", "/rest/servicedeskapi/knowledgebase/article/view/{pageId}"): {"parameters": {}, "answer": FILE},
    ("get", "/rest/api/3/attachment/meta"): {"parameters": {}, "answer": ATTACHMENT_SETTINGS},
    ("get", "/rest/api/2/attachment/meta"): {"parameters": {}, "answer": ATTACHMENT_SETTINGS},
    ("post", "/rest/api/2/search"): {"parameters": {}, "body": SEARCH_OF_DATA_CENTER, "answer": FOUND_ON_DATA_CENTER},
    # Addresses in the answers of Data Center, which has no calls for the files themselves.
    # https://developer.atlassian.com/server/jira/platform/rest/v10002/api-group-attachment/#api-api-2-attachment-id-get
    ("get", "/secure/attachment/{id}/{filename}"): {"parameters": {}, "answer": FILE},
    ("get", "/secure/thumbnail/{id}/{filename}"): {"parameters": {}, "answer": FILE},
    ("get", "/secure/viewavatar"): {"parameters": {"avatarType": TEXT, "avatarId": TEXT, "size": TEXT}, "answer": FILE},
    # https://developer.atlassian.com/cloud/forms/rest/api-group-forms-on-portal/
    ("get", "/jira/forms/cloud/{cloudId}/servicedesk/{serviceDeskId}/requesttype/{requestTypeId}/form"): {
        "parameters": {},
        "answer": {
            "type": "object",
            "required": ["id", "design"],
            "properties": {"id": TEXT, "updated": TEXT, "design": {"type": "object"}, "publish": {"type": "object"}},
            "additionalProperties": False,
        },
        "other_answers": {404: {"type": "object", "required": ["errors"], "properties": {"errors": {"type": "array"}}}},
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
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/#api-rest-servicedeskapi-request-post
    ("jsm-openapi.json", "RequestCreateDTO"): {"isAdfRequest": {"type": "boolean"}, "form": {"type": "object"}},
    # The documents' own words allow what their types do not: "may be returned as null".
    ("jsm-openapi.json", "UserDTO"): {"emailAddress": HIDDEN_OR_TEXT},
    ("jira-platform-openapi.json", "User"): {"emailAddress": HIDDEN_OR_TEXT},
}

PARAMETERS: dict[tuple[str, str], dict[str, Any]] = {
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-customer/#api-rest-servicedeskapi-customer-post
    ("post", "/rest/servicedeskapi/customer"): {"strictConflictStatusCode": {"type": "boolean"}},
    # https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-servicedesk/#api-rest-servicedeskapi-servicedesk-servicedeskid-requesttype-get
    ("get", "/rest/servicedeskapi/servicedesk/{serviceDeskId}/requesttype"): {"restrictionStatus": TEXT},
}

# What Data Center has at /rest/api/2 as Cloud has it at /rest/api/3, but for the users in the answers.
# https://developer.atlassian.com/server/jira/platform/rest/v10002/intro/
SAME_ON_DATA_CENTER = frozenset(
    {
        ("get", "/rest/api/3/field"),
        ("get", "/rest/api/3/issue/{issueIdOrKey}"),
        ("put", "/rest/api/3/issue/{issueIdOrKey}"),
        ("delete", "/rest/api/3/issue/{issueIdOrKey}"),
        ("get", "/rest/api/3/comment/{commentId}/properties"),
        ("get", "/rest/api/3/comment/{commentId}/properties/{propertyKey}"),
        ("put", "/rest/api/3/comment/{commentId}/properties/{propertyKey}"),
        ("delete", "/rest/api/3/comment/{commentId}/properties/{propertyKey}"),
        ("get", "/rest/api/3/attachment/{id}"),
    }
)

# Data Center answers with whom it added. Of files the documents say nothing but that they come, or where they are.
ANSWERS: dict[tuple[str, str], dict[int, dict[str, Any]]] = {
    ("post", "/rest/servicedeskapi/servicedesk/{serviceDeskId}/attachTemporaryFile"): {
        201: {
            "type": "object",
            "required": ["temporaryAttachments"],
            "properties": {
                "temporaryAttachments": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["temporaryAttachmentId", "fileName"],
                        "properties": {"temporaryAttachmentId": TEXT, "fileName": TEXT},
                        "additionalProperties": False,
                    },
                }
            },
            "additionalProperties": False,
        }
    },
    ("get", "/rest/api/3/attachment/content/{id}"): {200: FILE, 303: FILE},
    ("get", "/rest/api/3/attachment/thumbnail/{id}"): {200: FILE, 303: FILE},
    ("get", "/rest/api/3/universal_avatar/view/type/{type}/avatar/{id}"): {200: FILE},
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
