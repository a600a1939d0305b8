"""Getting a Sigstore trusted root from its TUF repository: for whoever is online, so that nobody who verifies has to be.

Specification: https://theupdateframework.github.io/specification/latest/ (section 5, the client's workflow), carried out by the `tuf`
package. Laws: trust begins with a root that the caller names; nothing is kept between two fetches, so there is no cache that
anything could be judged by; and it is over at the deadline, whatever the network does.
"""

import shutil
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from attest.errors import FetchError
from attest.limits import DEFAULT

if TYPE_CHECKING:
    from tuf.ngclient import Updater  # type: ignore[attr-defined]  # re-exported without saying so

PUBLIC_URL = "https://tuf-repo-cdn.sigstore.dev"
"""The TUF repository of the public Sigstore instance."""

TRUSTED_ROOT = "trusted_root.json"
SIGNING_CONFIG = "signing_config.v0.2.json"
"""Targets as every Sigstore repository calls them."""

DEADLINE_SECONDS = 60.0

_SOCKET_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where a TUF repository is, and the root of its metadata that trust begins with."""

    url: str
    initial_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a repository vouches for now."""

    targets: dict[str, bytes]
    """Bytes by target name, each held to the digest and the size that the metadata say."""
    root_version: int
    """Version of the TUF root that trust arrived at."""
    expires: str
    """When the repository's own statement of being current is over, RFC 3339."""


def public_repository() -> Repository:
    """The public Sigstore instance's, with the root that the installed `sigstore` package brings along.

    Raises:
        FetchError: the package brings none.
    """
    from importlib.resources import files  # noqa: PLC0415 - for this only

    try:
        root = (files("sigstore") / "_store" / quote(PUBLIC_URL, safe="") / "root.json").read_bytes()
    except OSError as error:
        raise FetchError(f"the installed sigstore package brings no root for {PUBLIC_URL}; name one") from error
    return Repository(url=PUBLIC_URL, initial_root=root)


def fetch(repository: Repository, targets: Sequence[str], *, deadline_seconds: float = DEADLINE_SECONDS) -> Fetched:
    """Update the repository's metadata from its initial root, and download targets that they vouch for.

    Without a memory of earlier fetches it cannot see that the repository went back to an older state that has not expired.

    Raises:
        FetchError: a password in the URL, no answer by the deadline, or the repository's metadata or targets do not follow from its
            initial root.
    """
    if "@" in urlsplit(repository.url).netloc:
        raise FetchError("the repository's URL has a name or a password in it: they would not be sent, and be shown")
    outcome: list[Fetched | Exception] = []
    folder = tempfile.mkdtemp(prefix="affidavit-tuf-")

    def run() -> None:
        try:
            outcome.append(_update(repository, targets, Path(folder), min(deadline_seconds, _SOCKET_SECONDS_MAX)))
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: tuf's, urllib3's, the file system's
            outcome.append(error)

    # looking up a name cannot be interrupted, and retries add up: only leaving it behind is certain
    worker = threading.Thread(target=run, name="tuf", daemon=True)
    worker.start()
    worker.join(deadline_seconds)
    with suppress(OSError):
        shutil.rmtree(folder)
    if not outcome:
        raise FetchError(f"{repository.url}: no answer in {deadline_seconds:g} s")
    if isinstance(outcome[0], Exception):
        raise _explain(repository.url, outcome[0]) from outcome[0]
    return outcome[0]


def _update(repository: Repository, targets: Sequence[str], folder: Path, socket_seconds: float) -> Fetched:
    from tuf.ngclient import Updater  # type: ignore[attr-defined]  # noqa: PLC0415 - as above; heavy, and for this only
    from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher  # noqa: PLC0415 - as above

    if (size := len(repository.initial_root)) > DEFAULT.tuf_root_bytes_max:
        raise FetchError(f"the initial root has {size} bytes, at most {DEFAULT.tuf_root_bytes_max}")
    url = repository.url.rstrip("/")
    for name in ("metadata", "targets"):
        (folder / name).mkdir()
    updater = Updater(
        metadata_dir=str(folder / "metadata"),
        metadata_base_url=url,
        target_base_url=f"{url}/targets/",
        target_dir=str(folder / "targets"),
        fetcher=Urllib3Fetcher(socket_timeout=max(1, int(socket_seconds)), app_user_agent="affidavit"),
        bootstrap=repository.initial_root,
    )
    updater.refresh()
    found = {name: _target(updater, name, folder) for name in targets}
    return Fetched(targets=found, **_facts(folder / "metadata"))


def _target(updater: "Updater", name: str, folder: Path) -> bytes:
    info = updater.get_targetinfo(name)
    if info is None:
        raise FetchError(f"the repository has no target {name}")
    return Path(updater.download_target(info, str(folder / "targets" / "target"))).read_bytes()


def _facts(folder: Path) -> dict[str, Any]:
    from tuf.api.metadata import Metadata, Root, Timestamp  # type: ignore[attr-defined]  # noqa: PLC0415 - as above, twice

    root = Metadata[Root].from_file(str(folder / "root.json"))
    timestamp = Metadata[Timestamp].from_file(str(folder / "timestamp.json"))
    return {"root_version": root.signed.version, "expires": timestamp.signed.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _explain(url: str, error: Exception) -> FetchError:
    from tuf.api.exceptions import DownloadHTTPError, RepositoryError  # noqa: PLC0415 - as above

    said = " ".join(str(error).split())[: DEFAULT.reason_chars_max] or "nothing more is known"
    if isinstance(error, FetchError):
        return FetchError(f"{url}: {said}")
    if isinstance(error, RepositoryError):
        return FetchError(f"{url}: its metadata do not follow from the initial root: {type(error).__name__}: {said}")
    if isinstance(error, DownloadHTTPError):
        return FetchError(f"{url}: {said}")
    return FetchError(f"{url}: cannot be reached: {type(error).__name__}: {said}")
