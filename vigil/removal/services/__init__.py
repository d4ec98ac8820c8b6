"""Commands of the removal room: the only code that changes its rows."""

from vigil.removal.services.answering import AnswerForm, answer, confirm_answerer, peek_answer_link
from vigil.removal.services.checking import ask_check, ask_due_checks, resume_after_answer, take_check
from vigil.removal.services.opening import open_notice, stop_notices_for_entry
from vigil.removal.services.providers import ask_due_lookups, look_up_provider, set_address
from vigil.removal.services.reported_again import take_reported_places
from vigil.removal.services.staff import continue_reminders, try_again_now

__all__ = [
    "AnswerForm",
    "answer",
    "ask_check",
    "ask_due_checks",
    "ask_due_lookups",
    "confirm_answerer",
    "continue_reminders",
    "look_up_provider",
    "open_notice",
    "peek_answer_link",
    "resume_after_answer",
    "set_address",
    "stop_notices_for_entry",
    "take_check",
    "take_reported_places",
    "try_again_now",
]
