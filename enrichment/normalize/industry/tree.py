"""The vocabulary of industries (`data/industries.txt`): what a label means, and which industry belongs to which."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from enrichment.normalize.text.text import words
from enrichment.normalize.word_list import read_lines

Industries = frozenset[str]
NONE: Industries = frozenset()


@dataclass(frozen=True, slots=True)
class Tree:
    """`labels`: the industries that a folded label means. `above`: each industry with all that it belongs to."""

    labels: Mapping[str, Industries]
    above: Mapping[str, Industries]

    def with_above(self, industries: Industries) -> Industries:
        """The industries and all that they belong to."""
        return NONE.union(*(self.above[industry] for industry in industries))


@lru_cache(1)
def tree() -> Tree:
    """The tree of `industries.txt`. Raises ValueError where the file contradicts itself."""
    labels: dict[str, set[str]] = {}
    parents: dict[str, set[str]] = {}
    branch: list[tuple[int, str]] = []
    for indent, line in _lines():
        while branch and branch[-1][0] >= indent:
            branch.pop()
        if line.startswith(">"):
            for child in line[1:].split():
                parents.setdefault(child, set()).add(branch[-1][1])
            continue
        industry, _, listed = line.partition(":")
        parents.setdefault(industry, set()).update(name for _, name in branch[-1:])
        branch.append((indent, industry))
        for label in listed.split("|"):
            labels.setdefault(words(label.strip()), set()).add(industry)
    known = NONE.union(*labels.values())
    if unknown := parents.keys() - known:
        raise ValueError(f"industries without a label: {', '.join(sorted(unknown))}")
    return Tree(
        {label: frozenset(industries) for label, industries in labels.items()},
        {industry: frozenset(_climb(industry, parents, ())) for industry in parents},
    )


def _lines() -> Iterator[tuple[int, str]]:
    """The lines with how far they are indented, continued ones joined."""
    joined: list[str] = []
    for line in read_lines("industry", "industries.txt"):
        if line.lstrip().startswith("|"):
            joined[-1] += f" {line.strip()}"
        elif line.strip():
            joined.append(line.rstrip())
    for line in joined:
        yield len(line) - len(line.lstrip()), line.lstrip()


def _climb(industry: str, parents: Mapping[str, set[str]], below: tuple[str, ...]) -> Iterator[str]:
    if industry in below:
        raise ValueError(f"an industry that belongs to itself: {industry}")
    yield industry
    for parent in parents[industry]:
        yield from _climb(parent, parents, (*below, industry))
