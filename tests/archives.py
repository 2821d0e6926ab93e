"""A zip of the official data set's shape, and a server of it that misbehaves when told to."""

import contextlib
import hashlib
import http.server
import io
import threading
import zipfile

from ml.download import Archive
from tests.photos import photo_bytes

NUM_PHOTOS = 3


def zipped(extra=()):
    """A zip of the official one's shape."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for folder in ("Cat", "Dog"):
            for number in range(NUM_PHOTOS):
                name = f"PetImages/{folder}/{number}.jpg"
                archive.writestr(name, photo_bytes(size=(64 + number, 48)) + folder.encode())
            archive.writestr(f"PetImages/{folder}/Thumbs.db", b"no photo")
        for name in extra:
            archive.writestr(name, b"escaped")
    return target.getvalue()


class Server(http.server.ThreadingHTTPServer):
    """Serves one file, with Range unless told otherwise; notes what it was asked for."""

    daemon_threads = True

    def __init__(self, data):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.status, self.knows_range, self.cut_after = data, None, True, None
        self.asked = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/photos.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.status:
            self.send_error(server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        start = start if server.knows_range else 0
        self.send_response(206 if wanted and server.knows_range else 200)
        self.send_header("Content-Length", str(len(server.data) - start))
        self.end_headers()
        self.wfile.write(server.data[start : server.cut_after])

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(data):
    """A server of `data` on loopback, for as long as the block runs."""
    server = Server(data)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def archive_of(server):
    """What `ml.download` is told about the file that the server has."""
    data = server.data
    return Archive(server.url, len(data), hashlib.sha256(data).hexdigest(), 2 * NUM_PHOTOS)
