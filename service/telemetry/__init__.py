"""What the service tells its operators: metrics, logs and traces.

Here belongs how figures are kept and written, and nothing that decides about a request. No text of a request
comes in here, and metric labels are names that the service knows.
"""
