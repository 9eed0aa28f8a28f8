"""A gate before PostgreSQL's socket, that swallows a COMMIT or the answer to it, and hangs up."""

from __future__ import annotations

import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, socket

NAME = ".s.PGSQL.5432"


class Gate(socketserver.ThreadingUnixStreamServer):
    """`swallows` is what is swallowed next, once, after as many commits as it `spares`: `commit`, `answer`
    or nothing."""

    daemon_threads = True

    def __init__(self, folder: Path, behind: Path) -> None:
        super().__init__(str(folder / NAME), _Passage)
        self.folder = folder
        self.behind = behind
        self.swallows = ""
        self.spares = 0
        self.swallowed: list[str] = []

    def draw(self) -> str:
        """What is swallowed of this commit."""
        self.spares -= 1
        if self.spares >= 0 or not self.swallows:
            return ""
        self.swallowed.append(self.swallows)
        self.swallows = ""
        return self.swallowed[-1]

    def through(self, url: str) -> str:
        """The same place, by this gate."""
        return url.replace(str(self.behind), str(self.folder))


class _Passage(socketserver.BaseRequestHandler):
    """One connection. The client says a word and waits for its answer, so there is one to be swallowed."""

    server: Gate

    def handle(self) -> None:
        with socket(AF_UNIX) as behind, suppress(OSError):
            behind.connect(str(self.server.behind / NAME))
            threading.Thread(target=self._answer, args=(behind,), daemon=True).start()
            self._mute = False
            while said := self.request.recv(65536):
                what = self.server.draw() if b"COMMIT\0" in said else ""
                self._mute = self._mute or bool(what)
                if what == "commit":
                    behind.shutdown(SHUT_RDWR)
                    return
                behind.sendall(said)

    def _answer(self, behind: socket) -> None:
        with suppress(OSError):
            while (said := behind.recv(65536)) and not self._mute:
                self.request.sendall(said)
            self.request.shutdown(SHUT_RDWR)


@contextmanager
def gated(behind: Path) -> Iterator[Gate]:
    """A gate before the server whose socket is in this folder."""
    with tempfile.TemporaryDirectory(prefix="callboard-gate-") as folder, Gate(Path(folder), behind) as gate:
        thread = threading.Thread(target=gate.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield gate
        finally:
            gate.shutdown()
            thread.join()
