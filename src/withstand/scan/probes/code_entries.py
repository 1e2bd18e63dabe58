"""Operations that take a short code in place of a password: one-time codes, PINs, reset codes.

Pure. `withstand.scan.probes.code_guessing` tries them.
"""

import re
from dataclasses import dataclass
from typing import Final

from withstand.client.field_names import names_user
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.policy import Profile
from withstand.scan.subject import Subject

_SURELY: Final = frozenset(
    {
        "otp",
        "totp",
        "passcode",
        "otpcode",
        "totpcode",
        "mfacode",
        "mfatoken",
        "smscode",
        "logincode",
    }
    | {"verificationcode", "resetcode", "confirmationcode", "onetimecode", "onetimepassword"}
    | {"onetimepassword", "twofactorcode", "2facode", "recoverycode", "backupcode", "emailcode"}
    | {"authenticatorcode"}
)
_PERHAPS: Final = frozenset({"code", "pin", "token", "pincode"})
_PLACES: Final = frozenset(
    {"otp", "totp", "2fa", "mfa", "twofactor", "factor", "pin", "sms", "verify", "verification"}
    | {"confirm", "confirmation", "activate", "activation", "recover", "recovery", "reset"}
    | {"forgot", "passwordless", "challenge", "unlock", "code", "codes"}
)
_OTHER_CODES: Final = frozenset(
    {"coupon", "coupons", "voucher", "vouchers", "promo", "gift", "giftcards", "discount", "oauth"}
    | {"oauth2", "payment", "payments", "card", "cards", "country", "countries", "zip", "postal"}
    | {"invite", "invitations", "referral", "referrals", "products", "currency", "currencies"}
)
_ASKS: Final = frozenset(
    {"request", "send", "resend", "forgot", "start", "initiate", "enroll", "enrol", "setup"}
    | {"enable", "challenge", "otp", "recovery", "recover", "code", "reset", "verification"}
)
_LONGEST: Final = 10  # characters: whatever must be longer cannot be guessed by trying


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """An operation that takes a code, in which input, and the inputs that say whose it is."""

    operation: Operation
    code: Slot
    accounts: tuple[Slot, ...]

    @property
    def key(self) -> str:
        """The operation's."""
        return self.operation.key


def code_entries(subject: Subject) -> tuple[CodeEntry, ...]:
    """The operations that judge a short code."""
    found = []
    for operation in subject.api.operations:
        if operation.method not in {"POST", "PUT", "PATCH"} or is_kept_out(subject, operation):
            continue
        slots = subject.builder.slots(operation)
        code = next((slot for slot in slots if is_code(operation, slot)), None)
        if code is None:
            continue
        accounts = tuple(
            slot
            for slot in slots
            if slot.location in {"body", "query"} and slot.is_text and names_user(last_part(slot))
        )
        found.append(CodeEntry(operation=operation, code=code, accounts=accounts))
    return tuple(found)


def lacks_user(subject: Subject, entry: CodeEntry) -> str | None:
    """Why codes cannot be guessed for a user of the scan's own; None when they can."""
    if entry.operation.requires_credential or not entry.accounts:
        return None if subject.throwaway is not None else "no throw-away user could be signed up"
    if sign_up_operation(subject.api, subject.builder) is None and subject.throwaway is None:
        return "the document has no public sign-up for a user of the scan's own"
    return None


def leads_to(operation: Operation, entry: Operation) -> bool:
    """Whether it may be what sends the code: `/recovery` to `/recovery/code`, `/otp/send` to
    `/otp/verify`, `/forgot` to `/reset`.
    """
    own, other = _parts(operation.path), _parts(entry.path)
    if other[: len(own)] == own and own and set(_words(own[-1])) & (_ASKS | _PLACES):
        return True
    near = own[:-1] == other[:-1] or own[:-1] == other
    return bool(own) and near and bool(set(_words(own[-1])) & _ASKS)


def is_code(operation: Operation, slot: Slot) -> bool:
    """Whether an input takes a code that is short enough to be guessed."""
    if slot.location not in {"body", "query"} or slot.schema.keys() & {"enum", "const"}:
        return False
    if slot.kinds == {"boolean"} or int(slot.schema.get("minLength") or 0) > _LONGEST:
        return False
    plain = re.sub(r"[^a-z0-9]", "", last_part(slot))
    where = {word for part in _parts(operation.path) for word in _words(part)}
    if where & _OTHER_CODES:
        return False
    if plain in _SURELY:
        return True
    if plain not in _PERHAPS or not where & _PLACES:
        return False
    # A token is long as a rule: only one that the document says is short can be guessed.
    return plain != "token" or int(slot.schema.get("maxLength") or 99) <= _LONGEST


def is_kept_out(subject: Subject, operation: Operation) -> bool:
    """Whether the operation may not be called: listed under never, or nothing is to be changed.

    The word `reset` keeps the scan from emptying an API; with a code and an account it names
    something else, which changes nothing as long as the code is wrong.
    """
    if subject.policy.profile is Profile.READONLY:
        return True
    reason = subject.policy.forbids(operation)
    return reason is not None and reason != "its name contains 'reset'"


def last_part(slot: Slot) -> str:
    """What an input is called where it is, in small letters: `code` of `data.code`."""
    return slot.name.rsplit(".", 1)[-1].lower()


def _parts(path: str) -> list[str]:
    return [part.lower() for part in path.split("/") if part and not part.startswith("{")]


def _words(part: str) -> list[str]:
    return [*re.split(r"[^a-z0-9]+", part), re.sub(r"[^a-z0-9]", "", part)]
