"""The command line: arguments in, exit code out."""


def main() -> None:
    """Placeholder until the verbs land."""
