"""Encryption of stored secrets."""

import pytest

from resolvers.secret_box import CannotUnseal, SecretBox

SECRET = "sk-live-0123456789abcdef"
CONTEXT = "acme\npaid"


def test_a_sealed_secret_does_not_show_its_text_and_opens_again() -> None:
    sealed = SecretBox(b"m" * 32).seal(SECRET, context=CONTEXT)
    assert SECRET not in sealed
    assert SecretBox(b"m" * 32).unseal(sealed, context=CONTEXT) == SECRET


@pytest.mark.parametrize(("box", "context"), [(SecretBox(b"x" * 32), CONTEXT), (SecretBox(b"m" * 32), "other\npaid")])
def test_a_sealed_secret_does_not_open_with_another_key_or_for_another_context(box: SecretBox, context: str) -> None:
    sealed = SecretBox(b"m" * 32).seal(SECRET, context=CONTEXT)
    with pytest.raises(CannotUnseal):
        box.unseal(sealed, context=context)
