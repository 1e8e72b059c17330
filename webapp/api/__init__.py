"""The REST API below /api/, for scripts of researchers: the same services and selectors as the pages, and no rule of
its own.

A new endpoint is one view in `endpoints/`, a subclass of `access.TestView` where it belongs to a test, and one line in
`urls.py`. Permissions, errors, throttling and idempotency keys come with the base class; docs and schema with
`extend_schema`.
"""
