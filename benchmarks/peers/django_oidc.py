"""Django with mozilla-django-oidc as its documentation sets it up: sessions in signed cookies, users in SQLite."""

import fcntl
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponseRedirect
from django.urls import include, path

ISSUER = os.environ["BENCH_ISSUER"]
settings.configure(
    SECRET_KEY=os.environ["BENCH_SESSION_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["BENCH_FOLDER"], "users.db")}},
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    LOGIN_URL="oidc_authentication_init",
    LOGIN_REDIRECT_URL="/portal/HELP",
    LOGIN_REDIRECT_URL_FAILURE="/refused",
    OIDC_RP_CLIENT_ID=os.environ["BENCH_CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["BENCH_CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_RP_SCOPES="openid profile email",
    OIDC_USE_PKCE=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/jwks",
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402 - only after the set-up


@login_required
def portal(request):
    return HttpResponseRedirect(os.environ["BENCH_NATIVE_PORTAL"])


urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("portal/HELP", portal)]
with open(Path(os.environ["BENCH_FOLDER"], "lock"), "w") as lock:  # both workers begin here
    fcntl.flock(lock, fcntl.LOCK_EX)
    call_command("migrate", verbosity=0)
application = get_wsgi_application()
