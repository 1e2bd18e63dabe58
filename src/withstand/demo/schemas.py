"""The shapes of requests and responses, exactly as the OpenAPI document states them.

Requests are strict: no unknown properties, no coercion of types, everything bounded, and no
control characters in any text. So nothing behind these models meets a value it cannot handle.
"""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from withstand.demo.passwords import COMMON_PASSWORDS
from withstand.demo.records import Order, Product, Role
from withstand.demo.tokens import MAX_LIFETIME_S

NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
SKU_PATTERN = r"^SKU-[0-9]{3}$"

# A subset of RFC 5321's dot-atoms: letters, digits, "_", "+" and "-". Quotes, slashes and angle
# brackets are legal in an address, used by hardly anybody, and welcome to every injection.
_EMAIL_PATTERN = (
    r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$"
)

Email = Annotated[
    str,
    Field(
        min_length=6,
        max_length=254,
        pattern=_EMAIL_PATTERN,
        examples=["newcomer@example.com"],
        json_schema_extra={"format": "email"},
    ),
    AfterValidator(str.lower),
]
DisplayName = Annotated[
    str,
    Field(min_length=1, max_length=80, pattern=NO_CONTROL_CHARACTERS, examples=["New Comer"]),
]
Sku = Annotated[str, Field(pattern=SKU_PATTERN, examples=["SKU-001"])]
Note = Annotated[
    str, Field(max_length=200, pattern=NO_CONTROL_CHARACTERS, examples=["Please ring twice."])
]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Cents = Annotated[int, Field(ge=0)]


def _uncommon(password: str) -> str:
    if password.lower() in COMMON_PASSWORDS or len(set(password)) < 4:
        raise ValueError("This password is among the first that anybody would guess.")
    return password


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SignUp(_Request):
    email: Email
    password: Annotated[
        str,
        Field(
            min_length=10,
            max_length=128,
            pattern=NO_CONTROL_CHARACTERS,
            description="Commonly used passwords are refused.",
            examples=["a-long-walk-by-the-sea"],
            json_schema_extra={"format": "password"},
        ),
        AfterValidator(_uncommon),
    ]
    display_name: DisplayName


class Login(_Request):
    email: Email
    password: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            pattern=NO_CONTROL_CHARACTERS,
            examples=["a-long-walk-by-the-sea"],
            json_schema_extra={"format": "password"},
        ),
    ]
    expires_in: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_LIFETIME_S,
            description="How long the token shall be valid, in seconds.",
            examples=[MAX_LIFETIME_S],
        ),
    ] = MAX_LIFETIME_S


class ProfileChange(_Request):
    display_name: DisplayName


class NewOrder(_Request):
    items: Annotated[
        list[Sku],
        Field(
            min_length=1,
            max_length=20,
            description="The SKU of each thing ordered; one may occur several times.",
            examples=[["SKU-001"]],
        ),
    ]
    note: Note | None = None


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: Annotated[int, Field(ge=1, le=MAX_LIFETIME_S, description="Seconds.")]


class Profile(BaseModel):
    """What every user may know of another."""

    id: UUID
    display_name: str


class Account(Profile):
    """What a user may know of themselves, and an administrator of everybody."""

    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    role: Role
    created_at: Timestamp


class ProductView(BaseModel):
    sku: Sku
    name: str
    description: str
    price_cents: Cents

    @classmethod
    def of(cls, product: Product) -> Self:
        return cls(
            sku=product.sku,
            name=product.name,
            description=product.description,
            price_cents=product.price_cents,
        )


class OrderView(BaseModel):
    id: UUID
    items: list[Sku]
    note: str | None
    total_cents: Cents
    created_at: Timestamp

    @classmethod
    def of(cls, order: Order) -> Self:
        return cls(
            id=UUID(order.id),
            items=list(order.skus),
            note=order.note,
            total_cents=order.total_cents,
            created_at=order.created_at,
        )


class _Page(BaseModel):
    limit: int
    offset: int


class UserPage(_Page):
    items: list[Profile]


class ProductPage(_Page):
    items: list[ProductView]


class OrderPage(_Page):
    items: list[OrderView]


class Health(BaseModel):
    status: Literal["ok"]
