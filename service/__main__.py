"""`python -m service` serves until SIGTERM or Ctrl-C; `models` and `keys` after it manage those."""

import gc
import logging
import os
import shutil
import signal
import socket
import sys
from contextlib import closing

from service import settings
from service.settings import Settings, address
from service.telemetry import metric_files

logger = logging.getLogger("textloom")

GC_THRESHOLD = 50_000
"""New objects after which the garbage collector searches for cycles. Requests leave next to none, and searching
after every 700, as Python does, takes a tenth of a core's time.
"""


def main(program: str = "python -m service") -> None:
    """Does what the command line says. program: how help calls this command."""
    if sys.argv[1:2] == ["models"]:
        from service.registry import commands as model_commands

        sys.exit(model_commands.main(sys.argv[2:], program=f"{program} models"))
    if sys.argv[1:2] == ["keys"]:
        from service.auth import commands as key_commands

        sys.exit(key_commands.main(sys.argv[2:], program=f"{program} keys"))
    chosen = settings.read(program=program)
    if chosen.processes == 1:
        sys.exit(serve(chosen))
    folder = metric_files.make(chosen.processes, metric_files.places())
    # prometheus_client decides when it is imported whether it counts for one process or for several
    os.environ.pop(metric_files.FOLDER, None)
    if folder:
        os.environ[metric_files.FOLDER] = str(folder)
    try:
        status = serve(chosen)
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status)


def serve(chosen: Settings) -> int:
    """Serves in this process, or in several; gives the exit status."""
    from service.app import create_app
    from service.http.server import Listeners, Server, fit_descriptors, listen, make_config
    from service.processes.supervisor import Supervisor
    from service.processes.worker_table import WorkerTable
    from service.telemetry import logs

    logs.configure(chosen)
    chosen = fit_descriptors(chosen)
    if chosen.processes > 1 and not metric_files.together():
        logger.error("there is no room for the metrics of all workers: /metrics is that of one")
    gc.set_threshold(GC_THRESHOLD)
    worker_table = WorkerTable(chosen.processes) if chosen.processes > 1 else None
    app = create_app(chosen, worker_table)
    config = make_config(app.handler, app.lifespan, chosen)
    further: Listeners = []
    host, port = chosen.host, chosen.port
    try:
        listener = listen(host, port)
        if chosen.admin:
            host, port = address(chosen.admin)
            admin = make_config(app.handler, app.lifespan, chosen, second_port=True)
            further = [(admin, listen(host, port))]
        if app.bind_grpc:
            host, port = address(chosen.grpc)
            grpc_address = app.bind_grpc()
    except OSError as error:
        logger.error("cannot listen on %s:%d: %s", host, port, error)
        return 1
    logger.info("%s, processes: %d", _url(listener), chosen.processes)
    for _, other in further:
        logger.info("health and metrics: %s", _url(other))
    if app.bind_grpc:
        logger.info("gRPC: %s", grpc_address)
    with closing(app.downloads):
        if worker_table:
            supervisor = Supervisor(
                settings=chosen,
                registry=app.registry,
                metrics=app.metrics,
                worker_table=worker_table,
                config=config,
                listener=listener,
                further=further,
            )
            return supervisor.run()
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn raises the signal again once it has shut down: that is a normal end
            signal.signal(number, lambda *_: sys.exit(0))
        Server(config, app.registry, further).run(sockets=[listener])
    return 0


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    main()
