"""The tables that a configuration names: packs, targets, and the user's own profiles. Whoever cannot be loaded is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evidence.errors import PackError
from evidence.packs import Pack
from evidence.packs import load as load_pack
from evidence.redaction.policy import Policy, default_policy, read_policy
from evidence.signals import registry
from evidence.strict_yaml import BYTES_MAX as YAML_BYTES_MAX
from semconv.errors import ProfileError, SemconvError
from semconv.table import TABLE_BYTES_MAX
from semconv.translate import Translator
from sidecar.errors import ConfigError

__all__ = [
    "load_packs",
    "load_policy",
    "load_translator",
    "profile_bytes",
    "profile_files",
    "read_pack_file",
    "read_profiles",
]


def load_packs(names: Sequence[str]) -> tuple[Pack, ...]:
    """Packs by built-in name, or by file when the name has the suffix of one or a folder.

    Raises:
        ConfigError: There is no such pack, it is not valid, or two have one name: a bundle holds them by it.
    """
    packs = tuple(_pack(name) for name in names)
    for number, pack in enumerate(packs):
        if pack.name in {other.name for other in packs[:number]}:
            raise ConfigError(f"packs: two are named {pack.name!r}, the second is {names[number]}")
    return packs


def _pack(name: str) -> Pack:
    is_file = name.endswith((".yaml", ".yml")) or Path(name).name != name
    try:
        return read_pack_file(Path(name)) if is_file else load_pack(name)
    except PackError as error:
        raise ConfigError(str(error)) from error


def read_pack_file(file: Path) -> Pack:
    """The pack in a file, of which no more is read than shows that it is too large.

    Raises:
        PackError: The file cannot be read, or is not a valid pack; with file and line.
    """
    try:
        with file.open("rb") as opened:
            return load_pack(opened.read(YAML_BYTES_MAX + 1), str(file))
    except OSError as error:
        raise PackError(f"pack {file}: {error.strerror}") from error


def load_policy(file: Path | None) -> Policy:
    """The policy of redaction in a file; without one, secrets only.

    Raises:
        ConfigError: It cannot be read, or is not valid.
    """
    if file is None:
        return default_policy()
    signals = tuple(signal.id for signal in registry().signals.values() if signal.bodies)
    try:
        return read_policy(file.read_bytes(), str(file), signals)
    except OSError as error:
        raise ConfigError(f"redaction.policy_file: {file}: {error.strerror}") from error
    except PackError as error:
        raise ConfigError(f"redaction.policy_file: {error}") from error


def profile_files(folder: Path) -> list[Path]:
    """The profiles in a folder, in the order of their names.

    Raises:
        ConfigError: The folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as error:
        raise ConfigError(f"profiles in {folder}: {error.strerror}") from error


def profile_bytes(file: Path) -> bytes:
    """What a profile's file holds, but of one that is too large to be read no more than shows that.

    Raises:
        ConfigError: The file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(TABLE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"profile {file}: {error.strerror}") from error


def read_profiles(folder: Path | None) -> dict[str, bytes]:
    """The user's profiles by file name, in the order of their names.

    Raises:
        ConfigError: The folder or a file cannot be read.
    """
    try:
        return {file.name: profile_bytes(file) for file in profile_files(folder)} if folder else {}
    except ConfigError as error:
        raise ConfigError(f"semconv.profiles_dir: {error}") from error


def load_translator(target: str, profiles: Mapping[str, bytes], folder: Path | None = None) -> Translator:
    """The translator of a configuration.

    Args:
        target: the id of the target.
        profiles: the user's own, by file name.
        folder: where they were read, to be named when one cannot be used.

    Raises:
        ConfigError: A table is not valid, or there is no such target.
    """
    try:
        return Translator.load(target, user_profiles=profiles)
    except ProfileError as error:
        if error.file not in profiles:
            raise ConfigError(f"semconv: {error}") from error
        file = (folder or Path()) / error.file
        place = f"{file}:{error.line}" if error.line else f"{file}"
        hint = (
            f"`affidavit semconv lint {file}` tells all that is wrong with it; moved out of the folder it is not used"
        )
        raise ConfigError(f"semconv.profiles_dir: {place}: {error.reason} ({hint})") from error
    except SemconvError as error:
        raise ConfigError(f"semconv: {error}") from error
