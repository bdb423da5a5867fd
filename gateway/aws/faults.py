"""An answer that is an error, in AWS's terms."""

from __future__ import annotations


class AwsError(Exception):
    """`code` and `message` go to the client as they are; `status` is the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    @property
    def kind(self) -> str:
        return "Sender" if self.status < 500 else "Receiver"


def validation(message: str) -> AwsError:
    return AwsError("ValidationError", message)
