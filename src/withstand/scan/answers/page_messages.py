"""What a page tells whoever has just sent a form: what went wrong, or what is there. Pure."""

import re
from typing import Final

from withstand.client.exchange import Request
from withstand.client.form_body import fields_of
from withstand.client.page import Element

SHORTEST_MARK: Final = 6  # characters of a text that was sent and is looked for in a page
_ERROR_CLASSES: Final = frozenset(
    {"error", "errors", "errorlist", "danger", "invalid", "failure", "failed", "critical"}
)
_SUCCESS_CLASSES: Final = frozenset({"success", "ok", "positive", "done", "saved"})
MESSAGE_CLASSES: Final = frozenset(
    {"flash", "flashes", "message", "messages", "msg", "alert", "notice", "notification", "toast"}
)
ERROR_WORDS: Final = re.compile(
    r"(?i)\b(?:errors?|invalid|required|must|can ?not|can't|couldn't|could not|unable|denied"
    r"|forbidden|unauthori[sz]ed|fail(?:ed|ure)?|wrong|incorrect|may not|no such|already|missing"
    r"|not (?:found|allowed|permitted|valid|yours|exist)|does(?:n't| not)|do(?:n't| not)|refused"
    r"|rejected|too (?:short|long|many|large)|please (?:log|sign) ?in|log in (?:first|to)"
    r"|expired"
    # German, French, Spanish, Portuguese, Italian, Dutch
    r"|fehler|ungültig|verweigert|verboten|nicht (?:gefunden|erlaubt|berechtigt|gestattet|möglich)"
    r"|keine (?:berechtigung|rechte)|fehlgeschlagen|abgelehnt|bereits"
    r"|erreur|invalide|refusée?|interdite?|introuvable|échec|échoué|non (?:autorisée?|trouvée?)"
    r"|n'(?:est pas|avez pas|existe pas)|déjà"
    r"|inválid[oa]|denegado|prohibido|fall(?:o|ado)|no (?:autorizado|permitido|encontrado|existe)"
    r"|erro|negado|proibido|não (?:autorizado|permitido|encontrado|existe)|falh(?:a|ou)"
    r"|errore|non (?:valido|autorizzato|consentito|trovato|esiste)|negato|vietato|impossibile"
    r"|fout|ongeldig|geweigerd|verboden|mislukt|niet (?:gevonden|toegestaan|geldig|bevoegd))\b"
)
_ERROR_TITLES: Final = re.compile(
    r"(?i)^\W*(?:.*\b(?:error|forbidden|access denied|unauthori[sz]ed|not found)\b.*)$"
)


def is_error(page: Element) -> bool:
    """Whether a page is called an error."""
    return any(_ERROR_TITLES.match(each.own_text) for each in page.all("title", "h1"))


def returned_in(page: Element, sent: Request) -> set[tuple[str, str]]:
    """Names and texts of the fields on a page that hold what was sent, to be corrected."""
    fields = {pair for pair in fields_of(sent) if len(pair[1]) >= SHORTEST_MARK}
    return {
        pair
        for each in page.all("input", "textarea")
        if each.attributes.get("type", "").lower() != "hidden"
        and (pair := (each.attributes.get("name", ""), each.attributes.get("value", each.text)))
        in fields
    }


def _shows_what_was_sent(page: Element, sent: Request) -> bool:
    """Whether the longest text that was sent stands on the page, in no message and no form."""
    longest = max((value for _, value in fields_of(sent)), key=len, default="")
    waiting = [page] if len(longest) >= SHORTEST_MARK else []
    while waiting:
        element = waiting.pop()
        if classes_of(element) & MESSAGE_CLASSES or element.tag in {"textarea", "option"}:
            continue
        if longest in element.own_text and element.is_seen:
            return True
        waiting.extend(each for each in element.children if isinstance(each, Element))
    return False


def complaints_in(page: Element, sent: Request) -> set[str]:
    """The messages of a page that something went wrong.

    "No further action is required" is none where the message is dressed as a success, and no
    wording is one where what was sent is there.
    """
    done = _shows_what_was_sent(page, sent)
    praise = [
        each
        for each in page.all()
        if each.tag not in {"html", "body", "main"} and classes_of(each) & _SUCCESS_CLASSES
    ]
    praised = {id(inner) for each in praise for inner in each.all()}
    found = set()
    for element in page.all():
        wrong, message = (classes_of(element) & each for each in (_ERROR_CLASSES, MESSAGE_CLASSES))
        if (wrong or message) and element.is_seen and element.tag not in {"input", "form", "body"}:
            text = element.text
            if wrong and text:
                found.add(text)
            elif not done and id(element) not in praised:
                others = text
                for each in (each for each in element.all() if id(each) in praised):
                    others = others.replace(each.text, " ")
                if ERROR_WORDS.search(others):
                    found.add(text)
    return found


def classes_of(element: Element) -> set[str]:
    """The words of its class, and its role."""
    said = element.attributes.get("class", ""), element.attributes.get("role", "")
    return {*re.split(r"[^a-z]+", " ".join(said).lower())} - {""}
