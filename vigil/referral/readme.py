"""The note beside a package's files: what each is, and how to check that nothing changed, in both languages."""

from __future__ import annotations

from vigil.referral.wire.contents import Contents

_ENGLISH = """Referral {number}, case {case}
From: {hotline_en}    To: {agency_en}

summary.pdf    one page for reading and printing; links in it are broken on purpose
facts.json     every fact with its source: reporter, crawler, analyst, provider
case.jsonld    the same as a CASE/UCO bundle, for import; it holds the full links
manifest.json  size and SHA-256 of each file
SHA256SUMS     the same for the command below

Links and account names lead to material that may be unlawful to open. Use a computer meant for that.

To check, without a network:
    sha256sum -c SHA256SUMS
    sha256sum manifest.json     compare with the digest shown in the portal, or by telephone
"""
_FRENCH = """Renvoi {number}, dossier {case}
De : {hotline_fr}    À : {agency_fr}

summary.pdf    une page à lire et à imprimer ; les liens y sont brisés exprès
facts.json     chaque fait avec sa source : personne qui signale, robot, analyste, fournisseur
case.jsonld    la même chose en format CASE/UCO, pour l’importation ; contient les liens complets
manifest.json  taille et SHA-256 de chaque fichier
SHA256SUMS     la même chose pour la commande ci-dessous

Les liens et les noms de compte mènent à du matériel qu’il peut être illégal d’ouvrir. Utilisez un ordinateur prévu à cette fin.

Pour vérifier, sans réseau :
    sha256sum -c SHA256SUMS
    sha256sum manifest.json     à comparer avec l’empreinte affichée dans le portail, ou par téléphone
"""


def text(contents: Contents) -> bytes:
    """The note, in the agency's language first."""
    values = {
        "number": contents.number,
        "case": contents.case_number,
        "hotline_en": contents.hotline.name_en,
        "hotline_fr": contents.hotline.name_fr,
        "agency_en": contents.agency.name_en,
        "agency_fr": contents.agency.name_fr,
    }
    english, french = _ENGLISH.format(**values), _FRENCH.format(**values)
    first, second = (french, english) if contents.agency.language == "fr" else (english, french)
    return f"{first}\n{'-' * 78}\n\n{second}".encode()
