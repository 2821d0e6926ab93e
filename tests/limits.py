"""A full disk for tests: the operating system itself refuses to write files beyond a length."""

import contextlib

import pytest


@contextlib.contextmanager
def limit_file_size(size):
    """No file can grow above `size` bytes within; writing on raises "File too large"."""
    resource = pytest.importorskip("resource", reason="no such limits on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
