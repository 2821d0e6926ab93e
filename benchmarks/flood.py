"""More photos than can be answered, whether the server keeps up or not."""

import asyncio
import io
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np
from PIL import Image

CLIENTS = 8
# More connections than that are not opened: a server that lets them pile up is seen all the same.
_MOST_CONNECTIONS = 900


class Answered(NamedTuple):
    """What became of a photo that was sent.

    Attributes:
        status: HTTP's; 0: nothing came.
        took: Seconds.
        sent: When, in seconds since the load began.
    """

    status: int
    took: float
    sent: float


def photo_of_a_cat() -> bytes:
    """A JPEG of about 30 KB with the noise of a camera, of which a version is sure at once."""
    from skimage.data import chelsea

    cat = Image.fromarray(chelsea()).resize((500, 375), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(6).normal(0, 5, (375, 500, 3))
    noisy = (np.asarray(cat) + noise).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=75)
    return file.getvalue()


def send_load(url: str, photo: bytes, rate: float | None, seconds: float, to: Connection) -> None:
    """Send photos, then hand over what became of each. For a process of its own.

    Args:
        url: Where, without a path.
        photo: A file, sent again and again.
        rate: Photos a second; None: as many as are answered to `CLIENTS` clients.
        seconds: How long.
        to: Gets a list of `Answered`.
    """
    to.send(asyncio.run(_Load(url, photo).run(rate, seconds)))


class _Load:
    """Many connections that are kept and used in turns."""

    def __init__(self, url: str, photo: bytes) -> None:
        self._host, port = url[7:].split(":")
        self._port = int(port)
        head = f"POST /api/predict HTTP/1.1\r\nHost: {url[7:]}\r\nContent-Type: image/jpeg\r\n"
        self._request = f"{head}Content-Length: {len(photo)}\r\n\r\n".encode() + photo
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._answers: list[Answered] = []

    async def run(self, rate: float | None, seconds: float) -> list[Answered]:
        self._began = time.perf_counter()
        ends = self._began + seconds
        if rate is None:
            await asyncio.gather(*(self._again_and_again(ends) for _ in range(CLIENTS)))
            return self._answers
        asking: set[asyncio.Task[None]] = set()
        due = time.perf_counter()
        while (now := time.perf_counter()) < ends:
            while due <= now and len(asking) < _MOST_CONNECTIONS:
                task = asyncio.create_task(self._ask())
                asking.add(task)
                task.add_done_callback(asking.discard)
                due += 1 / rate
            due = max(due, now - 0.5)  # what could not be sent for half a second is not made up for
            await asyncio.sleep(max(0.0005, due - now))
        await asyncio.gather(*asking)
        return self._answers

    async def _again_and_again(self, ends: float) -> None:
        while time.perf_counter() < ends:
            await self._ask()

    async def _ask(self) -> None:
        began = time.perf_counter()
        status = 0
        try:
            if not self._idle:
                self._idle.append(await asyncio.open_connection(self._host, self._port))
            reader, writer = self._idle.pop()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            if b"connection: close" in head.lower():
                writer.close()
            else:
                self._idle.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            status = 0
        took = time.perf_counter() - began
        self._answers.append(Answered(status, took, began - self._began))
