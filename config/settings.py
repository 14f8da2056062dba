"""Settings of the portal, steered by the environment.

`PORTAL_ENV` is demo (default), test or production. Addresses come from `DATABASE_URL` and
`CELERY_BROKER_URL`; unset, the embedded servers of `core.embedded` are used (never in production).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.doors import sign_in_doors
from config.unfold import UNFOLD  # noqa: F401 - the admin theme reads it here
from core.embedded.addresses import broker_url, database_settings
from core.embedded.places import environment
from core.embedded.run_file import run_file_read
from core.web_addresses import host_is_local

BASE_DIR = Path(__file__).resolve().parent.parent
PORTAL_ENV = environment()
PRODUCTION = PORTAL_ENV == "production"
TESTING = PORTAL_ENV == "test"
VAR_DIR = Path(os.environ.get("PORTAL_VAR_DIR", BASE_DIR / "var"))

SECRET_KEY = os.environ.get("PORTAL_SECRET_KEY", "" if PRODUCTION else "demo-only-not-a-secret")
DEBUG = False
_HOSTS = "" if PRODUCTION else "127.0.0.1,localhost,testserver"
ALLOWED_HOSTS = [one for one in os.environ.get("PORTAL_HOSTS", _HOSTS).split(",") if one]
DEMO = PORTAL_ENV == "demo"
if DEMO and not all(host_is_local(one) for one in ALLOWED_HOSTS if one != "testserver"):
    # Its passwords are printed, its sandbox pays anything: nobody else may reach it.
    raise ImproperlyConfigured("PORTAL_HOSTS: a demo is for this machine only")
# A running demo tells every command in the clone where it is; nothing else ever meets it.
_running = run_file_read() if DEMO else {}
PORTAL_URL = os.environ.get("PORTAL_URL") or _running.get(
    "portal_url", f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
)
_SANDBOX_URL = f"http://127.0.0.1:{os.environ.get('SANDBOX_PORT') or 8001}"
SANDBOX_URL = os.environ.get("SANDBOX_URL") or _running.get(
    "sandbox_url", "" if PRODUCTION else _SANDBOX_URL
)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "django_celery_beat",
    "pgtrigger",
    "allauth.account",
    "allauth.mfa",
    "core",
    "patients",
    "insurance",
    "billing.ledger",
    "billing",
    "credit",
    "refunds",
    "config",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.csp.ContentSecurityPolicy",
    "config.plain_addresses.PlainAddresses",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.staff_sessions.StaffSessions",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "core.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.hospital_of_page",
            ],
        },
    }
]

DATABASES = {"default": database_settings()}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

# Behind the hospital's proxy every page is https; the demo on one machine has no certificate.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script of ours reads the cookie
SESSION_COOKIE_AGE = 8 * 3600  # a shift
SECURE_HSTS_SECONDS = 365 * 86400 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked by the balancer, inside
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
CSRF_FAILURE_VIEW = "config.pages.form_not_taken"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns of a missing one at every start
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION  # no collectstatic before the first page
_STATIC = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "core.log_lines.LineFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("PORTAL_LOG_LEVEL", "WARNING")},
}
if TESTING:
    # Real password hashing would be most of a test's time.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

CELERY_BROKER_URL = broker_url()
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # no results are kept, so beat needs no row that clears them away
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
# The visibility timeout must exceed the hard time limit, else a running task is started twice.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A door that sends a hint while the broker is away goes on at once: its sweeper is certain,
    # and the default would hold the doctor's screen for six seconds a hint.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "billing.his.problems.problem_answer",
}

# Timings and limits of `billing.policy`, as JSON; what is not named keeps its value there.
BILLING_POLICY = json.loads(os.environ.get("BILLING_POLICY", "{}"))
# The calls upward (docs/adr 0007); `billing.checks` resolves every path.
PAYMENT_CHANNELS = {
    "wechat_pay": "billing.channels.wechat_pay.WechatPay",
    "alipay": "billing.channels.alipay.Alipay",
    "cash": "billing.channels.cash.Cash",
}
PAYMENT_PURPOSES = {
    "invoice": "billing.purposes.invoice.InvoicePurpose",
}
# What must stop in the transaction that takes a consent back, and in the one that ends a binding.
CONSENT_FOLLOWERS = {
    "privacy": ("billing.services.agreements.pauses.agreements_pause_all",),
    "deduction": ("billing.services.agreements.pauses.agreements_pause_all",),
}
# What stops when a binding, or only the guardian's word to pay by it, ends.
ACCESS_FOLLOWERS = ("billing.services.agreements.holders.agreements_follow_access",)
# Who is told, once it is committed, that a filing at the insurer began or ceased to stand.
FILING_FOLLOWERS = ("billing.services.insuring.refiling.prices_run_out",)
# What must stop when an account loses its phone to whoever has the number now, when it becomes
# another person's, and when a wallet turns out to be an account's.
ACCOUNT_FOLLOWERS = {
    "phone_let_go": ("billing.services.agreements.holders.agreements_follow_phone",),
    "another_person": ("billing.services.agreements.holders.agreements_follow_person",),
    "wallet_joined": ("billing.services.agreements.holders.agreements_follow_wallet",),
}

# Who carries messages to people. Outside production the sandbox's receivers, with its accounts;
# in production a messenger without an address is not set up.
_MESSAGES_URL = "" if PRODUCTION else SANDBOX_URL
MESSENGERS: dict[str, dict[str, str]] = {
    "wechat_template": {
        "base_url": os.environ.get(
            "WECHAT_MESSAGES_URL", _MESSAGES_URL and f"{_MESSAGES_URL}/wechat"
        ),
        "app_id": os.environ.get("WECHAT_APP_ID", "wx5a0db0c0ffee0001"),
        "secret": os.environ.get("WECHAT_APP_SECRET", "sandbox-wechat-app-secret"),
        "template_id": os.environ.get("WECHAT_TEMPLATE_ID", "bill"),
        "template_fields": os.environ.get("WECHAT_TEMPLATE_FIELDS", ""),
    },
    "sms": {
        "base_url": os.environ.get("SMS_URL", _MESSAGES_URL),
        "key": os.environ.get("SMS_KEY", "sandbox-sms-key"),
        "secret": os.environ.get("SMS_SECRET", "sandbox-sms-secret"),
        "sign_name": os.environ.get("SMS_SIGN_NAME", "医院缴费"),
        "template": os.environ.get("SMS_TEMPLATE", "bill"),
        "code_template": os.environ.get("SMS_CODE_TEMPLATE", "code"),
        "card_template": os.environ.get("SMS_CARD_TEMPLATE", "card"),
        "notice_template": os.environ.get("SMS_NOTICE_TEMPLATE", "notice"),
    },
}
MESSENGERS = {code: config for code, config in MESSENGERS.items() if config["base_url"]}

# Staff: a second factor at every login, and a session that locks when nobody is at the desk.
STAFF_SECOND_FACTOR = not TESTING
STAFF_IDLE_S = int(os.environ.get("STAFF_IDLE_S", "900"))
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody here has an address of e-mail
MFA_ADAPTER = "core.second_factor.SecondFactorAdapter"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]
PATIENT_SESSION_AGE = 30 * 86400  # their own phone; a lost one is signed out from another

# Codes one address may ask for in an hour: the hospital's own network is one address to us.
PHONE_CODES_ADDRESS_HOUR = int(os.environ.get("PHONE_CODES_ADDRESS_HOUR", "300"))
# A number that is given up rests for 90 days, then it is given to somebody else.
PHONE_UNUSED_DAYS = int(os.environ.get("PHONE_UNUSED_DAYS", "90"))
# `doctor` warns so many days before the last one whose holidays are known.
CALENDAR_WARNING_DAYS = int(os.environ.get("CALENDAR_WARNING_DAYS", "60"))
# Wallets a patient may sign in with. A door without its addresses is not offered.
LOGIN_URL = "/accounts/login"
LOGIN_REDIRECT_URL = "/"
SIGN_IN_DOORS = sign_in_doors(
    production=PRODUCTION, sandbox_url=SANDBOX_URL, keys=VAR_DIR / "sandbox" if DEMO else None
)
# Who helps while nothing can be asked, for the page of a fault: it reads no database.
HOSPITAL_HELP = {
    "name": os.environ.get("PORTAL_HOSPITAL", ""),
    "window": os.environ.get("PORTAL_WINDOW", ""),
    "phone": os.environ.get("PORTAL_PHONE", ""),
}
# Networks of the hospital's own proxies; only they may say whom a request comes from.
TRUSTED_PROXIES = [one for one in os.environ.get("TRUSTED_PROXIES", "").split(",") if one]

# The demo's HIS in the sandbox verifies our events with this; a real client has its own.
_EVENTS_SECRET = "" if PRODUCTION else "sandbox-his-events-secret"
DEMO_EVENTS_SECRET = os.environ.get("SANDBOX_HIS_EVENTS_SECRET", _EVENTS_SECRET)
SPECTACULAR_SETTINGS = {
    "TITLE": "Hospital billing portal: REST API for the HIS",
    "DESCRIPTION": "Money in whole fen, times in RFC 3339, refusals as application/problem+json.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "InvoiceStatusEnum": "billing.models.InvoiceStatus",
        "TransactionStatusEnum": "billing.models.TransactionStatus",
        "EventTypeEnum": "billing.models.EventType",
    },
}
