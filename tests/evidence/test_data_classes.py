"""Personal data is found by its form and its check digits, and what only looks near is left."""

import pytest

from evidence.redaction.data_classes import CLASSES, found

FOUND = {
    "email": ["write to ada.lovelace+x@mail.example.org.", '{"to":"a@b.example"}', "\\nbob@example.com"],
    "credit_card": ["4111 1111 1111 1111", "card 378282246310005,", "5555-5555-5555-4444", "\\n4111111111111111"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "\\nNL91ABNA0417164300"],
    "phone": ["call +49 30 901820", "(030) 123-4567", "+1-202-555-0143", "\\n+4930901820"],
    "ip_address": ["from 10.0.0.1", "2001:db8::8a2e:370:7334", "::1", "[fe80::1]"],
    "us_ssn": ["123-45-6789"],
    "mac_address": ["00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E"],
}
LEFT = {
    "email": ["@example.org", "a@b", "decorator @app.route"],
    "credit_card": ["4111 1111 1111 1112", "0000000000000000", "trace 4bf92f3577b34da6", "4.111111111111111"],
    "iban": ["DE89 3704 0044 0532 0130 01", "AB12", "gen_ai_usage"],
    "phone": ["2026-11-21 12:34:56", "1234", "12345678901234567890", "0.1.2.3"],
    "ip_address": ["1.2.3", "999.1.1.1", "10:30:00", "std::vector"],
    "us_ssn": ["000-12-3456", "666-12-3456", "123-45-67890", "2026-11-21"],
    "mac_address": ["00:1a:2b:3c:4d", "00:1a-2b:3c:4d:5e"],
}


def test_every_class_has_examples():
    assert set(FOUND) == set(LEFT) == set(CLASSES)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts])
def test_a_class_is_found(name, text):
    assert [each.name for each in found(text, [name])] == [name]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in LEFT.items() for text in texts])
def test_what_only_looks_near_is_left(name, text):
    assert list(found(text, [name])) == []
