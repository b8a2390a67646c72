"""Why an object store did not do what it was asked, as the error that says whose matter it is: an admin's, or time's.

Its client has one kind of error, whose text holds the store's own reply, and with it at times the key's id: so that
text is never shown.
"""

from __future__ import annotations

from config.problems import ConfigProblem, Problem
from sync.store.away import StoreAway

# By these its client is known, whatever kind of error comes of it.
STORE = ("Generic S3 error", "Error performing ")
_KEYS = "give `storage.access_key` and `storage.secret_key`, or this machine a role that may use the bucket"
# Words of the store's reply, or of what came before one, in this order → what is wrong, and what to do.
TO_FIX = (
    ("NoSuchBucket", "there is no such bucket", "make it, or name another one in `storage.url`"),
    ("404 Not Found", "a file of it is gone", "restore `storage.url` from a backup, or name an empty place"),
    ("InvalidAccessKeyId", "the store does not know this key", "check what lies in `storage.access_key`"),
    ("SignatureDoesNotMatch", "the key's secret is wrong", "check what lies in `storage.secret_key`"),
    ("RequestTimeTooSkewed", "this machine's clock is wrong", "set it by NTP"),
    ("ExpiredToken", "the session's token has expired", _KEYS),
    ("169.254.", "no key is given, and this machine has no role", _KEYS),
    ("PermanentRedirect", "the bucket is in another region", "name it in `storage.region`"),
    ("AuthorizationHeaderMalformed", "the bucket is in another region", "name it in `storage.region`"),
    ("301 Moved", "the bucket is in another region", "name it in `storage.region`"),
    (
        "AccessDenied",
        "the key may not do this",
        "let it list the bucket, and read, write and delete below `storage.url`",
    ),
    ("403 Forbidden", "the key may not do this", "let it list the bucket, and read, write and delete there"),
    ("401 Unauthorized", "the store does not know this key", _KEYS),
    (
        "certificate",
        "its certificate is not to be trusted",
        "have it signed by an authority that this machine knows; SSL_CERT_FILE names one more",
    ),
    ("InvalidBucketName", "this is no name of a bucket", "correct `storage.url`"),
    ("URL scheme is not allowed", "it would be asked without TLS", "name an https:// address"),
    (
        "NotImplemented",
        "the store cannot do this",
        "use one that keeps what is written to a name only if it is free",
    ),
)


def refusal(error: Exception, where: str) -> Exception | None:
    """What an error of the store's client means; None of any other error."""
    said = str(error)
    if not any(words in said for words in STORE):
        return None
    for words, what, fix in TO_FIX:
        if words in said:
            return ConfigProblem(Problem(f"the local copy cannot be reached: {what}", where=where, fix=fix))
    return StoreAway(f"The store of the local copy ({where}) is away, or does not answer")
