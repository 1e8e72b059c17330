"""The pay list as files: the whole of it with its reasons, and what a recruiter's own site takes."""

import csv
import io

from listening_tests.answer_files.cells import neutral, written_time
from listening_tests.pay import PayLine, PayList

COLUMNS = (
    *("rater", "recruiter", "claimed_id", "study", "submission", "ended", "verdict", "reason", "notes"),
    *("amount", "currency", "rated", "planned", "started_at", "finished_at"),
)


def pay_table(listed: PayList) -> str:
    """CSV of every sitting, in which no cell can run in a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(line, listed.test.currency) for line in listed.lines)
    return stream.getvalue()


def _cells(line: PayLine, currency: str) -> list[str]:
    texts = (line.recruiter, line.claimed_id, line.study, line.submission, line.ended, line.verdict.label, line.reason)
    return [
        str(line.rater),
        *(neutral(text) for text in texts),
        " ".join(line.notes),
        "" if line.amount is None else f"{line.amount:.2f}",
        currency,
        str(line.saved),
        str(line.planned),
        written_time(line.started_at),
        written_time(line.finished_at) if line.finished_at else "",
    ]


def pay_file(listed: PayList, *, name: str, study: str | None) -> str:
    """A list that the recruiter's site takes, of one study there or of all. Raises KeyError for a name it has not."""
    files = {file.name: file for file in listed.recruiter.pay_files}
    return files[name].write(listed.payables(study))
