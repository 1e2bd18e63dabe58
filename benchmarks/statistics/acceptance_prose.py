"""What docs/statistics.md says in words, for people who read verdicts."""

OPENING = """
Withstand says *met* or *breached* when it is sure, and *inconclusive* when it is not. This page
says how sure, what it takes, and where the procedure does not help. Below are the figures that it
must reach in simulation, beside those that it reached.
"""

DECIDED = """
## What is decided, and how

This is about objectives that are tried with one request after the other: in a test with a
`performance` marker or the fixture `latency` ([pytest.md](pytest.md)), or by `withstand check`
([check.md](check.md)). [objectives.md](objectives.md) says how a load is judged.

`p95<200ms` promises that at most 5 % of all requests take longer than 200 ms. So each request
is only asked whether it took longer, and how the latencies are spread otherwise does not
matter. A request that fails took longer than any limit. The first ten requests are left out,
whatever they look like.

- **Looked at while it runs.** After 40, 50, 60 … requests, then after each 6 % more, it asks
  whether so few or so many slow ones can still be chance. A test that is looked at often errs
  often, unless it is made for it; this one is. It ends as soon as it is sure.
- **Breached** is said when a second sample, begun after a pause of a second, says so as well. In
  one sample, a service that just keeps its promise is called breached in at most 2 % of cases;
  in both, in 0.04 %.
- **Met** is said of a service that just breaks its promise in at most 5 % of cases.
- **Inconclusive** is what remains when the sample has grown to where 100 slow requests would be
  expected at the limit (at least 1,000 and at most 20,000 requests: 2,000 for a p95, 10,000 for a
  p99), or when the time is up. Where it is up before
  a second sample, both halves of the first have to say breached.
- **Requests that resemble the one before** count less. The counts are divided by the design effect
  (1 + r) / (1 - r), r the correlation of neighbours.

The interval beside a verdict comes from the same two tests: the limits that neither of them
rejects. The lower end lies above the true quantile in at most 2 % of cases, the upper end below it
in at most 5 %, at whatever point the sample ended.
"""

REQUESTS = """
### How many requests it takes

A service far from its limit is decided in about a hundred requests, one close to it not at all. The
table has independent requests; verdicts are shares of at least 400 runs in percent, beside the mean
number of requests, both samples together. `errors<1%` takes as many as a p99. For a limit of 200 ms
and latencies that are lognormal with a standard deviation of 0.5 of the logarithm, the second
column says where the true p95 lies.
"""

NOT_COVERED = """
## What is not covered

- **Bursts longer than the sample.** Nobody sees a burst that was not sampled. A service that is
  slow in one minute of ten may be met in one of the nine. The remedy is no better test, it is to
  look longer: operations that are called in turn share the whole time, and each of them sees what
  happened in all of it.
- **A service that is another one tomorrow.** A verdict is about the time of the run. If the true
  p95 moves from run to run, so do the verdicts, and rightly.
- **The limit itself.** A service whose true p95 is the limit stays inconclusive. More requests
  do not help; another limit does.
- **Limits chosen by what was measured, and tests repeated until they are green.** Both make the
  error rates above void.
- **What users wait under load.** One request after the other has no queue. Use `withstand load`.
- **Dependence of other kinds.** That independent requests are judged with these errors is a
  theorem. For requests that resemble each other it is what the simulations below show.
"""

BURSTS = """
How often bursts deceive it (p95, shares of at least 400 runs in percent; slow requests come in
bursts of a mean length, or the operation is one of 20 that are called in turn):
"""

SOURCES = """
## Sources

- Ville, *Étude critique de la notion de collectif*, 1939: why a test may be looked at any time.
- Howard, Ramdas, McAuliffe, Sekhon, Annals of Statistics 49, 2021, arXiv:1810.08240: time-uniform
  confidence sequences; Howard, Ramdas, Bernoulli 28(3), 2022, arXiv:1906.09712: of quantiles.
- Waudby-Smith, Ramdas, JRSS B 86, 2024, arXiv:2010.09686: betting on bounded means.
- Clopper, Pearson, Biometrika 26, 1934: the exact look at the end. Kish, *Survey Sampling*, 1965:
  the design effect.
- White, Cobb, Spratt, Winter Simulation Conference 2000: MSER-5, the rule for warm-up.
"""

REMARKS = {
    "A": """
The limit is 200 ms, and the shares are those of requests above it in the long run, exact by
construction. Unless another quantile is named, 5 % may be. AR(1) is the correlation of the
logarithms of neighbours; in bursts of a mean length every request is slow, and none between them.
A sample that has to reproduce a breach begins with the service in a fresh state, as after a pause.
""",
    "S": """
The demo API answers in 1 ms or in 400 ms, slow ones at random with the share that is given, and
the limit lies between. So the true share above the limit is known, unless the machine delays a
fast response by a quarter of a second. How often it did is measured meanwhile on an operation that
is always fast; where that is more than 1 % (0.5 % at the limit), the row is not decided.
""",
}
