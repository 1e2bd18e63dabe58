"""The bundled demo: a small shop API with flaws that can be switched on one at a time.

Without flaws it is written as carefully as a small API can be, so that whatever a scan reports
about it is a false alarm. Each flaw in `flaws.py` removes one precaution and nothing else.
It stands on its own: it imports nothing of the rest of the package.
"""
