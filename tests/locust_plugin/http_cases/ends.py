"""Ends that come from the user, greenlets of one user, and bodies that the server does not read."""

from .case import TIMEOUT_S, Bench, case, shown


@case("killed")
def _killed(bench: Bench) -> None:
    for path in ("/b/hangs", "/b/hangs-in-body"):
        bench.killed(lambda path=path: bench.client.get(path))  # type: ignore[misc]
    bench.killed(lambda: bench.client.get("/b/hangs", stream=True))
    bench.show(lambda: bench.client.get("/hello"))


@case("killed-within-with")
def _killed_with(bench: Bench) -> None:
    def block() -> None:
        with bench.client.get("/hello", catch_response=True):
            bench.client.get("/b/hangs")

    bench.killed(block)
    bench.show(lambda: bench.client.get("/hello"))


@case("out-of-time")
def _out_of_time(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.out_of_time(lambda: bench.client.get("/b/hangs"))
    bench.out_of_time(lambda: bench.client.get("/b/hangs", timeout=5))
    bench.show(lambda: bench.client.get("/hello"))


@case("timeout-of-connect")
def _timeout_then_more(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/b/hangs", timeout=(5, TIMEOUT_S)))
    bench.show(lambda: bench.client.get("/b/many-pieces", timeout=5))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=(None, TIMEOUT_S)))
    bench.show(lambda: bench.client.get("/b/302", timeout=5))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=TIMEOUT_S, name="n"))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=TIMEOUT_S, catch_response=True))


@case("timeout-between-pieces")
def _timeout_between(bench: Bench) -> None:
    # Each piece comes in time; all of them together do not.
    bench.show(lambda: bench.client.get("/b/many-pieces", timeout=0.07))


@case("several-at-once")
def _several(bench: Bench) -> None:
    bench.together(*[lambda: bench.client.get("/b/two-writes")] * 5)
    bench.show(lambda: bench.client.get("/hello"))


@case("many-at-once")
def _many(bench: Bench) -> None:
    bench.together(*[lambda: bench.client.get("/b/two-writes")] * 14)
    bench.show(lambda: bench.client.get("/hello"))


@case("broken-at-once")
def _several_broken(bench: Bench) -> None:
    bench.together(
        *[
            lambda path=path: bench.client.get(path)
            for path in ("/b/302", "/b/closes-in-body-later", "/b/resets-in-body", "/b/two-writes")
        ]
    )


# Bodies that the server does not read.

for _path in ("/early", "/early-then-reset"):
    for _size in (3, 8_000_000):
        shown(
            f"{_path[1:]}-{_size}",
            lambda client, path=_path, size=_size: client.post(path, data=b"x" * size),  # type: ignore[misc]
            lambda client: client.get("/hello"),
        )
