"""Random schemas that at least one value satisfies, as documents write them."""

from typing import Any

from hypothesis import strategies as st

NAMES = (
    "id", "email", "name", "description", "createdAt", "owner_id", "price", "is_admin", "tags",
    "address", "zip_code", "phone", "website", "status", "count", "data", "kind", "password", "x-y",
)  # fmt: skip
PATTERNS = (
    r"^[a-z]{2,10}$", r"^[A-Z]{3}-\d{4}$", r"^\+?[0-9]{7,15}$", r"^(red|green|blue)$", r"^\w+$",
    r"^[0-9a-f]{8}$", r"[A-Za-z]", r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", r"^v\d+\.\d+(\.\d+)?$",
    r"^(?=.*[A-Z])(?=.*\d).{8,}$", r"^[^@\s]+@[^@\s]+\.[a-z]+$", r"^[\w.-]{1,64}$",
)  # fmt: skip
FORMATS = (
    "email", "uuid", "date", "date-time", "uri", "hostname", "ipv4", "ipv6", "byte", "binary",
    "password", "time", "duration", "int64", "unheard-of",
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> dict[str, Any]:
    """Formats alone, or patterns, or lengths: no two that might exclude each other."""
    schema: dict[str, Any] = {"type": "string"}
    match draw(st.sampled_from(("plain", "format", "pattern", "lengths", "enum", "example"))):
        case "format":
            schema["format"] = draw(st.sampled_from(FORMATS))
        case "pattern":
            schema["pattern"] = draw(st.sampled_from(PATTERNS))
        case "lengths":
            low = draw(st.integers(0, 60))
            schema["minLength"] = draw(st.sampled_from((0, low)))
            schema["maxLength"] = low + draw(st.integers(0, 40))
        case "enum":
            schema["enum"] = draw(st.lists(st.text(max_size=8), min_size=1, unique=True))
        case "example":
            schema["example"] = draw(st.text(max_size=8) | st.integers())
    return schema


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": draw(st.sampled_from(("integer", "number")))}
    low = draw(st.integers(-1000, 1000))
    high = low + draw(st.integers(2, 500))
    if draw(st.booleans()):
        schema["minimum"] = low
        if draw(st.booleans()):
            schema["exclusiveMinimum"] = True
    if draw(st.booleans()):
        schema[draw(st.sampled_from(("maximum", "exclusiveMaximum")))] = high
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from((1, 2, 0.5)))
    return schema


def lists(items: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just("array"), "items": items},
        optional={"minItems": st.integers(0, 2), "maxItems": st.integers(2, 5)},
    )


@st.composite
def objects(draw: st.DrawFn, parts: st.SearchStrategy[Any]) -> dict[str, Any]:
    properties = draw(st.dictionaries(st.sampled_from(NAMES), parts, max_size=5))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if draw(st.booleans()) and properties:
        names = st.sampled_from(sorted(properties))
        schema["required"] = draw(st.lists(names, unique=True))
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(st.booleans())
    return schema


@st.composite
def combinations(draw: st.DrawFn, parts: st.SearchStrategy[Any]) -> dict[str, Any]:
    """`anyOf` of anything, `oneOf` of objects told apart by a label, `allOf` of open objects."""
    match draw(st.sampled_from(("anyOf", "oneOf", "allOf", "nullable", "types"))):
        case "anyOf":
            return {"anyOf": [*draw(st.lists(parts, min_size=1, max_size=3)), {"type": "null"}]}
        case "oneOf":
            return {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {"kind": {"const": str(at)}, "part": part},
                        "required": ["kind"],
                    }
                    for at, part in enumerate(draw(st.lists(parts, min_size=1, max_size=3)))
                ]
            }
        case "allOf":
            names = ("first", "second", "third")
            each = draw(st.lists(parts, min_size=1, max_size=3))
            return {
                "allOf": [
                    {"type": "object", "properties": {name: part}, "required": [name]}
                    for name, part in zip(names, each, strict=False)
                ]
            }
        case "nullable":
            return {"nullable": True, **draw(texts())}
    return {"type": ["null", "integer"]}


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    """Anything that a body may be."""
    plain: list[dict[str, Any]] = [{"type": "boolean"}, {}]
    simple = texts() | numbers() | st.sampled_from(plain)
    return st.recursive(
        simple, lambda parts: lists(parts) | objects(parts) | combinations(parts), max_leaves=12
    )
