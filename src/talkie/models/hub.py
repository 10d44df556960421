"""The hub: what a repository holds, and the bytes of one file from any position. The only user of huggingface_hub.

Knows nothing of the store. The library names things, finds tokens and mirrors (`HF_TOKEN`, `HF_ENDPOINT`,
`HF_HUB_OFFLINE`) and speaks HTTP; the bytes are read here because its own download cannot go on after a kill
(docs/decisions/0040). Nothing that a token could be read from is ever put in a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from talkie import __version__
from talkie.errors import PullFailed
from talkie.models.name import is_commit

TIMEOUT_S = 20.0
_DIGEST = re.compile(r"[0-9a-f]{64}|git-[0-9a-f]{40}")
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it: `sha256` for large files, else the id of its git blob, `git_sha1`.

    `folder` is where in the repository it lies, with the slash at its end; `path` what it is called there.
    """

    path: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""
    folder: str = ""

    @property
    def digest(self) -> str:
        """What names its content: safe as a file name."""
        return self.sha256 or f"git-{self.git_sha1}"


@dataclass(frozen=True, slots=True)
class RemoteRepo:
    """A repository at one commit."""

    repo_id: str
    commit: str
    files: tuple[RemoteFile, ...]
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file. `position` is where they belong."""

    position: int
    data: bytes


class TransientFailure(Exception):
    """The connection, not the request, is at fault: worth another try."""


class Hub:
    """One hub, by default the one that the library's environment names."""

    def __init__(self, *, endpoint: str | None = None, token: str | None = None, offline: bool | None = None) -> None:
        self._endpoint = endpoint.rstrip("/") if endpoint else None
        self._token = token
        self._offline = offline

    @property
    def offline(self) -> bool:
        """True when no network may be used: as told, else as `HF_HUB_OFFLINE` says."""
        if self._offline is not None:
            return self._offline
        from huggingface_hub import constants

        return bool(constants.HF_HUB_OFFLINE)

    def describe(self, repo_id: str, revision: str) -> RemoteRepo:
        """What is in a repository. Raises `PullFailed`, or `TransientFailure`."""
        from huggingface_hub import HfApi

        _session(repo_id)
        api = HfApi(endpoint=self._endpoint, token=self._token, library_name="talkie", library_version=__version__)
        with _translated(repo_id, revision):
            info = api.model_info(repo_id, revision=revision, files_metadata=True, timeout=TIMEOUT_S)
        if not info.sha or not is_commit(info.sha):
            raise PullFailed(repo_id, "the hub does not say which commit this is.")
        files = tuple(_remote_file(sibling, repo_id) for sibling in info.siblings or ())
        return RemoteRepo(repo_id, info.sha, files, _licence(info.card_data))

    @contextmanager
    def open(self, repo: RemoteRepo, file: RemoteFile, start: int) -> Iterator[Iterator[Piece]]:
        """The bytes of a file from `start` on; a server that cannot do that sends all of it, from position 0."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        url = hf_hub_url(repo.repo_id, file.folder + file.path, revision=repo.commit, endpoint=self._endpoint)
        headers = build_hf_headers(token=self._token, library_name="talkie", library_version=__version__)
        headers["Accept-Encoding"] = "identity"
        if start:
            headers["Range"] = f"bytes={start}-"
        with _translated(repo.repo_id, file.path):
            stream = _session(repo.repo_id).stream(
                "GET", url, headers=headers, timeout=TIMEOUT_S, follow_redirects=True
            )
            with stream as response:
                hf_raise_for_status(response)
                first = start if response.status_code == 206 else 0
                yield _pieces(response, first)


def _session(what: str) -> Any:
    """The library's own, made once. It reads the certificates that it trusts from disk. Raises `PullFailed`."""
    from huggingface_hub import get_session

    try:
        return get_session()
    except OSError as error:
        raise PullFailed(
            what,
            f"the certificates of authorities cannot be read ({error.strerror or type(error).__name__}).",
            hint="Install the package ca-certificates, or name a file of them: SSL_CERT_FILE.",
        ) from None


def _pieces(response: Any, position: int) -> Iterator[Piece]:
    for data in response.iter_bytes():  # no chunk size: what waits for a full chunk is lost when the connection ends
        yield Piece(position, data)
        position += len(data)


def _licence(card: Any) -> str:
    """As the repository's owner wrote it, if that is one short line."""
    licence = getattr(card, "license", None)
    return licence if isinstance(licence, str) and len(licence) <= 100 and licence.isprintable() else ""


def _remote_file(sibling: Any, repo_id: str) -> RemoteFile:
    path, large = sibling.rfilename, sibling.lfs
    if large is not None:
        file = RemoteFile(path, int(large.size), sha256=str(large.sha256).lower())
    else:
        file = RemoteFile(path, int(sibling.size or 0), git_sha1=str(sibling.blob_id).lower())
    if not _DIGEST.fullmatch(file.digest) or file.size_bytes < 0 or sibling.size is None:
        raise PullFailed(repo_id, "the hub does not say the size and hash of a file.")
    return file


@contextmanager
def _translated(what: str, part: str) -> Iterator[None]:
    """Errors of the library and of its HTTP client, whichever that is, as ours."""
    from huggingface_hub import errors

    try:
        yield
    except (PullFailed, GeneratorExit):
        raise
    except errors.GatedRepoError:
        raise PullFailed(
            what, "its owner asks for an agreement first.", hint="Agree on its page on the hub, then set HF_TOKEN."
        ) from None
    except errors.RepositoryNotFoundError:
        raise PullFailed(
            what, "the hub has no such repository, or does not show it to you.", hint="Private ones need HF_TOKEN."
        ) from None
    except errors.RevisionNotFoundError:
        raise PullFailed(what, f"it has no revision {part!r}.", hint="Leave out @REVISION for the newest.") from None
    except errors.EntryNotFoundError:
        raise PullFailed(what, f"{part} is not there any more.") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in _TRANSIENT_STATUS:
            raise TransientFailure(f"the hub answered {status}") from None
        raise PullFailed(what, f"the hub answered {status}.") from None
    except errors.OfflineModeIsEnabled:
        raise PullFailed(what, "HF_HUB_OFFLINE is set.", hint="Unset it to use the network.") from None
    except (ConnectionError, TimeoutError) as error:
        raise TransientFailure(type(error).__name__) from None
    except ValueError as error:
        raise PullFailed(what, f"the answer is not one of a hub ({type(error).__name__}).") from None
    except Exception as error:
        # The HTTP client differs between versions of the library, and so do its exceptions.
        if "http" not in type(error).__module__:
            raise
        raise TransientFailure(type(error).__name__) from None
