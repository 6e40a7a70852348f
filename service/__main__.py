"""`python -m service`: serves until SIGTERM or Ctrl-C; `python -m service models` looks after the bundles."""

import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import uvicorn

from service import settings
from service.settings import Settings

logger = logging.getLogger("textloom")


def main() -> None:
    if sys.argv[1:2] == ["models"]:
        from service import manage

        sys.exit(manage.main(sys.argv[2:]))
    chosen = settings.read()
    if chosen.processes == 1:
        sys.exit(serve(chosen))
    folder = tempfile.mkdtemp(prefix="textloom-", dir=_shared_memory())
    # prometheus_client decides when it is imported whether it counts for one process or for several
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        status = serve(chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status)


def serve(chosen: Settings) -> int:
    """Serves in this process, or in several; gives the exit status."""
    from service import logs
    from service.app import create_app
    from service.processes import Board
    from service.supervisor import Server, Supervisor, listen

    logs.configure(chosen)
    board = Board(chosen.processes) if chosen.processes > 1 else None
    app = create_app(chosen, board)
    config = uvicorn.Config(
        app.middleware_stack
        or app,  # past what FastAPI looks up at each request and never finds here
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=65,  # longer than the idle time of common load balancers
        timeout_graceful_shutdown=chosen.shutdown_seconds,
    )
    try:
        listener = listen(chosen.host, chosen.port)
    except OSError as error:
        logger.error("cannot listen on %s:%d: %s", chosen.host, chosen.port, error)
        return 1
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    logger.info("http://%s:%d, processes: %d", shown, port, chosen.processes)
    if board:
        return Supervisor(app, board, config, listener).run()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has shut down: that is a normal end
        signal.signal(number, lambda *_: sys.exit(0))
    Server(config, app.state.catalog).run(sockets=[listener])
    return 0


def _shared_memory() -> str | None:
    """Where files never reach a disk, if there is such a place."""
    place = Path("/dev/shm")  # noqa: S108  mkdtemp makes a folder in it
    return str(place) if os.access(place, os.W_OK) else None


if __name__ == "__main__":
    main()
