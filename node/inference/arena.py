"""Shared memory between the daemon and its worker: an anonymous file that only ever grows.

Both ends hold the same descriptor. The shrink seal makes sure that a mapping never loses pages
under its reader, whatever the other end does.
"""

from __future__ import annotations

import fcntl
import mmap
import os


class Arena:
    """One growing region; one end writes from the start, the other reads."""

    def __init__(self, fd: int) -> None:
        """Take over a descriptor that ``create`` made, here or in the other process."""
        self.fd = fd
        self._map: mmap.mmap | None = None

    @classmethod
    def create(cls, label: str) -> Arena:
        """Make an empty arena; the label is what ``/proc/PID/maps`` shows.

        Raises:
            OSError: the system has no descriptor or no memory left.
        """
        fd = os.memfd_create(f"orbitnode-{label}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return cls(fd)

    def write(self, data: bytes) -> None:
        """Put the bytes at the start, growing as needed.

        Raises:
            OSError: no memory is left.
        """
        # pwrite and not a mapping: it copies without a page fault for every 4 KiB, and a full
        # machine answers with ENOSPC instead of SIGBUS.
        view = memoryview(data)
        offset = 0
        while offset < len(view):
            offset += os.pwrite(self.fd, view[offset:], offset)

    def read(self, size_bytes: int) -> bytes:
        """Copy the first bytes out; fewer where the arena holds fewer."""
        data = os.pread(self.fd, size_bytes, 0)
        if len(data) == size_bytes or not data:
            return data
        # One call returns at most 0x7ffff000 bytes.
        parts = [data]
        offset = len(data)
        while offset < size_bytes and (part := os.pread(self.fd, size_bytes - offset, offset)):
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def view(self, size_bytes: int) -> memoryview:
        """Look at the first bytes without a copy; valid until the other end writes again.

        Raises:
            ValueError: the arena is smaller.
        """
        if size_bytes == 0:
            return memoryview(b"")
        if self._map is None or len(self._map) < size_bytes:
            held_bytes = os.fstat(self.fd).st_size
            if held_bytes < size_bytes:
                raise ValueError(f"arena holds {held_bytes} bytes, asked for {size_bytes}")
            # The old mapping goes when the last view of it goes.
            self._map = mmap.mmap(self.fd, held_bytes, prot=mmap.PROT_READ)
        return memoryview(self._map)[:size_bytes]

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)
