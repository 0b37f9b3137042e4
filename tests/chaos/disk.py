"""A small disk that can be filled: a tmpfs in a directory that carries our pid.

The directory also holds all else of a run, and goes with it. That of a killed
run is removed by the next one.
"""
import os
import pathlib
import shutil

import network

SIZE_MIB = 32  # a run of ten minutes stores a few
STEP_BYTES = 4096


class Disk:
    """The directory of a run, with the disk in it. Loop thread only."""

    def __init__(self, parent):
        """Makes nothing yet."""
        self.base = pathlib.Path(parent) / f"{network.PREFIX}-{os.getpid()}"
        self.path = self.base / "disk"
        self.filler = self.path / "filler"

    def make(self):
        """Makes directory and disk; raises network.Refused."""
        self.base.mkdir(mode=0o700)
        self.path.mkdir()
        network.tool("mount", "-t", "tmpfs", "-o",
                     f"size={SIZE_MIB}m,mode=700", network.PREFIX, self.path)

    def remove(self):
        """Removes both."""
        remove_base(self.base)

    def fill(self):
        """Leaves no room at all."""
        with open(self.filler, "ab", buffering=0) as file:
            while True:
                status = os.statvfs(self.path)
                free = status.f_bavail * status.f_frsize
                try:
                    os.posix_fallocate(file.fileno(),
                                       os.fstat(file.fileno()).st_size,
                                       max(free, STEP_BYTES))
                except OSError:
                    if free < STEP_BYTES:
                        return

    def free(self):
        """Gives the room back."""
        self.filler.unlink(missing_ok=True)

    def used_mib(self):
        """What lies on it."""
        status = os.statvfs(self.path)
        return ((status.f_blocks - status.f_bfree) * status.f_frsize) / 2**20


def remove_base(base):
    """Unmounts the disk of a run, and removes its directory."""
    if os.path.ismount(base / "disk"):
        network.tool("umount", base / "disk")
    shutil.rmtree(base, ignore_errors=True)


def remove_leftovers(parent):
    """Removes directories whose makers were killed."""
    for base in sorted(pathlib.Path(parent).glob(f"{network.PREFIX}-*")):
        if network.owner_is_dead(base.name):
            remove_base(base)
