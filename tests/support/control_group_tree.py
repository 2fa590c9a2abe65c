"""A kernel's control groups as a folder: what appears when a group is made, what is refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from node.enforcement.control_groups import GroupFiles

OLD_CPU = "sys/fs/cgroup/cpu,cpuacct"
NEW = "sys/fs/cgroup"


class Kernel(GroupFiles):
    """Groups of one version; ``refused`` files cannot be written, ``quotas`` may lack."""

    def __init__(self, root: Path, version: int, group: str, *, quotas: bool = True) -> None:
        super().__init__(root)
        self.version = version
        self.quotas = quotas
        self.refused: dict[str, int] = {}
        self.written: list[tuple[str, str]] = []
        (root / "proc/self").mkdir(parents=True)
        mounts = ["proc /proc proc rw 0 0", "tmpfs /sys/fs/cgroup tmpfs rw 0 0"]
        if version == 1:
            lines = ["12:memory:/elsewhere", f"3:cpu,cpuacct:{group}", "0::/x"]
            mounts.append(f"cgroup /{OLD_CPU} cgroup rw,nosuid,cpu,cpuacct 0 0")
        else:
            lines = ["1:name=systemd:/x", f"0::{group}"]
        mounts.append(f"cgroup2 /{NEW} cgroup2 rw,nosuid 0 0")
        (root / "proc/self/cgroup").write_text("\n".join(lines) + "\n")
        (root / "proc/self/mounts").write_text("\n".join(mounts) + "\n")
        self.base = f"{OLD_CPU if version == 1 else NEW}{group}".rstrip("/")
        top = root / (OLD_CPU if version == 1 else NEW)
        top.mkdir(parents=True, exist_ok=True)
        folder = top
        for part in group.strip("/").split("/"):
            if part:
                folder /= part
                self.make(str(folder.relative_to(root)))
        for name in ("cgroup.procs", "cgroup.controllers", "cgroup.subtree_control"):
            (top / name).touch()

    def give(self, path: str, name: str, text: str) -> None:
        """Set a file."""
        (self.root / path / name).write_text(text)

    def make(self, path: str) -> None:
        """Make a group with the files that the kernel puts there."""
        if path in self.refused:
            raise OSError(self.refused[path], os.strerror(self.refused[path]))
        super().make(path)
        names = {"cgroup.procs": ""}
        if self.version == 1:
            if self.quotas:
                names.update({"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "-1"})
        else:
            names.update({"cgroup.type": "domain", "cgroup.subtree_control": ""})
            names["cgroup.controllers"] = "cpu memory"
            if self.quotas:
                names["cpu.max"] = "max 100000"
        for name, text in names.items():
            if not (self.root / path / name).exists():
                (self.root / path / name).write_text(text)

    def write(self, path: str, text: str) -> None:
        """Write as the kernel would."""
        if path in self.refused:
            raise OSError(self.refused[path], os.strerror(self.refused[path]))
        self.written.append((path, text))
        if path.endswith("cgroup.procs"):
            for procs in (self.root / "sys").rglob("cgroup.procs"):
                left = [word for word in procs.read_text().split() if word != text]
                procs.write_text("\n".join(left))
            old = (self.root / path).read_text().split()
            (self.root / path).write_text("\n".join([*old, text]))
            return
        super().write(path, text.lstrip("+"))

    def remove(self, path: str) -> None:
        """Remove a group; one with processes is busy."""
        if self.processes(path):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        for file in (self.root / path).iterdir():
            file.unlink()
        super().remove(path)
