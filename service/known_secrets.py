"""Secrets that everybody has: those of tutorials and standards, and texts that stand where a secret should be."""

# Printed where people copy from: RFC 7515 (A.1), the tutorials of frameworks, debuggers of tokens.
_PRINTED = frozenset(
    {
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
        "a-string-secret-at-least-256-bits-long",
        "your-256-bit-secret",
        "qwertyuiopasdfghjklzxcvbnm123456",
        "GQDstcKsx0NHjPOuXOYg5MbeJ1XT0uFiwDVvVBrk",
        "mySuperSecretKeyThatIsAtLeast32BytesLong",
    }
)
ENOUGH = 32  # letters and digits beside a placeholder
_PLACEHOLDERS = (
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "yoursecret",
    "yourjwt",
    "your256bit",
    "yoursuper",
    "supersecret",
    "mysecret",
    "topsecret",
    "secretkey",
    "jwtsecret",
    "signingkey",
    "password",
    "passphrase",
    "placeholder",
    "notasecret",
    "donotuse",
    "forexample",
    "examplesecret",
    "examplekey",
    "testsecret",
    "devsecret",
    "developmentsecret",
    "atleast32",
    "atleast256",
    "correcthorsebatterystaple",
    "letmein",
    "loremipsum",
)


def is_known(secret: str) -> bool:
    """Whether a secret is one of those, whatever the case and whatever separates its words.

    A placeholder beside as much as a secret needs is none: `jwt-secret-` before 32 random characters.
    """
    plain = rest = _plain(secret)
    for word in _PLACEHOLDERS:
        rest = rest.replace(word, "")
    return plain in _KNOWN or (rest != plain and len(rest) < ENOUGH)


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


_KNOWN = frozenset(map(_plain, _PRINTED))
