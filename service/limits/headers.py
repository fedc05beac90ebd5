"""What an answer says of limits: draft-ietf-httpapi-ratelimit-headers-10, and the three headers that came before it.

`RateLimit-Policy` names the limits that the request was counted in, `RateLimit` how much is left of the tightest one of
requests and of cost, and in how many seconds it is whole again. `RateLimit-Limit`, `-Remaining` and `-Reset` say the
same of the tightest of all, for clients that know only these.
"""

from collections.abc import Sequence
from functools import lru_cache

from service.limits.bucket import Bucket
from service.limits.limits import seconds_to_reset
from service.limits.policy import SECONDS

NAMES = ("RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def rate_limit_headers(buckets: Sequence[Bucket], now: float) -> list[tuple[bytes, bytes]]:
    """The headers of an answer to a request that was counted in these buckets."""
    tightest: dict[str, tuple[float, Bucket]] = {}
    for bucket in buckets:
        share, measure = bucket.left(now) / bucket.most, bucket.measure
        if measure not in tightest or share < tightest[measure][0]:
            tightest[measure] = (share, bucket)
    if not tightest:
        return []
    shown = [(bucket, max(0, int(bucket.left(now))), seconds_to_reset(bucket, now)) for _, bucket in tightest.values()]
    _, first = min(tightest.values(), key=lambda pair: pair[0])
    left, reset = next((left, reset) for bucket, left, reset in shown if bucket is first)
    return [
        (b"ratelimit-policy", _policy(tuple((bucket.name, bucket.most) for bucket in buckets))),
        (b"ratelimit", ", ".join(f'"{bucket.name}";r={left};t={reset}' for bucket, left, reset in shown).encode()),
        (b"ratelimit-limit", b"%d" % first.most),
        (b"ratelimit-remaining", b"%d" % left),
        (b"ratelimit-reset", b"%d" % reset),
    ]


@lru_cache(maxsize=256)
def _policy(limits: tuple[tuple[str, int], ...]) -> bytes:
    return ", ".join(f'"{name}";q={most};w={SECONDS}' for name, most in limits).encode()
