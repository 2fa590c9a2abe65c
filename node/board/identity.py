"""Which board this is, by what its kernel and its release files say; nothing is guessed."""

from __future__ import annotations

import re
from typing import NamedTuple

from node.board.sysfs import SysFs
from node.errors import SensorError

_TREES = ("proc/device-tree", "sys/firmware/devicetree/base")
_TEGRA = frozenset({"tegra210", "tegra186", "tegra194", "tegra234", "tegra264"})
_L4T_RELEASE = "etc/nv_tegra_release"
_L4T_LINE = re.compile(r"#\s*R(\d+)\s*\(release\),\s*REVISION:\s*(\d+(?:\.\d+)*)")
_PACKAGES = "var/lib/dpkg/status"
_L4T_PACKAGE = re.compile(
    r"^Package: nvidia-l4t-core\n(?:.+\n)*?Version: (\d+(?:\.\d+)+)", re.MULTILINE
)
_MODULE = re.compile(r"nvidia,(p\d{4}-\d{4})")
_DMI = "sys/class/dmi/id"
_NVIDIA = "proc/driver/nvidia"
_MAX_PACKAGES_BYTES = 16 << 20

JETPACK_OF_L4T = {
    "32.6.1": "4.6",
    "32.7.1": "4.6.1",
    "32.7.2": "4.6.2",
    "32.7.3": "4.6.3",
    "32.7.4": "4.6.4",
    "32.7.5": "4.6.5",
    "32.7.6": "4.6.6",
    "35.1.0": "5.0.2",
    "35.2.1": "5.1",
    "35.3.1": "5.1.1",
    "35.4.1": "5.1.2",
    "35.5.0": "5.1.3",
    "35.6.0": "5.1.4",
    "35.6.1": "5.1.5",
    "36.3.0": "6.0",
    "36.4.0": "6.1",
    "36.4.3": "6.2",
    "36.4.4": "6.2.1",
    "36.5.0": "6.2.2",
    "38.2.0": "7.0",
    "38.4.0": "7.1",
    "39.2.1": "7.2.1",
}
"""Releases of NVIDIA's JetPack archive; one that is not here has no JetPack that we know of."""


class Fact(NamedTuple):
    """One thing that was found, and the file that says it."""

    text: str
    path: str

    def __str__(self) -> str:
        """Render as ``"text" (path)``."""
        return f'"{self.text}" ({self.path})'


class Identity(NamedTuple):
    """Which board this is; None for what no file says."""

    family: str
    """``jetson``, ``raspberry-pi``, ``nvidia-gpu`` or ``generic``."""
    because: Fact | None = None
    """What decided the family; None where nothing did, so that it is generic."""
    model: Fact | None = None
    soc: Fact | None = None
    """As the device tree calls it: ``tegra234``, ``bcm2712``."""
    module: Fact | None = None
    """Part number of a Jetson's module."""
    l4t: Fact | None = None
    """Release of Jetson Linux."""
    jetpack: Fact | None = None
    system: Fact | None = None
    """The distribution."""
    memory: Fact | None = None
    """Bytes that the kernel can use."""

    def __str__(self) -> str:
        """Render what is known as ``key="text" (path)``."""
        return " ".join(
            f"{name}={fact}"
            for name, fact in zip(self._fields[1:], self[1:], strict=True)
            if fact is not None
        )


def identify(sysfs: SysFs) -> Identity:
    """Find out which board the tree is of."""
    compatible, tree = _compatible(sysfs)
    names = [name.partition(",") for name in compatible]
    tegra = next((chip for vendor, _, chip in names if vendor == "nvidia" and chip in _TEGRA), "")
    broadcom = next((chip for vendor, _, chip in names if vendor == "brcm"), "")
    pi = next((name for name in compatible if name.startswith("raspberrypi,")), "")
    path = f"{tree}/compatible"
    l4t = _l4t(sysfs, packages=bool(tegra))
    model = _fact(sysfs, f"{tree}/model") if tree else None
    common = Identity("generic", model=model, system=_system(sysfs), memory=_memory(sysfs))
    if tegra or l4t is not None:
        module = next((match[1] for name in compatible if (match := _MODULE.fullmatch(name))), "")
        jetpack = JETPACK_OF_L4T.get(l4t.text) if l4t else None
        return common._replace(
            family="jetson",
            because=Fact(f"nvidia,{tegra}", path) if tegra else l4t,
            soc=Fact(tegra, path) if tegra else None,
            module=Fact(module, path) if module else None,
            l4t=l4t,
            jetpack=Fact(jetpack, l4t.path) if jetpack and l4t else None,
        )
    soc = Fact(broadcom, path) if broadcom else None
    if pi:
        return common._replace(family="raspberry-pi", because=Fact(pi, path), soc=soc)
    machine = common._replace(model=model or _machine(sysfs), soc=soc)
    driver = _fact(sysfs, f"{_NVIDIA}/version") if sysfs.children(f"{_NVIDIA}/gpus") else None
    if driver is not None:
        version = Fact(driver.text.split("\n", 1)[0], driver.path)
        return machine._replace(family="nvidia-gpu", because=version)
    return machine


def _compatible(sysfs: SysFs) -> tuple[list[str], str]:
    for tree in _TREES:
        fact = _fact(sysfs, f"{tree}/compatible")
        if fact is not None:
            return fact.text.split("\0"), tree
    return [], ""


def _machine(sysfs: SysFs) -> Fact | None:
    product = _fact(sysfs, f"{_DMI}/product_name")
    vendor = _fact(sysfs, f"{_DMI}/sys_vendor")
    if product is None or vendor is None:
        return product
    return Fact(f"{vendor.text} {product.text}", product.path)


def _l4t(sysfs: SysFs, *, packages: bool) -> Fact | None:
    match = _L4T_LINE.search(_disk(sysfs, _L4T_RELEASE))
    if match is not None:
        return Fact(f"{match[1]}.{match[2]}", _L4T_RELEASE)
    if packages:
        match = _L4T_PACKAGE.search(_disk(sysfs, _PACKAGES, _MAX_PACKAGES_BYTES))
        if match is not None:
            return Fact(match[1], _PACKAGES)
    return None


def _system(sysfs: SysFs) -> Fact | None:
    path = "etc/os-release"
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', _disk(sysfs, path), re.MULTILINE)
    return Fact(match[1], path) if match else None


def _memory(sysfs: SysFs) -> Fact | None:
    path = "proc/meminfo"
    match = re.search(r"^MemTotal:\s+(\d+) kB", _disk(sysfs, path), re.MULTILINE)
    return Fact(str(int(match[1]) * 1024), path) if match else None


def _fact(sysfs: SysFs, path: str) -> Fact | None:
    try:
        text = sysfs.read(path)
    except SensorError:
        return None
    return Fact(text, path) if text else None


def _disk(sysfs: SysFs, path: str, max_bytes: int = 1 << 16) -> str:
    try:
        return sysfs.read_disk(path, max_bytes) or ""
    except SensorError:
        return ""
