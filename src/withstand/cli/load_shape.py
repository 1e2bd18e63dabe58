"""The load shape of a command line: options, else the configuration's, else a gentle rate."""

from withstand.cli.load_options import DEFAULT_RATE_PER_S, LoadOptions
from withstand.errors import UsageError
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.profile.rhythm import Rhythm, parse_pacing, parse_think_time
from withstand.load.profile.stage_text import parse_stages
from withstand.settings import Settings
from withstand.units import parse_duration_ns, parse_rate_per_s


def require_one_shape(options: LoadOptions) -> None:
    """Raises UsageError for options on the shape that exclude each other."""
    if options.users is not None and options.rate is not None:
        raise UsageError(
            f"-u {options.users} asks for the closed model and --rate {options.rate} for the open "
            f"one",
            hint="give one of the two",
        )
    if options.stages is not None:
        others = {"-u": options.users, "--rate": options.rate, "-t": options.run_time}
        for flag, value in others.items():
            if value is not None:
                raise UsageError(
                    f"--stages {options.stages} says how much load there is and how long, and so "
                    f"does {flag} {value}",
                    hint=f"leave {flag} out, or the stages",
                )
    if options.users is None and options.spawn_rate is not None:
        raise UsageError(
            "-r sets how fast users start", hint="give -u with it, or --rate or --stages instead"
        )
    if options.think_time is not None and options.pacing is not None:
        raise UsageError(
            f"--think-time {options.think_time} is a pause after an answer, and --pacing "
            f"{options.pacing} goes by the clock",
            hint="give one of the two",
        )


def profile_of(options: LoadOptions, settings: Settings, *, default_run_time_s: float) -> Profile:
    """When requests are sent. Raises UsageError."""
    rhythm = _rhythm(options, settings)
    profile = _profile(options, settings, rhythm, default_run_time_s)
    if profile.model == "open":
        for flag, value in (("--think-time", options.think_time), ("--pacing", options.pacing)):
            if value is not None:
                raise UsageError(
                    f"{flag} {value} is about the pauses of users, and a rate has none",
                    hint=f"give -u or stages of users, or leave {flag} out",
                )
    return profile


def _profile(
    options: LoadOptions, settings: Settings, rhythm: Rhythm | None, default_run_time_s: float
) -> Profile:
    configured = settings.load()
    users, spawn_rate, stages = options.users, options.spawn_rate, options.stages
    rate_per_s = parse_rate_per_s(options.rate) if options.rate is not None else None
    poisson = options.poisson
    if users is None and rate_per_s is None and stages is None:
        users, rate_per_s = configured.users, configured.rate_per_s
        spawn_rate, poisson = configured.spawn_rate_per_s, poisson or configured.poisson
        # A run time on the command line is that of a constant load.
        stages = configured.stages if options.run_time is None else None
    if users is not None and options.poisson:
        raise UsageError(
            "--poisson spreads the arrivals of a rate, and users ask when they are ready",
            hint="give --rate instead of users, or leave --poisson out",
        )
    if stages is not None:
        return parse_stages(stages, arrivals="poisson" if poisson else "paced", rhythm=rhythm)
    duration_s = (
        parse_duration_ns(options.run_time) / 1e9
        if options.run_time is not None
        else configured.run_time_s or default_run_time_s
    )
    if users is not None:
        return Closed(
            users=users, duration_s=duration_s, spawn_rate_per_s=spawn_rate, rhythm=rhythm
        )
    return ConstantRate(
        rate_per_s=rate_per_s or DEFAULT_RATE_PER_S,
        duration_s=duration_s,
        arrivals="poisson" if poisson else "paced",
    )


def _rhythm(options: LoadOptions, settings: Settings) -> Rhythm | None:
    if options.pacing is not None:
        return parse_pacing(options.pacing)
    if options.think_time is not None:
        return parse_think_time(options.think_time)
    return settings.load().rhythm
