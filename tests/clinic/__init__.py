"""A small clinic: the second API that the scan is proved on, unlike the demo in every habit.

Flask instead of FastAPI, cookie sessions instead of tokens, integer ids, answers wrapped in
`{"data": …}`, errors as HTML pages or plain text, one resource with soft errors, OpenAPI 3.1
written by hand. Each file in `topics` holds the operations of one topic, their part of the
document, and the flaws that can be planted in them.
"""
