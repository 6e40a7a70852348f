"""The compatibility APIs: protocols of other servers, so that the clients made for those work here unchanged.

Each turns a request of another shape into the query of a task, lets the endpoint of that task answer, and turns
the answer back. Leaves out what a task is asked and answers: a compatibility API adds nothing to it. The protocols
are documented by their own projects, so /openapi.json does not repeat them.
"""
