"""Several processes on one port: a supervisor, the workers it forks, and the table in which they find each other.

Leaves out how one process serves (http/server.py) and the metrics of all together (telemetry/process_metrics.py).
"""
