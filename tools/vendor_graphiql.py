"""Brings GraphiQL into `service/static/graphiql/vendor`, so that its page needs nothing from elsewhere.

Fetches the pinned npm packages with `npm pack`, checks each against its digest, and takes the few files that
the page loads, with the licences. Run it again after changing a version below.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

TARGET = Path(__file__).parents[1] / "service" / "static" / "graphiql" / "vendor"


@dataclass(frozen=True, slots=True)
class Package:
    """One npm package: its SHA-512 as npm shows it, and which of its files are kept under which names."""

    name: str
    version: str
    sha512: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "react",
        "18.3.1",
        "wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ==",
        {"umd/react.production.min.js": "react.js", "LICENSE": "react.LICENSE"},
    ),
    Package(
        "react-dom",
        "18.3.1",
        "5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw==",
        {"umd/react-dom.production.min.js": "react-dom.js", "LICENSE": "react-dom.LICENSE"},
    ),
    Package(
        "graphiql",
        "3.9.0",
        "rJYFlHdBbug9+YbFSwRVvgfPjCayC7wHecZkx/qB4XLuQPFQZw/yB9pmHFtOJV6RiNBBHro3u1GdocKa3YcGRA==",
        {"graphiql.min.js": "graphiql.js", "graphiql.min.css": "graphiql.css", "LICENSE": "graphiql.LICENSE"},
    ),
    # Has no licence file of its own: it is part of GraphiQL, under the same licence.
    Package(
        "@graphiql/plugin-explorer",
        "3.2.6",
        "MXzG/zVNzZfes4Em253bHyAbD/lwwAZkPKvxCAQkjz0i3dtcv4uF3D8iqJ7214iu3SCphbORYZZUC93fik1yew==",
        {"dist/index.umd.js": "explorer.js", "dist/style.css": "explorer.css"},
    ),
)


def main() -> None:
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as directory:
        for package in PACKAGES:
            take(package, fetch(package, Path(directory)))
    listed = "".join(f"{package.name} {package.version}\n" for package in PACKAGES)
    (TARGET / "VERSIONS").write_text(listed, encoding="utf-8")


def fetch(package: Package, directory: Path) -> Path:
    """The package's archive. Raises SystemExit when it is not the one we know."""
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    archive = directory / done.stdout.split()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.sha512:
        raise SystemExit(f"{package.name}@{package.version}: the archive has another digest, {digest}")
    return archive


def take(package: Package, archive: Path) -> None:
    with tarfile.open(archive) as files:
        for source, name in package.files.items():
            member = files.extractfile(f"package/{source}")
            if member is None:
                raise SystemExit(f"{package.name}@{package.version}: no file {source}")
            (TARGET / name).write_bytes(without_map(member.read()))


def without_map(content: bytes) -> bytes:
    """The file without its last line's pointer to a source map that we do not serve."""
    lines = content.rstrip().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b"//# sourceMappingURL", b"/*# sourceMappingURL")))


if __name__ == "__main__":
    main()
