"""Makes the socket of the egress proxy, the jail's only way out, reachable as http://127.0.0.1:3128."""

import socket
import threading

EGRESS_SOCKET = "/run/fn/egress.sock"
PROXY_ADDRESS = ("127.0.0.1", 3128)
PROXY_URL = "http://127.0.0.1:3128"


def open_forwarder():
    listener = socket.create_server(PROXY_ADDRESS)
    threading.Thread(target=accept, args=(listener,), daemon=True).start()


def accept(listener):
    while True:
        client, _ = listener.accept()
        proxy = socket.socket(socket.AF_UNIX)
        try:
            proxy.connect(EGRESS_SOCKET)
        except OSError:
            client.close()
            continue
        for source, target in ((client, proxy), (proxy, client)):
            threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source, target):
    """Copies until one side ends, and passes the end on."""
    try:
        while chunk := source.recv(65_536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        target.close()
