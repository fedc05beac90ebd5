"""Word lists: text files in the folder `data` of the package that reads them.

Empty lines do not count, nor lines that begin with `#` and a space. Folded words are as `text.words` makes them.
"""

from importlib import resources


def read_lines(package: str, name: str) -> list[str]:
    """The lines of a list of a package of `enrichment.normalize`."""
    text = resources.files(f"enrichment.normalize.{package}").joinpath("data", name).read_text("utf-8")
    return [line for line in text.split("\n") if line and line != "#" and not line.startswith("# ")]


def read_words(package: str, name: str) -> frozenset[str]:
    """All words of a list, however they stand in lines."""
    return frozenset(word for line in read_lines(package, name) for word in line.split())


def read_pairs(package: str, name: str) -> dict[str, str]:
    """A list of lines `short long words`."""
    return dict(line.split(maxsplit=1) for line in read_lines(package, name))


def read_groups(package: str, name: str) -> list[tuple[str, list[str]]]:
    """A list of lines `first|other|other`: the first and the others of each."""
    return [(first, others) for first, *others in (line.split("|") for line in read_lines(package, name))]


def read_synonyms(package: str, name: str) -> dict[str, str]:
    """A list of lines `key|name|name`: the key by each other name. A name in several lines has the last key."""
    return {name: key for key, names in read_groups(package, name) for name in names}
