"""The gateway that most Python teams would write: Flask and Authlib, the session in Flask's signed cookie."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

application = Flask(__name__)
application.secret_key = os.environ["BENCH_SESSION_SECRET"]
provider = OAuth(application).register(
    "provider",
    client_id=os.environ["BENCH_CLIENT_ID"],
    client_secret=os.environ["BENCH_CLIENT_SECRET"],
    server_metadata_url=os.environ["BENCH_DISCOVERY"],
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@application.get("/portal/HELP")
def portal():
    if "customer" not in session:
        return provider.authorize_redirect(url_for("callback", _external=True))
    return redirect(os.environ["BENCH_NATIVE_PORTAL"])


@application.get("/callback")
def callback():
    claims = provider.authorize_access_token()["userinfo"]  # the validated ID token's
    session["customer"] = {name: claims[name] for name in ("iss", "sub", "email", "exp")}
    return redirect("/portal/HELP")
