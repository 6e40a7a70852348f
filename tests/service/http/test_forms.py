"""Forms of both kinds, as browsers and curl send them, and bodies that are none."""

import pytest

from service.errors import BadForm, UnsupportedMediaType
from service.http.forms import MAX_FIELDS, read_form

KIND = b'multipart/form-data; boundary="a b"'


def part(head: str, content: bytes) -> bytes:
    return f"--a b\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


def test_a_form_with_a_file_is_read() -> None:
    body = part('name="q"', "où\r\n--a".encode()) + part('name="q"', b"second")
    body += part(
        'name="file"; filename="é.txt"\r\nContent-Type: text/plain', b"\x00\xff\r\n" * 400_000
    )
    form = read_form(body + b"--a b--\r\n", KIND, "target=en&q=first")
    assert form.fields == {"q": "first", "target": "en"}
    assert read_form(body + b"--a b--\r\n", KIND).fields == {"q": "où\r\n--a"}
    upload = form.files["file"]
    assert (upload.name, len(upload.content)) == ("é.txt", 1_600_000)
    assert upload.content.endswith(b"\x00\xff\r\n")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", b"multipart/form-data"),
        (b"", KIND),
        (part('name="q"', b"a"), KIND),
        (b"--a b\r\nno head\r\n\r\n", KIND),
        (part('name="q"', b"\xff") + b"--a b--", KIND),
        (part('name="q"', b"a") * (MAX_FIELDS + 1) + b"--a b--", KIND),
        (b"q=%ff", b"application/x-www-form-urlencoded"),
        (b"q=\xff", b"application/x-www-form-urlencoded"),
        (b"q=a&" * (MAX_FIELDS + 1), b"application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_told_so(body: bytes, kind: bytes) -> None:
    with pytest.raises(BadForm):
        read_form(body, kind)


def test_another_kind_of_body_is_refused_but_none_is_not() -> None:
    with pytest.raises(UnsupportedMediaType):
        read_form(b"q=a", b"text/plain", "q=b")
    assert read_form(b"", b"", "q=b").fields == {"q": "b"}
    assert read_form(b"q=a+b%20c&r=", b"Application/X-WWW-Form-URLencoded").fields == {
        "q": "a b c",
        "r": "",
    }
