"""The FIX 4.4 dictionary, cut down to what an RFQ needs and extended by what venues send."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

MESSAGES = (
    *("0", "1", "2", "3", "4", "5", "A", "j"),
    *("R", "S", "AJ", "AG", "AI", "Z", "a"),
    *("D", "F", "G", "H", "8", "9"),
)
# (message or group, field): fields that venues use and the standard's dictionary leaves out.
_EXTRA_FIELDS = (
    ("AJ", "QuoteReqID"),
    ("AG", "Text"),
    ("AI", "Text"),
    ("Z", "Text"),
    ("Z", "TransactTime"),
    ("H", "QuoteID"),
    ("8", "QuoteID"),
    ("8", "QuoteRespID"),
    ("8", "QuoteReqID"),
)
_EXTRA_VALUES = (("QuoteType", "211", "RESTRICTED_BY_VENUE"), ("SecurityIDSource", "S", "VENUE"))


class DictionaryError(RuntimeError):
    """The engine's own dictionary is not where it is installed."""


def installed_dictionary() -> Path:
    """Find the FIX44.xml that came with the engine. Raises DictionaryError."""
    path = Path(sys.prefix) / "share" / "quickfix" / "FIX44.xml"
    if not path.is_file():
        msg = f"the FIX dictionary {path} is missing: install the quickfix package again"
        raise DictionaryError(msg)
    return path


def write_dictionary(folder: Path) -> Path:
    """Write the trimmed dictionary once and give its path; about a third of the memory of the whole one per session."""
    target = folder / "FIX44.xml"
    if target.is_file():
        return target
    tree = ET.parse(installed_dictionary())  # noqa: S314 - our own installed file
    root = tree.getroot()
    _keep_messages(root)
    _extend(root)
    _drop_unused(root)
    folder.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".tmp")
    tree.write(draft, encoding="utf-8", xml_declaration=True)
    draft.replace(target)
    return target


def _section(root: ET.Element, name: str) -> ET.Element:
    found = root.find(name)
    if found is None:
        msg = f"the installed FIX dictionary has no <{name}>"
        raise DictionaryError(msg)
    return found


def _keep_messages(root: ET.Element) -> None:
    messages = _section(root, "messages")
    for message in list(messages):
        if message.get("msgtype") not in MESSAGES:
            messages.remove(message)


def _extend(root: ET.Element) -> None:
    messages = {message.get("msgtype"): message for message in _section(root, "messages")}
    for kind, name in _EXTRA_FIELDS:
        if not any(field.get("name") == name for field in messages[kind]):
            ET.SubElement(messages[kind], "field", {"name": name, "required": "N"})
    fields = {field.get("name"): field for field in _section(root, "fields")}
    for name, enum, description in _EXTRA_VALUES:
        # A field without listed values takes any: adding one would close it.
        if len(fields[name]) and not any(value.get("enum") == enum for value in fields[name]):
            ET.SubElement(fields[name], "value", {"enum": enum, "description": description})


def _drop_unused(root: ET.Element) -> None:
    components = {part.get("name"): part for part in _section(root, "components")}
    used_components: set[str | None] = set()
    used_fields: set[str | None] = set()
    pending = [_section(root, "header"), _section(root, "trailer"), _section(root, "messages")]
    while pending:
        for node in pending.pop().iter():
            name = node.get("name")
            if node.tag in {"field", "group"}:
                used_fields.add(name)
            elif node.tag == "component" and name in components and name not in used_components:
                used_components.add(name)
                pending.append(components[name])
    for section, used in (("components", used_components), ("fields", used_fields)):
        parent = _section(root, section)
        for part in list(parent):
            if part.get("name") not in used:
                parent.remove(part)
