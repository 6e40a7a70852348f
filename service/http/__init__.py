"""HTTP: connections, the handling of a request, routes, errors on the wire, and OpenAPI.

Here belongs everything that knows headers, status codes, ASGI or uvicorn, but for keys (auth/) and the APIs of
other servers (compat/). Routes translate and tasks compute: no model is run and no window is cut in here.
"""
