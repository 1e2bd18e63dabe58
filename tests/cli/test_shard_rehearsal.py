"""A matrix of CI jobs, played through: `python -m benchmarks.sharding.rehearsal` in small."""

from pathlib import Path

import pytest
from benchmarks.sharding.comparison import differences
from benchmarks.sharding.rehearsal import rehearsal


@pytest.mark.slow
def test_four_jobs_in_four_checkouts_are_the_run_in_one_piece(tmp_path: Path) -> None:
    checks = ("object-readable-by-other-user", "password-hash-in-response")
    played = rehearsal(tmp_path, shards=4, checks=checks)
    rehearsed = played.play()

    assert rehearsed.whole.findings(), "the API has flaws"
    assert differences(rehearsed) == []
    code, said = played.without_one()
    assert code == 3
    assert "shard 4/4 is missing" in said
    last, code, said = played.killed(rehearsed.merged)
    assert code == 3
    assert "no result" in said
    assert last in said
