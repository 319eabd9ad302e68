"""Files for requests of the local JSM."""

from __future__ import annotations

import requests

from jsmsso.sandbox.local_jsm import LocalJsm

PATH = "/rest/servicedeskapi/servicedesk/{desk}/attachTemporaryFile"


def send_files(
    jsm: LocalJsm, *files: tuple[str, bytes, str], desk: str = "1", token: str = "no-check", part: str = "file"
) -> requests.Response:
    """Upload files as the site's first account. ``token`` is what the header against forged requests says."""
    account, headers = jsm.account, {"X-Atlassian-Token": token}
    if not jsm.site.is_cloud:
        headers["Authorization"] = f"Bearer {account.token}"
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            jsm.url + PATH.format(desk=desk),
            files=[(part, file) for file in files],
            headers=headers,
            auth=(account.email, account.token) if jsm.site.is_cloud else None,
            timeout=30,
        )


def sent_file(jsm: LocalJsm, name: str, content: bytes, mime_type: str = "text/plain", desk: str = "1") -> str:
    """The temporary id of a file that was uploaded."""
    answer = send_files(jsm, (name, content, mime_type), desk=desk)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["temporaryAttachments"][0]["temporaryAttachmentId"])
