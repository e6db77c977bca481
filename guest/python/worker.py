"""Serves one function inside the jail.

It boots ahead of any call: the framework is loaded and warmed up, nothing of anyone's code is there. The claim
then brings the code to /app, which is loaded and answers from then on.
"""

import io
import json
import os
import re
import site
import socket
import sys
import traceback

PACKAGES = "/opt/python-packages"
HTTP_SOCKET = "/run/fn/http.sock"
APP = "/app"
MESSAGE_CHARACTERS_MAX = 2048
CLAIM_BYTES_MAX = 65_536

GUEST = os.path.dirname(os.path.abspath(__file__))
# Packages come from the layer only: neither this directory nor what the host has installed.
sys.path[:] = [path for path in sys.path if path != GUEST and not path.endswith("-packages")]
site.addsitedir(PACKAGES)

import functions_framework  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402
from gunicorn.workers import gthread  # noqa: E402, F401  loaded ahead of the claim

control = socket.socket(fileno=3)


def send(**message):
    control.sendall(json.dumps(message).encode() + b"\n")


def read_claim():
    """Blocks until the host claims this worker; ends the process when the host goes away instead."""
    line = b""
    while not line.endswith(b"\n"):
        chunk = control.recv(CLAIM_BYTES_MAX)
        if not chunk or len(line) > CLAIM_BYTES_MAX:
            os._exit(0)
        line += chunk
    return json.loads(line)


def load_function(claim):
    os.environ["FUNCTION_TARGET"] = claim["entrypoint"]
    os.environ["GOOGLE_FUNCTION_TARGET"] = claim["entrypoint"]
    if claim.get("egress"):
        open_egress()
    os.chdir(APP)
    app = functions_framework.create_app(claim["entrypoint"], f"{APP}/main.py")
    if not hasattr(app, "wsgi_app"):
        raise TypeError("functions of functions_framework.aio are not served yet; use @functions_framework.http")
    return app


def open_egress():
    sys.path.insert(0, GUEST)
    from egress_forwarder import PROXY_URL, open_forwarder

    sys.path.pop(0)
    open_forwarder()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ[name] = PROXY_URL
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1,::1"


def describe(error):
    """What went wrong and where in the author's code, without our own frames."""
    text = f"{type(error).__name__}: {error}"
    places = re.findall(rf'File "({APP}/[^"]+)", line (\d+)', "".join(traceback.format_exception(error)))
    if places:
        text += "\nat {}:{}".format(*places[-1])
    return text[:MESSAGE_CHARACTERS_MAX]


def warm_up():
    """Loads what the framework loads at the first request, by one request to a function of our own."""
    app = functions_framework.create_app("warm_up", f"{GUEST}/warm_up.py")
    body = b'{"a": "b"}'
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "a=b",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    list(app(environ, lambda status, headers, exc_info=None: None))


class Worker(BaseApplication):
    """One process with threads behind the socket; its end is the end of the instance."""

    def load_config(self):
        settings = {
            "bind": f"unix:{HTTP_SOCKET}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": int(sys.argv[1]),
            # The platform has deadlines of its own, and waiting for the claim takes as long as it takes.
            "timeout": 0,
            "graceful_timeout": 5,
            # The gateway owns its connections: closing an idle one here would race with its next request.
            "keepalive": 86_400,
            "limit_request_line": 0,
            "limit_request_field_size": 0,
            "limit_request_fields": 1000,
            "loglevel": "error",
            "worker_tmp_dir": "/dev/shm",
            "child_exit": lambda server, worker: os._exit(1),
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            # Older versions know fewer settings.
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self):
        """Called in the serving process, after the socket was bound."""
        send(t="up")
        try:
            app = load_function(read_claim())
        except BaseException as error:  # The author's code may raise anything, SystemExit included.
            send(t="failed", message=describe(error))
            os._exit(1)
        send(t="ready")
        control.close()
        return app


if __name__ == "__main__":
    warm_up()
    Worker().run()
