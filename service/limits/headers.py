"""What an answer says of limits: draft-ietf-httpapi-ratelimit-headers-10, and the three headers that came before it.

`RateLimit-Policy` names the limits that the request was counted in, `RateLimit` how much is left of requests and of
cost, each by the limit that ends first, and in how many seconds that is whole again. `RateLimit-Limit`, `-Remaining`
and `-Reset` say the same of the one of these two of which the smaller part is left, for clients that know only these.
"""

from collections.abc import Sequence
from functools import lru_cache

from service.limits.bucket import Bucket
from service.limits.limits import seconds_to_reset
from service.limits.policy import SECONDS

NAMES = ("RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def rate_limit_headers(buckets: Sequence[Bucket], now: float) -> list[tuple[bytes, bytes]]:
    """The headers of an answer to a request that was counted in these buckets."""
    ends_first: dict[str, Bucket] = {}
    for bucket in buckets:
        known = ends_first.get(bucket.measure)
        if known is None or bucket.left(now) < known.left(now):
            ends_first[bucket.measure] = bucket
    if not ends_first:
        return []
    shown = [(bucket, max(0, int(bucket.left(now))), seconds_to_reset(bucket, now)) for bucket in ends_first.values()]
    first = min(ends_first.values(), key=lambda bucket: bucket.left(now) / bucket.most)
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
