"""The parts of `withstand.locust`, which runs in Locust's processes and nowhere else."""
