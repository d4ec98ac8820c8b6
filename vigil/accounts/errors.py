"""Errors of the accounts room, each with its published code."""

from __future__ import annotations

from uuid import UUID

from vigil.core.errors import Conflict, Invalid, NotFound, NotPermitted


class ActionNotPermitted(NotPermitted):
    """The actor's roles do not include this action. Carries ids and codes for the audit row of the refusal."""

    code = "accounts.not_permitted"
    unseen = False

    def __init__(self, action: str, *, subject_kind: str = "", subject_id: UUID | None = None) -> None:
        super().__init__(action)
        self.action = action
        self.subject_kind = subject_kind
        self.subject_id = subject_id


class ItemUnseen(ActionNotPermitted):
    """The item is above the actor's clearance or of another agency: answered exactly like a thing that does not exist."""

    code = "accounts.unseen"
    unseen = True


class StepUpNeeded(NotPermitted):
    """The action asks for an authentication of the last five minutes: the door sends the person to confirm who they are."""

    code = "accounts.step_up_needed"


class PersonNotFound(NotFound):
    """No such person."""

    code = "accounts.person_unknown"


class AgencyNotFound(NotFound):
    """No such agency."""

    code = "accounts.agency_unknown"


class EmailTaken(Conflict):
    """Another account signs in with this address."""

    code = "accounts.email_taken"


class InvitationUnusable(NotFound):
    """The link is unknown, used or too old: one answer for all three."""

    code = "accounts.invitation_unusable"


class ApiKeyUnusable(NotPermitted):
    """The key is unknown, ended, or lacks the scope: one answer for all three."""

    code = "accounts.key_unusable"


class BadPerson(Invalid):
    """What was said about a person cannot be used; `fields` says what."""

    code = "accounts.person_invalid"


class OrganisationNotFound(NotFound):
    """No such partner organisation."""

    code = "accounts.organisation_unknown"


class BadOrganisation(Invalid):
    """What was said about a partner organisation cannot be used; `fields` says what."""

    code = "accounts.organisation_invalid"
