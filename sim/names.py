"""Invented names: dealers, issuers and sectors. None is meant to be a real firm."""

from expectations.contracts.vocabulary import AssetClass

# Short code (dealer id, FIX CompID) and full name.
DEALERS: tuple[tuple[str, str], ...] = (
    ("ASHWELL", "Ashwell Capital Markets"),
    ("BRACKEN", "Bracken & Rowe Securities"),
    ("CALDER", "Calder Street Partners"),
    ("DUNMORE", "Dunmore Securities"),
    ("EASTLEA", "Eastlea Fixed Income"),
    ("FENWICK", "Fenwick Hollis"),
    ("GARTHWAY", "Garthway Markets"),
    ("HALDEN", "Halden Bank"),
    ("INVERLOCH", "Inverloch Trading"),
    ("JESMOND", "Jesmond Brothers"),
    ("KELSTON", "Kelston Municipal Securities"),
    ("LARKFIELD", "Larkfield Securities"),
    ("MARSTON", "Marston Vale Capital"),
    ("NETHERBY", "Netherby Credit Trading"),
    ("OAKHURST", "Oakhurst National"),
    ("PENROSE", "Penrose Investment Bank"),
    ("QUARRYMAN", "Quarryman Structured Products"),
    ("RADFORD", "Radford Dealers"),
    ("SELBOURNE", "Selbourne Markets"),
    ("THORNBURY", "Thornbury & Sons"),
    ("ULVERTON", "Ulverton Global"),
    ("VENNARD", "Vennard Securities"),
    ("WHITLOCK", "Whitlock Capital"),
    ("YARDLEY", "Yardley Bond Trading"),
    ("ALDERNEY", "Alderney Markets"),
    ("BRIARWOOD", "Briarwood Securities"),
    ("CRESSWELL", "Cresswell Partners"),
    ("DRAYCOTT", "Draycott Bank"),
    ("ELLERTON", "Ellerton Fixed Income"),
    ("FROXFIELD", "Froxfield Trading"),
)

# A firm that was taken over and lives on in logs.
MERGED_CODE, MERGED_NAME = "PELHAM", "Pelham Wood Securities"

SECTORS: dict[str, tuple[str, ...]] = {
    AssetClass.CORP: ("Industrials", "Financials", "Energy", "Utilities", "Technology", "Healthcare"),
    AssetClass.MUNI: ("General Obligation", "Revenue", "Education", "Transportation"),
    AssetClass.STRUCTURED: ("CLO", "CMBS", "ABS"),
    AssetClass.GOVT: ("Treasury",),
    AssetClass.EM: ("Sovereign", "Quasi-Sovereign", "EM Corporate"),
}

ISSUER_ROOTS: tuple[str, ...] = (
    "Alcott", "Barrow", "Castleford", "Denby", "Elmstead", "Farrow", "Granton", "Hexham", "Ilkley", "Jarrow", "Kendal", "Langdale",
    "Malvern", "Norwick", "Oldham", "Pickering", "Quenby", "Rothbury", "Skelton", "Tarrant", "Upton", "Velmore", "Wharton",
    "Yarwell", "Amberley", "Bexhill", "Corsham", "Dalton", "Everley", "Fairholm", "Glaston", "Hartwell", "Ingleby", "Jervaulx",
    "Kirkby", "Ludlow", "Melrose", "Newburgh", "Orford", "Prestwick",
)  # fmt: skip

_ENDINGS: dict[str, tuple[str, ...]] = {
    AssetClass.CORP: ("Inc", "Corp", "Holdings", "Group"),
    AssetClass.MUNI: ("County", "City", "State University", "Port Authority"),
    AssetClass.STRUCTURED: ("Funding Trust", "Loan Trust", "Issuer Trust", "Receivables"),
    AssetClass.EM: ("Republic", "Development Bank", "Energia", "Telecom"),
}


def issuer_name(root: str, asset_class: str, sector: str, round_: int) -> str:
    """Put an issuer's name together; ``round_`` tells apart issuers that share a root."""
    if asset_class == AssetClass.GOVT:
        return "United States Treasury"
    ending = _ENDINGS[asset_class][round_ % len(_ENDINGS[asset_class])]
    named_by_sector = asset_class in {AssetClass.CORP, AssetClass.STRUCTURED}
    return f"{root} {sector} {ending}" if named_by_sector else f"{root} {ending}"
