"""The tables that a configuration names: packs, targets, and the user's own profiles. Whoever cannot be loaded is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evidence.errors import PackError
from evidence.packs import Pack
from evidence.packs import load as load_pack
from semconv.errors import SemconvError
from semconv.translate import Translator
from sidecar.errors import ConfigError

__all__ = ["load_packs", "load_translator", "read_profiles"]

_PROFILE_BYTES_MAX = 1 << 20


def load_packs(names: Sequence[str]) -> tuple[Pack, ...]:
    """Packs by built-in name, or by file when the name has a suffix or a folder.

    Raises:
        ConfigError: There is no such pack, or it is not valid.
    """
    return tuple(_pack(name) for name in names)


def _pack(name: str) -> Pack:
    try:
        return load_pack(Path(name).read_bytes(), name) if name.endswith((".yaml", ".yml")) else load_pack(name)
    except (PackError, OSError) as error:
        raise ConfigError(f"pack {name}: {error}") from error


def read_profiles(folder: Path | None) -> dict[str, bytes]:
    """The user's profiles by file name, in the order of their names.

    Raises:
        ConfigError: The folder or a file cannot be read, or a file is too large.
    """
    if folder is None:
        return {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
        for path in files:
            if path.stat().st_size > _PROFILE_BYTES_MAX:
                raise ConfigError(f"semconv.profiles_dir: {path} is larger than {_PROFILE_BYTES_MAX} bytes")
        return {path.name: path.read_bytes() for path in files}
    except OSError as error:
        raise ConfigError(f"semconv.profiles_dir: {error.filename} cannot be read: {error.strerror}") from error


def load_translator(target: str, profiles: Mapping[str, bytes]) -> Translator:
    """The translator of a configuration.

    Raises:
        ConfigError: A table is not valid, or there is no such target.
    """
    try:
        return Translator.load(target, user_profiles=profiles)
    except SemconvError as error:
        raise ConfigError(f"semconv: {error}") from error
