"""Where alerts arrive in tests: a real mail server and a chat's webhook, on loopback."""

import json
import socket
import threading
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class Inbox:
    """Takes mail by SMTP and keeps it; `refusal` is what it answers instead, if anything."""

    def __init__(self):
        self.mails = []
        self.tried = 0
        self.refusal = ""

    async def handle_DATA(self, server, session, envelope):
        self.tried += 1
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=modern))
        return "250 OK"

    @property
    def subjects(self):
        return [mail["Subject"] for mail in self.mails]


class Chat:
    """A chat's incoming webhook: keeps what it is sent; `status` is what it answers."""

    def __init__(self):
        self.texts = []
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                if self.status == 200:
                    self.texts.append(json.loads(body)["text"])
                handler.send_response(self.status)
                if self.status == 302:
                    handler.send_header("Location", "/elsewhere")
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hooks/secret-of-the-chat"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def mail_server():
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    inbox.port = controller.port
    try:
        yield inbox
    finally:
        controller.stop()


@contextmanager
def chat_server():
    chat = Chat()
    thread = threading.Thread(target=chat.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield chat
    finally:
        chat.server.shutdown()
        chat.server.server_close()
        thread.join()


def send_to(settings, inbox=None, chat=None):
    """Set the site up to tell them."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 10
    settings.ALERT_MAIL_FROM = "catsdogs@example.org"
    settings.ALERT_MAIL_TO = ["operator@example.org"] if inbox else []
    settings.ALERT_WEBHOOK = chat.address if chat else ""
    if inbox:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", inbox.port
